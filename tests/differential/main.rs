//! Generated tokens and key sets, judged by the core and by other libraries.
//!
//! A token has no fault, one or two. `tests/differential.md` lists each fault about which the
//! libraries disagree, with the reason. Any other disagreement fails the test:
//!
//! `make differential COUNT=100000`
#![allow(
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first unexpected result"
)]

mod core;
mod faults;
mod generate;
mod peers;
#[path = "../support/random.rs"]
mod random;
mod table;
#[expect(dead_code, reason = "other tests need other parts")]
#[path = "../support/tokens.rs"]
mod tokens;

use std::path::Path;

use self::generate::{Case, World};
use self::table::Table;

/// The judges, in the order of the table's columns.
const JUDGES: [&str; 4] = ["edge-authz", "jsonwebtoken", "PyJWT", "joserfc"];

/// The verdicts of all judges about one token: whether each accepts it.
type Verdicts = [bool; 4];

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn every_disagreement_with_other_libraries_is_explained() {
    let count = std::env::var("COUNT").map_or(20_000, |count| count.parse().expect("a number"));
    let world = World::new();
    let cases: Vec<Case> = world.cases(count);
    let mut judged = vec![
        core::judge(&world, &cases),
        peers::jsonwebtoken(&world, &cases),
    ];
    judged.extend(peers::python(&world, &cases));
    let mut table = Table::default();
    for (number, case) in cases.iter().enumerate() {
        let verdicts: Verdicts = [0, 1, 2, 3].map(|judge: usize| judged[judge][number]);
        table.add(case, verdicts);
    }
    println!("{count} tokens, {} key sets", world.sets.len());
    println!("{}", table.text());
    let explained = std::fs::read_to_string(root().join("tests/differential.md")).unwrap();
    table.compare(&explained);
}
