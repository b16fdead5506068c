//! The chart of requests per second, as SVG.
//!
//! It is narrow, so that its texts are legible on a phone, and follows the colours of the
//! reader's system.

use std::fmt::Write as _;

use crate::contender::{Build, Contender};
use crate::figures::Figures;
use crate::result::Results;

/// The workloads of the chart.
const CHARTED: [&str; 2] = ["one-token", "many-tokens"];

/// The width of the chart, and the place and the length of the longest bar, in pixels.
const WIDTH: usize = 440;
const START: f64 = 264.0;
const LONGEST: f64 = 122.0;

/// The height of a bar, and the space below it.
const BAR: usize = 18;
const GAP: usize = 8;

const STYLE: &str = r#"<style>
  svg { --sheet: #ffffff; --line: #c9cfd8; --ink: #1d2430; --none: #b8bec6; --envoy: #4a6fa5; --native: #0a7d5a; --wasm: #5fb896; --server: #c98a2b; }
  @media (prefers-color-scheme: dark) {
    svg { --sheet: #1b1f27; --line: #4a5262; --ink: #eceae5; --none: #6b7484; --envoy: #86a8dc; --native: #4cc79b; --wasm: #2f8f6c; --server: #d9a050; }
  }
  text { font: 13px system-ui, "Segoe UI", "Helvetica Neue", Arial, sans-serif; fill: var(--ink); }
  .title { font-weight: 600; }
  .sheet { fill: var(--sheet); stroke: var(--line); }
  .none { fill: var(--none); }
  .envoy { fill: var(--envoy); }
  .native { fill: var(--native); }
  .wasm { fill: var(--wasm); }
  .server { fill: var(--server); }
</style>"#;

/// Horizontal bars of requests per second.
pub(crate) fn chart(results: &Results) -> String {
    let mut rows = String::new();
    let mut y = 8;
    for (workload, figures) in &results.workloads {
        if !CHARTED.contains(&workload.name.as_str()) {
            continue;
        }
        y += 20;
        let _ = writeln!(
            rows,
            r#"<text class="title" x="14" y="{y}">{}: requests/s</text>"#,
            workload.title
        );
        y += 12;
        let rates = figures.iter().map(Figures::requests_per_second);
        let most = rates.fold(1.0, f64::max);
        for it in figures {
            let rate = it.requests_per_second();
            let width = (rate / most * LONGEST).round();
            let _ = writeln!(
                rows,
                r#"<text x="{}" y="{text}" text-anchor="end">{}</text><rect class="{}" x="{START}" y="{y}" width="{width}" height="{BAR}" rx="2"/><text x="{}" y="{text}">{rate:.0}</text>"#,
                START - 6.0,
                it.contender.name(),
                class(it.contender),
                START + width + 5.0,
                text = y + 13,
            );
            y += BAR + GAP;
        }
    }
    let height = y + 8;
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" height=\"{height}\" role=\"img\">\n\
         <title>Requests per second</title>\n{STYLE}\n\
         <rect class=\"sheet\" x=\"0.5\" y=\"0.5\" width=\"{}\" height=\"{}\" rx=\"10\"/>\n{rows}</svg>\n",
        WIDTH - 1,
        height - 1,
    )
}

const fn class(contender: Contender) -> &'static str {
    match contender {
        Contender::EdgeAuthz(Build::DynamicModule, _) => "native",
        Contender::EdgeAuthz(Build::Server, _) | Contender::ServerOverHttp => "server",
        Contender::EdgeAuthz(_, _) => "wasm",
        Contender::Nothing | Contender::EmptyModule => "none",
        Contender::JwtAuthn
        | Contender::JwtAuthnCached
        | Contender::NativeStack
        | Contender::NativeStackCached
        | Contender::ExternalAuthorizer => "envoy",
    }
}
