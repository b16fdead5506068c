//! `make bench-module`: the number of WebAssembly instructions that the module executes for a
//! request, from the context's creation to its end, in a proxy that does nothing else.
//!
//! The module is run by an interpreter, with a counter in each function. The counts do not
//! depend on the machine or its load. They are compared with the recorded ones in
//! `recorded.json`: if a scenario takes more than 3 % more, the run fails with an error that
//! names the functions that grew; `--record` records new counts.
#![allow(
    clippy::print_stdout,
    clippy::indexing_slicing,
    clippy::expect_used,
    clippy::panic,
    clippy::arithmetic_side_effects,
    clippy::as_conversions,
    clippy::cast_precision_loss,
    clippy::disallowed_methods,
    reason = "an interactive program, which ends at the first error"
)]

mod counted;
mod host;
mod profile;
mod proxy;
#[path = "../../counts/record.rs"]
mod record;
mod scenario;
mod steps;
mod tokens;

use std::collections::BTreeMap;
use std::path::Path;
use std::process::ExitCode;

use counted::Counted;
use profile::Profile;
use serde::{Deserialize, Serialize};

/// The maximum growth of a count, as a fraction.
const MAX_GROWTH: f64 = 0.03;
/// The number of functions that are recorded for each scenario.
const FUNCTIONS: usize = 30;

/// All allocations call it.
const ALLOCATOR: &str = "dlmalloc";

/// A scenario's recorded cost for one request.
#[derive(Clone, Debug, Deserialize, Serialize)]
struct Recorded {
    instructions: u64,
    allocations: u64,
    /// The steps, each with its instructions.
    steps: BTreeMap<String, u64>,
    /// The most expensive functions, each with its own instructions.
    functions: BTreeMap<String, u64>,
}

/// The costs by the names of the scenarios.
type Record = BTreeMap<String, Recorded>;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let (options, names): (Vec<String>, Vec<String>) = arguments
        .into_iter()
        .partition(|argument| argument.starts_with("--"));
    let Some((module, only)) = names.split_first() else {
        println!(
            "usage: edge-authz-module-instructions [--record|--functions|--stacks] MODULE [SCENARIO]"
        );
        return ExitCode::from(2);
    };
    let has = |option: &str| options.iter().any(|known| known == option);
    let module = std::fs::read(module).unwrap_or_else(|error| panic!("{module}: {error}"));
    let counted = Counted::new(&module);
    let mut scenarios = scenario::all();
    scenarios.retain(|it| only.is_empty() || only.iter().any(|name| name == it.name));
    if has("--stacks") {
        for scenario in scenarios {
            print!("{}", scenario.count(&counted).stacks(&counted.names));
        }
        return ExitCode::SUCCESS;
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("recorded.json");
    let before: Record = record::read(&path);
    let mut now = Record::new();
    let mut good = true;
    println!("instructions a request         recorded          now  allocations");
    for scenario in scenarios {
        let name = scenario.name;
        let cost = recorded_of(&counted.names, &scenario.count(&counted));
        let recorded = before.get(name);
        let known = recorded.map_or("-".to_owned(), |it| it.instructions.to_string());
        let Recorded {
            instructions,
            allocations,
            ..
        } = cost;
        println!("{name:<26} {known:>12} {instructions:>12} {allocations:>12}");
        if has("--functions") {
            show(&cost);
        }
        good &= has("--record") || compare(recorded, &cost);
        now.insert(name.to_owned(), cost);
    }
    if has("--record") {
        record::write(&path, &now);
    }
    if good {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    }
}

fn recorded_of(names: &[String], profile: &Profile) -> Recorded {
    let functions = profile.functions(names);
    let mut functions: Vec<(&str, u64)> = functions.into_iter().collect();
    functions.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    functions.truncate(FUNCTIONS);
    let steps = profile.steps(names).into_iter();
    let owned = |(name, count): (&str, u64)| (name.to_owned(), count);
    Recorded {
        instructions: profile.instructions(),
        allocations: profile.calls(names, ALLOCATOR),
        steps: steps.filter(|(_, count)| *count > 0).map(owned).collect(),
        functions: functions.into_iter().map(owned).collect(),
    }
}

/// Prints the steps and the functions, most expensive first.
fn show(cost: &Recorded) {
    for all in [&cost.steps, &cost.functions] {
        let mut all: Vec<(&String, &u64)> = all.iter().collect();
        all.sort_by_key(|(_, count)| std::cmp::Reverse(**count));
        for (name, count) in all {
            let share = *count as f64 / cost.instructions as f64 * 100.0;
            println!("    {count:>9} {share:>4.1} %  {name}");
        }
        println!();
    }
}

/// Checks that a scenario costs no more than recorded; otherwise prints what grew.
fn compare(recorded: Option<&Recorded>, now: &Recorded) -> bool {
    let Some(recorded) = recorded else {
        println!("    it is not recorded: run `make bench-module RECORD=1`");
        return false;
    };
    let instructions = [recorded.instructions, now.instructions];
    let functions = [&recorded.functions, &now.functions];
    record::is_within(MAX_GROWTH, instructions, functions)
}
