//! The performance that edge-authz must reach, and its actual figures.

use std::fmt::Write as _;

use crate::contender::Build::{self, DynamicModule, Server, Wasm};
use crate::contender::Contender::{
    self, EdgeAuthz, EmptyModule, ExternalAuthorizer, JwtAuthn, JwtAuthnCached, NativeStackCached,
};
use crate::contender::Task::{self, Everything, OnlyTokens};
use crate::module::{Module, TOKENS, WORKERS};
use crate::result::Results;

/// One figure and its bound.
pub(crate) struct Bar {
    pub(crate) build: Build,
    pub(crate) what: String,
    pub(crate) bound: String,
    pub(crate) reached: String,
    pub(crate) good: bool,
}

/// Requests per second: the minimum ratio of a build to a contender in a workload. A
/// contender that only checks tokens is compared with an edge-authz that does no more.
const RATES: [(Build, &str, Task, Contender, f64); 28] = [
    (DynamicModule, "one-token", OnlyTokens, JwtAuthnCached, 1.0),
    (
        DynamicModule,
        "one-token",
        Everything,
        NativeStackCached,
        1.2,
    ),
    (
        DynamicModule,
        "one-token",
        Everything,
        ExternalAuthorizer,
        2.0,
    ),
    (
        DynamicModule,
        "many-tokens",
        OnlyTokens,
        JwtAuthnCached,
        1.0,
    ),
    (
        DynamicModule,
        "many-tokens",
        Everything,
        NativeStackCached,
        1.2,
    ),
    (DynamicModule, "new-rs256", OnlyTokens, JwtAuthn, 1.15),
    (DynamicModule, "new-ps256", OnlyTokens, JwtAuthn, 1.15),
    (DynamicModule, "new-es256", OnlyTokens, JwtAuthn, 1.15),
    (DynamicModule, "new-eddsa", OnlyTokens, JwtAuthn, 1.15),
    (DynamicModule, "new-es384", OnlyTokens, JwtAuthn, 1.15),
    (DynamicModule, "new-es512", OnlyTokens, JwtAuthn, 1.15),
    (Wasm, "one-token", OnlyTokens, JwtAuthnCached, 0.9),
    (Wasm, "one-token", OnlyTokens, JwtAuthn, 2.2),
    (Wasm, "one-token", OnlyTokens, EmptyModule, 0.85),
    (Wasm, "one-token", Everything, NativeStackCached, 1.0),
    (Wasm, "one-token", Everything, ExternalAuthorizer, 2.0),
    (Wasm, "many-tokens", OnlyTokens, JwtAuthnCached, 0.9),
    (Wasm, "many-tokens", OnlyTokens, JwtAuthn, 2.2),
    (Wasm, "many-tokens", Everything, NativeStackCached, 1.0),
    (Wasm, "new-rs256", OnlyTokens, JwtAuthn, 1.1),
    (Wasm, "new-es256", OnlyTokens, JwtAuthn, 1.1),
    (Wasm, "new-eddsa", OnlyTokens, JwtAuthn, 1.1),
    (Wasm, "new-ps256", OnlyTokens, JwtAuthn, 0.5),
    (Wasm, "new-es384", OnlyTokens, JwtAuthn, 1.0),
    (Wasm, "new-es512", OnlyTokens, JwtAuthn, 1.0),
    (Server, "one-token", Everything, ExternalAuthorizer, 1.2),
    (Server, "many-tokens", Everything, ExternalAuthorizer, 1.2),
    (Server, "new-rs256", Everything, ExternalAuthorizer, 1.2),
];

/// The workloads in which the server and Envoy must together take so many times less CPU time
/// than the external authorizer and Envoy.
const CPU_OF_SERVER: [(&str, f64); 3] =
    [("one-token", 1.2), ("many-tokens", 1.2), ("new-rs256", 1.2)];

/// The longest decisions in the server's process, in microseconds.
const DECISION_NEW: f64 = 40.0;
const DECISION_CACHED: f64 = 10.0;

/// Workloads that must be nearly as fast as a smaller one.
const SIZES: [(&str, &str); 2] = [("issuers-200", "issuers-1"), ("routes-10000", "routes-10")];

/// Compares the results with every bound whose workload was measured.
pub(crate) fn judge(results: &Results) -> Vec<Bar> {
    let mut bars = Vec::new();
    for (build, workload, task, other, bound) in RATES {
        let own = EdgeAuthz(build, task);
        if let Some(ratio) = results.ratio((workload, own), (workload, other)) {
            let what = format!("{workload}: {} / {}", own.name(), other.name());
            bars.push(at_least(build, what, bound, ratio));
        }
    }
    for (workload, bound) in CPU_OF_SERVER {
        let own = EdgeAuthz(Server, Everything);
        let other = ExternalAuthorizer;
        if let Some(ratio) = results.cpu_ratio((workload, other), (workload, own)) {
            let what = format!("{workload}, CPU: {} / {}", other.name(), own.name());
            bars.push(at_least(Server, what, bound, ratio));
        }
    }
    if let Some(it) = results.decision {
        let bar = |what: &str, bound, reached| {
            at_most(Server, format!("a decision: {what}"), bound, reached, " µs")
        };
        bars.push(bar("a new RS256 token", DECISION_NEW, it.new));
        bars.push(bar("a cached token", DECISION_CACHED, it.cached));
    }
    for build in Build::MODULES {
        for (many, few) in SIZES {
            let own = EdgeAuthz(build, Everything);
            if let Some(ratio) = results.ratio((many, own), (few, own)) {
                let bound = if build == DynamicModule { 0.97 } else { 0.95 };
                bars.push(at_least(build, format!("{many} / {few}"), bound, ratio));
            }
        }
    }
    for build in Build::MODULES {
        let own = results.hostile.iter().filter(|it| it.build == build);
        if let Some(worst) = own.max_by(|one, other| one.ratio().total_cmp(&other.ratio())) {
            let what = format!(
                "CPU: the worst hostile request ({}) / a valid one",
                worst.name
            );
            bars.push(at_most(build, what, 10.0, worst.ratio(), "×"));
        }
    }
    bars.extend(results.modules.iter().flat_map(of_module));
    bars
}

fn of_module(module: &Module) -> Vec<Bar> {
    let bar = |what: &str, bound, reached, unit| {
        at_most(module.build, what.to_owned(), bound, reached, unit)
    };
    let memory = format!("memory for {TOKENS} tokens, {WORKERS} workers / 1");
    match module.build {
        DynamicModule => vec![
            bar("size", 4608.0, module.kib, " KiB"),
            bar(&memory, 1.3, module.tokens_ratio(), "×"),
        ],
        Wasm | Server | Build::Other => vec![
            bar("size", 900.0, module.kib, " KiB"),
            bar("load", 0.9, module.load_seconds, " CPU-s"),
            bar("a further worker", 4.0, module.worker_mib, " MiB"),
        ],
    }
}

fn at_least(build: Build, what: String, bound: f64, reached: f64) -> Bar {
    Bar {
        build,
        what,
        bound: format!("≥ {bound:.2}×"),
        reached: format!("{reached:.2}×"),
        good: reached >= bound,
    }
}

fn at_most(build: Build, what: String, bound: f64, reached: f64, unit: &str) -> Bar {
    Bar {
        build,
        what,
        bound: format!("≤ {bound}{unit}"),
        reached: format!("{reached:.2}{unit}"),
        good: reached <= bound,
    }
}

/// The bounds of one build as a Markdown table.
pub(crate) fn table<'b>(bars: impl Iterator<Item = &'b Bar>) -> String {
    let mut text = String::from("| comparison | target | measured | |\n|---|---|---|---|\n");
    for bar in bars {
        let mark = if bar.good { "✓" } else { "missed" };
        let _ = writeln!(
            text,
            "| {} | {} | {} | {mark} |",
            bar.what, bar.bound, bar.reached
        );
    }
    text
}

/// A table for each build that has bounds.
pub(crate) fn tables(bars: &[Bar], heading: &str) -> String {
    let mut text = String::new();
    for build in Build::SHIPPED {
        let own = || bars.iter().filter(|bar| bar.build == build);
        if own().next().is_some() {
            let _ = write!(text, "\n{heading} {}\n\n{}", build.title(), table(own()));
        }
    }
    text
}
