//! `make bench-instructions`: the cost of a decision of the core in instructions, counted
//! by callgrind, so that the result does not depend on other load on the machine.
//!
//! The counts are compared with the recorded ones in `recorded.json`. If a scenario is
//! more than 5 % more expensive, the run fails with an error that names the functions
//! that grew; `-- --record` records new counts.
//!
//! The counts are those of the native build, not of WebAssembly. They are for comparing
//! versions of the core.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::unwrap_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "an interactive program, which ends at the first error"
)]

mod callgrind;
#[path = "../../counts/record.rs"]
mod record;
mod requests;
mod revocations;
mod scenario;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use callgrind::Cost;
use serde::{Deserialize, Serialize};

/// The argument that runs the part of this program that callgrind measures.
const RUN: &str = "--run";
/// The maximum growth of a count, as a fraction.
const MAX_GROWTH: f64 = 0.05;
/// The maximum number of instructions by which two searches in 50,000 entries are more
/// expensive than in two: 16 comparisons each.
const MAX_SEARCH: u64 = 600;
/// The number of functions that are recorded for each scenario.
const FUNCTIONS: usize = 25;

/// A scenario's recorded cost for one request.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Recorded {
    instructions: u64,
    /// The most expensive functions, each with its own instructions.
    functions: BTreeMap<String, u64>,
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some(at) = arguments.iter().position(|it| it == RUN) {
        scenario::run(&arguments[at + 1]);
        return ExitCode::SUCCESS;
    }
    let records = arguments.iter().any(|it| it == "--record");
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded.json");
    let before: BTreeMap<String, Recorded> = record::read(&path);
    let mut now = BTreeMap::new();
    let mut good = true;
    println!(
        "{:<34} {:>12} {:>12}",
        "instructions a request", "recorded", "now"
    );
    for name in scenario::NAMES {
        let cost = callgrind::count(name, scenario::ROUNDS);
        let recorded = before.get(*name);
        let known = recorded.map_or("-".to_owned(), |it| it.instructions.to_string());
        println!("{name:<34} {known:>12} {:>12}", cost.instructions);
        if let Some(recorded) = recorded {
            good &= records || compare(recorded, &cost);
        } else if !records {
            println!("    it is not recorded: run `make bench-instructions RECORD=1`");
            good = false;
        }
        now.insert((*name).to_owned(), recorded_of(cost));
    }
    good &= routes_cost_the_same(&now);
    good &= entries_cost_the_same(&now);
    if records {
        record::write(&path, &now);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn recorded_of(cost: Cost) -> Recorded {
    let mut functions = cost.functions;
    functions.sort_by_key(|(_, own)| std::cmp::Reverse(*own));
    Recorded {
        instructions: cost.instructions,
        functions: functions.into_iter().take(FUNCTIONS).collect(),
    }
}

/// Checks that a scenario costs no more than recorded; otherwise prints what grew.
fn compare(recorded: &Recorded, now: &Cost) -> bool {
    let functions: BTreeMap<String, u64> = now.functions.iter().cloned().collect();
    record::is_within(
        MAX_GROWTH,
        [recorded.instructions, now.instructions],
        [&recorded.functions, &functions],
    )
}

/// The number of routes must not affect the cost, within 15 %.
fn routes_cost_the_same(now: &BTreeMap<String, Recorded>) -> bool {
    let of = |name: &str| now[name].instructions as f64;
    let ratio = of("good-remembered-10000-routes") / of("good-remembered");
    println!("10,000 routes cost {ratio:.3} times what 10 do");
    (0.85..=1.15).contains(&ratio)
}

/// A revocation list is searched, not read: 50,000 entries cost about as much as two.
fn entries_cost_the_same(now: &BTreeMap<String, Recorded>) -> bool {
    let of = |name: &str| now[name].instructions;
    let without = of("good-remembered");
    let more = |name| of(name).saturating_sub(without);
    let few = more("good-remembered-list-of-2");
    let many = more("good-remembered-list-of-50000");
    println!("a revocation list costs {few} instructions with 2 entries and {many} with 50,000");
    many <= few + MAX_SEARCH
}
