//! The output of a run: `docs/benchmarks.md`, with a chart and the figures as JSON in the
//! same folder.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::bars::{self, Bar};
use crate::chart::chart;
use crate::contender::{Build, Contender};
use crate::figures::Figures;
use crate::machine;
use crate::module::{TOKENS, WORKERS};
use crate::result::Results;
use crate::sample::Sample;
use crate::sentences::sentences;
use crate::steps::steps;
use crate::support::tools;

/// The explanation of the figures and their limits, written by hand.
const WORDS: &str = include_str!("words.md");
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
    let mut text = String::from("# Benchmarks\n\n![Requests per second](benchmarks.svg)\n\n");
    text.push_str(&sentences(results));
    text.push_str("\n## Targets\n");
    text.push_str(&bars::tables(bars, "###"));
    text.push_str("\n## A request in the Wasm module\n\n");
    text.push_str(&steps());
    let _ = write!(text, "\n{WORDS}\n");
    let _ = write!(
        text,
        "## Figures\n\n\
         {}. {}. Envoy had one worker and one core; the load came from another core.\n\
         Each contender ran {} rounds of {} s. CPU is that of Envoy, and of the process that it\n\
         asks, which runs on the other core. The spread is half of the difference between the\n\
         lowest and the highest number of requests per second.\n",
        machine::processor(),
        versions().join(". "),
        results.pace.rounds,
        results.pace.seconds,
    );
    for (workload, figures) in &results.workloads {
        let _ = write!(text, "\n### {}\n\n{}", workload.title, table(figures));
    }
    text.push_str(&decision(results));
    text.push_str(&hostile(results));
    text.push_str(&modules(results));
    text
}

fn decision(results: &Results) -> String {
    let Some(decision) = results.decision else {
        return String::new();
    };
    format!(
        "\n### A decision in the server's process\n\n\
         A request in, a decision out, without connections, on one core: the median of batches.\n\n\
         | token | µs |\n|---|---|\n| new RS256 | {:.1} |\n| cached | {:.1} |\n",
        decision.new, decision.cached,
    )
}

fn hostile(results: &Results) -> String {
    let mut text = String::new();
    for build in Build::MODULES {
        let own = || results.hostile.iter().filter(|it| it.build == build);
        let Some(first) = own().next() else { continue };
        let _ = write!(
            text,
            "\n### Hostile requests: {}\n\n\
             CPU time of Envoy. A valid request with a new RS256 token takes {:.0} µs.\n\n\
             | request | CPU µs | × valid |\n|---|---|---|\n",
            build.name(),
            first.good_cpu
        );
        for hostile in own() {
            let _ = writeln!(
                text,
                "| {} | {:.0} | {:.1} |",
                hostile.name,
                hostile.cpu,
                hostile.ratio()
            );
        }
    }
    text
}

fn modules(results: &Results) -> String {
    if results.modules.is_empty() {
        return String::new();
    }
    let mut text = format!(
        "\n### The modules\n\n\
         Loading is the CPU time with one worker. A further worker is measured before its first token.\n\n\
         | | KiB | loading, CPU-s | a further worker, MiB | {TOKENS} tokens, MiB | with {WORKERS} workers, MiB |\n\
         |---|---|---|---|---|---|\n"
    );
    for module in &results.modules {
        let _ = writeln!(
            text,
            "| {} | {:.0} | {:.2} | {:.1} | {:.1} | {:.1} |",
            module.build.name(),
            module.kib,
            module.load_seconds,
            module.worker_mib,
            module.tokens_mib[0],
            module.tokens_mib[1],
        );
    }
    text
}

fn table(figures: &[Figures]) -> String {
    let nothing = figures
        .iter()
        .find(|it| it.contender == Contender::Nothing)
        .map_or(0.0, |it| it.median(Sample::whole_cpu));
    let native = figures
        .iter()
        .find(|it| it.contender == Contender::JwtAuthn);
    let mut text = String::from(
        "| | requests/s | spread | CPU µs | − `nothing` | p50 µs | p99 µs | × `jwt_authn` |\n\
         |---|---|---|---|---|---|---|---|\n",
    );
    for it in figures {
        let cpu = it.median(Sample::whole_cpu);
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
            json!({
                "build": bar.build.name(),
                "what": bar.what,
                "bound": bar.bound,
                "reached": bar.reached,
                "good": bar.good,
            })
        })
        .collect();
    let hostile: Vec<Value> = results
        .hostile
        .iter()
        .map(|it| {
            json!({
                "build": it.build.name(),
                "name": it.name,
                "cpu_us": it.cpu.round(),
                "ratio": it.ratio(),
            })
        })
        .collect();
    json!({
        "machine": machine::processor(),
        "versions": versions(),
        "bars": bars,
        "workloads": workloads,
        "hostile": hostile,
        "decision_us": results.decision.map(|it| json!({"new": it.new, "cached": it.cached})),
    })
}
