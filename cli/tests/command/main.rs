//! Runs the command as users do, and compares its output with golden files.
//!
//! `cli/tests/command/check` has files, each with the output of `check` beside it.
//! `cli/tests/command/fixtures` has the output for the invalid configurations of the
//! configuration tests. `cli/tests/command/explain` has requests with the output of
//! `explain`. `UPDATE_GOLDEN=1 cargo test --test command` writes the golden files again.
//! Read the differences before you keep them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test ends at the first unexpected result"
)]

mod codes;
#[path = "../../../tests/support/config_cases.rs"]
mod config_cases;
mod definitions;
mod deployments;
mod examples;
mod explain;
mod golden;
mod hooks;
mod import;
mod messages;
mod reference;
mod render;
mod schema;
mod schemas;
mod server;
mod test;
mod validator;
mod yaml;

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use golden::{Golden, folder, run, run_in};
use serde_json::Value;

#[test]
fn check_shows_every_error_and_warning_at_its_line() {
    let mut golden = Golden::default();
    let folder = folder().join("check");
    let mut files: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_none_or(|extension| extension != "out"))
        .collect();
    files.sort();
    assert!(files.len() >= 20, "files are missing");
    for file in files {
        let name = file.file_name().unwrap().to_str().unwrap();
        let ran = run_in(&folder, &["check", name], "");
        let text = format!("{}exit {}\n", ran.out, ran.code);
        golden.compare(&folder.join(format!("{name}.out")), &text);
    }
    golden.finish();
}

#[test]
fn check_shows_each_wrong_configuration_as_yaml_with_its_errors() {
    let mut shown: BTreeMap<String, String> = BTreeMap::new();
    let mut wrong = 0;
    for (name, case) in config_cases::cases() {
        let expected = config_cases::expected_of(&case);
        if expected.is_empty() || case.contains_key("json") {
            continue;
        }
        wrong += 1;
        let (stem, rule) = name.split_once(": ").unwrap();
        let value: Value = serde_json::from_str(&config_cases::text(&case)).unwrap();
        let ran = run(&["check", "-"], &yaml::write(&value));
        assert_eq!(ran.code, 1, "{name}");
        let summary = format!("{} error", expected.len());
        assert!(ran.out.contains(&summary), "{name}\n{}", ran.out);
        let text = shown.entry(stem.to_owned()).or_default();
        writeln!(text, "=== {rule}\n{}", ran.out).unwrap();
    }
    assert!(wrong >= 60, "only {wrong} wrong configurations");
    let mut golden = Golden::default();
    for (stem, text) in shown {
        golden.compare(&folder().join(format!("fixtures/{stem}.out")), &text);
    }
    golden.finish();
}

#[test]
fn check_has_the_same_content_as_json_and_as_text() {
    let folder = folder().join("check");
    let ran = run_in(
        &folder,
        &["check", "--json", "members.yaml", "risky.yaml"],
        "",
    );
    assert_eq!(ran.code, 1);
    let output: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(output["good"], false);
    for file in output["files"].as_array().unwrap() {
        let out = run_in(&folder, &["check", file["file"].as_str().unwrap()], "").out;
        for finding in file["findings"].as_array().unwrap() {
            let (line, column) = (&finding["line"], &finding["column"]);
            let file = file["file"].as_str().unwrap();
            assert!(
                out.contains(&format!("--> {file}:{line}:{column}\n")),
                "{finding}"
            );
            assert!(
                out.contains(finding["message"].as_str().unwrap()),
                "{finding}"
            );
        }
    }
}

#[test]
fn warnings_fail_a_check_only_if_it_is_strict() {
    let folder = folder().join("check");
    assert_eq!(run_in(&folder, &["check", "risky.yaml"], "").code, 0);
    assert_eq!(
        run_in(&folder, &["check", "--strict", "risky.yaml"], "").code,
        1
    );
}

#[test]
fn wrong_use_ends_with_2_and_says_what_is_wrong() {
    for (arguments, words) in [
        (&["check"][..], "<FILE>"),
        (
            &["check", "no-such-file.yaml"],
            "no-such-file.yaml: No such file",
        ),
        (&["chekc"], "check"),
        (&["check", "--colour", "x"], "--color"),
        (&[], "Usage"),
    ] {
        let ran = run(arguments, "");
        assert_eq!(ran.code, 2, "{arguments:?}");
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn colours_are_used_on_terminals_and_on_request() {
    let file = folder().join("check/members.yaml");
    let file = file.to_str().unwrap();
    assert!(!run(&["check", file], "").out.contains('\u{1b}'));
    assert!(
        run(&["check", "--color", "always", file], "")
            .out
            .contains('\u{1b}')
    );
}
