//! The output of a run: `docs/benchmarks.md`, with a chart and the figures as JSON in the
//! same folder.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bars::{self, Bar};
use crate::contender::Contender;
use crate::figures::Figures;
use crate::machine;
use crate::result::Results;
use crate::support::tools;

/// The explanation of the figures and their limits, written by hand.
const WORDS: &str = include_str!("words.md");
/// The workload of the chart.
const CHARTED: [&str; 2] = ["one-token", "many-tokens"];

/// Writes all three files.
pub(crate) fn write(results: &Results, bars: &[Bar]) {
    let docs = tools::root().join("docs");
    let put = |name: &str, text: String| {
        std::fs::write(docs.join(name), text).expect("a file of docs/");
        println!("docs/{name} is written");
    };
    put("benchmarks.md", page(results, bars));
    put(
        "benchmarks.json",
        serde_json::to_string_pretty(&data(results, bars)).expect("JSON") + "\n",
    );
    put("benchmarks.svg", chart(results));
}

fn page(results: &Results, bars: &[Bar]) -> String {
    let mut text = WORDS.to_owned();
    let _ = write!(
        text,
        "\n## This run\n\n\
         {}. {}. Envoy had one worker and one core; the load came from another core.\n\
         Each contender ran {} rounds of {} s. CPU is Envoy's own; the service of `ext_authz`\n\
         uses more on the other core. The spread is half of the difference between the lowest\n\
         and the highest number of requests per second.\n\n\
         ![Requests per second](benchmarks.svg)\n",
        machine::processor(),
        versions().join(". "),
        results.pace.rounds,
        results.pace.seconds,
    );
    let _ = write!(text, "\n### Targets\n\n{}", bars::table(bars));
    for (workload, figures) in &results.workloads {
        let _ = write!(text, "\n### {}\n\n{}", workload.title, table(figures));
    }
    if let Some(first) = results.hostile.first() {
        let _ = write!(
            text,
            "\n### Hostile requests\n\n\
             CPU time of Envoy. A valid request with a new RS256 token takes {:.0} µs.\n\n\
             | request | CPU µs | × valid |\n|---|---|---|\n",
            first.good_cpu
        );
        for hostile in &results.hostile {
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.1} |",
                hostile.name,
                hostile.cpu,
                hostile.ratio()
            );
        }
    }
    if let Some(module) = &results.module {
        let _ = write!(
            text,
            "\n### The module\n\nThe module has {:.0} KiB. Loading it takes {:.2} CPU-seconds with one worker. Each further\n\
             worker takes {:.1} MiB before its first token.\n",
            module.kib, module.load_seconds, module.worker_mib
        );
    }
    text
}

fn table(figures: &[Figures]) -> String {
    let nothing = figures
        .iter()
        .find(|it| it.contender == Contender::Nothing)
        .map_or(0.0, |it| it.median(|sample| sample.cpu));
    let native = figures
        .iter()
        .find(|it| it.contender == Contender::JwtAuthn);
    let mut text = String::from(
        "| | requests/s | spread | CPU µs | − `nothing` | p50 µs | p99 µs | × `jwt_authn` |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for it in figures {
        let cpu = it.median(|sample| sample.cpu);
        let ratio = native.map_or("–".to_owned(), |native| {
            format!(
                "{:.2}",
                it.requests_per_second() / native.requests_per_second()
            )
        });
        let latency = |figure: f64| match figure {
            0.0 => "–".to_owned(),
            figure => format!("{figure:.0}"),
        };
        let _ = writeln!(
            text,
            "| {} | {:.0} | ±{:.0} % | {cpu:.1} | {:.1} | {} | {} | {ratio} |",
            it.contender.name(),
            it.requests_per_second(),
            it.spread() * 50.0,
            cpu - nothing,
            latency(it.median(|sample| sample.p50)),
            latency(it.median(|sample| sample.p99)),
        );
    }
    text
}

fn versions() -> Vec<String> {
    let envoy = machine::version(&tools::envoy(), &["--version"]);
    let envoy = envoy.rsplit_once("version: ").map_or("", |(_, rest)| rest);
    // Commit, version, state, build, library.
    let envoy = envoy.split('/').nth(1).unwrap_or(envoy);
    let wrk = machine::version(std::path::Path::new("wrk"), &["-v"]);
    let wrk = wrk.split_whitespace().take(2).collect::<Vec<_>>().join(" ");
    vec![
        format!("edge-authz {}", env!("CARGO_PKG_VERSION")),
        format!("Envoy {envoy}"),
        wrk,
    ]
}

fn data(results: &Results, bars: &[Bar]) -> Value {
    let workloads: Vec<Value> = results
        .workloads
        .iter()
        .map(|(workload, figures)| {
            json!({
                "name": workload.name,
                "title": workload.title,
                "figures": figures.iter().map(Figures::json).collect::<Vec<_>>(),
            })
        })
        .collect();
    let bars: Vec<Value> = bars
        .iter()
        .map(|bar| {
            json!({"what": bar.what, "bound": bar.bound, "reached": bar.reached, "good": bar.good})
        })
        .collect();
    let hostile: Vec<Value> = results
        .hostile
        .iter()
        .map(|it| json!({"name": it.name, "cpu_us": it.cpu.round(), "ratio": it.ratio()}))
        .collect();
    json!({
        "machine": machine::processor(),
        "versions": versions(),
        "bars": bars,
        "workloads": workloads,
        "hostile": hostile,
    })
}

/// Horizontal bars of requests per second.
fn chart(results: &Results) -> String {
    const BAR: usize = 18;
    const GAP: usize = 8;
    let mut rows = String::new();
    let mut y = 10;
    for (workload, figures) in &results.workloads {
        if !CHARTED.contains(&workload.name.as_str()) {
            continue;
        }
        y += 20;
        let _ = writeln!(
            rows,
            r#"<text x="10" y="{y}" font-weight="bold">{}: requests/s</text>"#,
            workload.title
        );
        y += 10;
        let most = figures
            .iter()
            .map(Figures::requests_per_second)
            .fold(1.0, f64::max);
        for it in figures {
            let rate = it.requests_per_second();
            let width = (rate / most * 420.0).round();
            let color = match it.contender {
                Contender::EdgeAuthz
                | Contender::EdgeAuthzUncached
                | Contender::EdgeAuthzLikeJwtAuthn
                | Contender::OtherEdgeAuthz => "#0a7d5a",
                Contender::Nothing => "#b8bec6",
                Contender::JwtAuthn
                | Contender::JwtAuthnCached
                | Contender::NativeStack
                | Contender::NativeStackCached
                | Contender::ExternalAuthorizer => "#4a6fa5",
            };
            let _ = writeln!(
                rows,
                r#"<text x="215" y="{}" text-anchor="end">{}</text><rect x="222" y="{y}" width="{width}" height="{BAR}" rx="2" fill="{color}"/><text x="{}" y="{}">{rate:.0}</text>"#,
                y + 13,
                it.contender.name(),
                width + 228.0,
                y + 13,
            );
            y += BAR + GAP;
        }
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 720 {h}\" width=\"720\" height=\"{h}\" \
         font-family=\"system-ui, sans-serif\" font-size=\"13\" fill=\"#222\">\n\
         <rect width=\"720\" height=\"{h}\" fill=\"#fff\"/>\n{rows}</svg>\n",
        h = y + 10
    )
}
