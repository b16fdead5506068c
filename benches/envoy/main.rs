//! `make bench`: compares edge-authz with Envoy's own filters and an external authorizer,
//! in one Envoy, in one run.
//!
//! Every contender is a listener of the same Envoy, which has one worker and its own
//! core; the load comes from another core. Samples are short, and the contenders take
//! turns, so that other load on the machine affects all of them equally. A sample with
//! too much other load is repeated. The results are ratios of medians of one run.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::disallowed_methods,
    reason = "an interactive program, which ends at the first error"
)]

mod authorizer;
mod bars;
mod beside;
mod chart;
mod contender;
mod decision;
mod empty;
mod envoy;
mod figures;
mod filters;
mod hostile;
mod load;
mod machine;
mod module;
mod page;
mod result;
mod sample;
mod sentences;
mod steps;
#[path = "../../tests/support/mod.rs"]
mod support;
mod tokens;
mod workload;

use std::process::ExitCode;

use result::Results;
use sample::Pace;
use workload::Workload;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let has = |name: &str| arguments.iter().any(|argument| argument == name);
    if let Some(at) = arguments.iter().position(|it| it == authorizer::SERVE) {
        return authorizer::serve(&arguments[at + 1..]);
    }
    let after = |name: &str| {
        let at = arguments.iter().position(|it| it == name)?;
        arguments.get(at + 1).map(String::as_str)
    };
    // Parts of the names of workloads, and of contenders.
    let only = after("--only");
    let who = after("--who");
    let pace = if has("--quick") {
        Pace::QUICK
    } else {
        Pace::FULL
    };
    let is_wanted = |workload: &Workload| match only {
        Some(only) => workload.name.contains(only),
        None => pace == Pace::FULL || workload.is_quick(),
    };
    let is_quick = pace == Pace::QUICK && only.is_none();
    let mut results = Results::new(pace);
    for group in Workload::groups() {
        let wanted = group.into_iter().filter(is_wanted);
        let group: Vec<Workload> = wanted
            .map(|workload| workload.with(who, is_quick))
            .collect();
        if !group.is_empty() {
            results.add(&group, envoy::measure(&group, pace));
        }
    }
    let is_asked = |part: &str| only.map_or(!is_quick, |only| part.contains(only));
    if is_asked("hostile") {
        results.hostile = hostile::measure(pace);
    }
    if is_asked("module") {
        results.modules = module::measure(pace);
    }
    if only.is_none_or(|only| "decision".contains(only)) {
        results.decision = Some(decision::measure());
    }
    let bars = bars::judge(&results);
    println!("{}", bars::tables(&bars, "---"));
    if only.is_none() && who.is_none() && pace == Pace::FULL {
        page::write(&results, &bars);
    }
    ExitCode::SUCCESS
}
