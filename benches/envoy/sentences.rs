//! What the figures of a run say.

use crate::contender::Build::{self, DynamicModule, Server, Wasm};
use crate::contender::Contender::{EdgeAuthz, JwtAuthn, JwtAuthnCached, NativeStackCached};
use crate::contender::{Contender, Task};
use crate::decision::Decision;
use crate::hostile::Hostile;
use crate::module::Module;
use crate::result::Results;

/// The workloads in which every token is new.
const NEW: [&str; 6] = [
    "new-rs256",
    "new-ps256",
    "new-es256",
    "new-eddsa",
    "new-es384",
    "new-es512",
];

/// Six sentences, for readers who read nothing else.
pub(crate) fn sentences(results: &Results) -> String {
    [
        cached(results),
        new(results),
        proofs(results),
        server(results),
        sizes(results),
        hostile(results),
    ]
    .concat()
}

/// The ratio between a build and another contender in a workload.
fn ratio(results: &Results, workload: &str, build: Build, task: Task, other: Contender) -> f64 {
    let own = EdgeAuthz(build, task);
    let ratio = results.ratio((workload, own), (workload, other));
    ratio.unwrap_or(f64::NAN)
}

fn cached(results: &Results) -> String {
    let of = |build, task, other| ratio(results, "one-token", build, task, other);
    let tokens = |build| of(build, Task::OnlyTokens, JwtAuthnCached);
    let all = |build| of(build, Task::Everything, NativeStackCached);
    format!(
        "- **A cached token.** The dynamic module answers {:.2} times as many requests per second as `jwt_authn` with its cache\n  \
         and {:.2} times as many as `jwt_authn`, `cors` and `rbac` if it does the same work, and the Wasm module {:.2} and {:.2} times as many.\n",
        tokens(DynamicModule),
        all(DynamicModule),
        tokens(Wasm),
        all(Wasm),
    )
}

fn new(results: &Results) -> String {
    let of = |build| {
        let of = |workload| ratio(results, workload, build, Task::OnlyTokens, JwtAuthn);
        let ratios = NEW.map(of);
        let least = ratios.into_iter().fold(f64::INFINITY, f64::min);
        let most = ratios.into_iter().fold(0.0, f64::max);
        format!("{least:.2} to {most:.2}")
    };
    format!(
        "- **New tokens.** The dynamic module answers {} times as many requests as `jwt_authn`, depending on the\n  \
         algorithm, and the Wasm module {} times as many.\n",
        of(DynamicModule),
        of(Wasm),
    )
}

fn proofs(results: &Results) -> String {
    let of = |build, workload| {
        let plain = EdgeAuthz(build, Task::OnlyTokens);
        ratio(results, workload, build, Task::Proofs, plain)
    };
    format!(
        "- **Proofs of possession.** With an ES256 proof for each request the dynamic module answers {:.2} times as many requests as without\n  \
         for cached tokens and {:.2} times as many for new ones, and the Wasm module {:.2} and {:.2} times as many.\n",
        of(DynamicModule, "bound-one"),
        of(DynamicModule, "bound-new"),
        of(Wasm, "bound-one"),
        of(Wasm, "bound-new"),
    )
}

fn server(results: &Results) -> String {
    let of = |workload| {
        let other = Contender::ExternalAuthorizer;
        ratio(results, workload, Server, Task::Everything, other)
    };
    let decision =
        |figure: fn(&Decision) -> f64| results.decision.as_ref().map_or(f64::NAN, figure);
    format!(
        "- **The server.** Behind Envoy it answers {:.2} times as many requests as another external authorizer for a cached token and {:.2}\n  \
         times as many for new RS256 tokens. In its process, a decision takes {:.0} µs for a new RS256 token and {:.1} µs for a cached one.\n",
        of("one-token"),
        of("new-rs256"),
        decision(|it| it.new),
        decision(|it| it.cached),
    )
}

fn sizes(results: &Results) -> String {
    let of = |build, many, few| {
        let own = EdgeAuthz(build, Task::Everything);
        results.ratio((many, own), (few, own)).unwrap_or(f64::NAN)
    };
    let memory = |build| {
        let module = results.modules.iter().find(|module| module.build == build);
        module.map_or(f64::NAN, Module::tokens_ratio)
    };
    format!(
        "- **Size.** With 200 issuers instead of one the dynamic module is {:.2} times as fast, with 10,000 routes instead of ten {:.2} times, and\n  \
         with four workers instead of one its cached tokens take {:.2} times the memory; for the Wasm module these are {:.2}, {:.2} and {:.2} times.\n",
        of(DynamicModule, "issuers-200", "issuers-1"),
        of(DynamicModule, "routes-10000", "routes-10"),
        memory(DynamicModule),
        of(Wasm, "issuers-200", "issuers-1"),
        of(Wasm, "routes-10000", "routes-10"),
        memory(Wasm),
    )
}

fn hostile(results: &Results) -> String {
    let worst = |build| {
        let own = results.hostile.iter().filter(|it| it.build == build);
        own.map(Hostile::ratio).fold(0.0, f64::max)
    };
    format!(
        "- **Hostile requests.** The most expensive one takes {:.1} times the CPU time of a valid request with a new RS256 token in the dynamic\n  \
         module, and {:.1} times in the Wasm module.\n",
        worst(DynamicModule),
        worst(Wasm),
    )
}
