//! The steps of a request in the Wasm module, as `make bench-module` has counted them.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use serde::Deserialize;

use crate::support::tools;

/// The counted requests with a cached token: without a scope rule and CORS, and with them.
const REQUESTS: [&str; 2] = ["remembered, only tokens", "remembered"];

#[derive(Deserialize)]
struct Recorded {
    instructions: u64,
    allocations: u64,
    steps: BTreeMap<String, u64>,
}

/// A table of the steps with their shares, and a sentence about it.
pub(crate) fn steps() -> String {
    let path = tools::root().join("benches/module/recorded.json");
    let record = std::fs::read_to_string(path).expect("the record of `make bench-module`");
    let record: BTreeMap<String, Recorded> = serde_json::from_str(&record).expect("the record");
    let [tokens, all] = REQUESTS.map(|name| &record[name]);
    let mut text = format!(
        "A request with a cached token takes {} WebAssembly instructions and {} allocations in the module, or {} and {} with a scope\n\
         rule and CORS. `make bench-module` counts them from the start of the request to its end:\n\n\
         | step | only tokens | share | scope rule and CORS | share |\n|---|---|---|---|---|\n",
        tokens.instructions, tokens.allocations, all.instructions, all.allocations,
    );
    let mut steps: Vec<(&String, u64)> = all.steps.iter().map(|(step, it)| (step, *it)).collect();
    steps.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
    for (step, count) in steps {
        let alone = tokens.steps.get(step).copied().unwrap_or(0);
        let share = |count: u64, of: &Recorded| count as f64 / of.instructions as f64 * 100.0;
        let _ = writeln!(
            text,
            "| {step} | {alone} | {:.0} % | {count} | {:.0} % |",
            share(alone, tokens),
            share(count, all),
        );
    }
    text
}
