//! The changes of the core that `make mutants` does not judge are those that
//! `tests/mutants.md` explains.

use std::fs;

use super::pages::root;

#[test]
fn every_change_that_is_not_judged_has_a_reason() {
    let configuration = fs::read_to_string(root().join(".cargo/mutants.toml")).unwrap();
    let excluded: Vec<&str> = configuration
        .lines()
        .filter_map(|line| line.trim().strip_prefix('\'')?.strip_suffix("',"))
        .collect();
    let lines = configuration
        .lines()
        .filter(|line| line.starts_with("    "));
    assert_eq!(lines.count(), excluded.len(), "a line is not read");
    let document = fs::read_to_string(root().join("tests/mutants.md")).unwrap();
    let explained: Vec<&str> = document.lines().filter_map(explained).collect();
    assert_eq!(explained, excluded);
}

/// The pattern of a row with a reason.
fn explained(line: &str) -> Option<&str> {
    let row = line.strip_prefix("| `")?.strip_suffix(" |")?;
    let (pattern, reason) = row.split_once("` | ")?;
    // The other table has numbers.
    (!reason.starts_with(|first: char| first.is_ascii_digit())).then_some(pattern)
}
