//! Mistakes that people make, with the messages for them.

use std::fs;

use crate::golden::{Golden, folder, run, run_in};
use serde_json::Value;

/// Every mistake with the output of `check`.
#[test]
fn every_mistake_has_its_message() {
    let folder = folder().join("messages");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".yaml"))
        .collect();
    names.sort();
    assert!(names.len() >= 40, "mistakes are missing");
    let mut shown = String::new();
    for name in names {
        let ran = run_in(&folder, &["check", &name], "");
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        shown.push_str(&ran.out);
        shown.push('\n');
    }
    let mut golden = Golden::default();
    golden.compare(&folder.with_extension("out"), &shown);
    golden.finish();
}

/// Mistakes in case files: all of them, each at its line, and never in the words of the
/// library that reads them.
#[test]
fn case_files_have_messages_as_good_as_those_of_check() {
    let folder = folder().join("messages");
    let mut names: Vec<_> = fs::read_dir(&folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.contains(".cases"))
        .collect();
    names.sort();
    assert!(names.len() >= 8, "mistakes are missing");
    let mut shown = String::new();
    for name in names {
        let ran = run_in(&folder, &["test", &name], "");
        assert_eq!(ran.code, 1, "{name}: {}", ran.out);
        for word in [
            "serde",
            "variant",
            "untagged",
            "expected `",
            "field `",
            "u16",
        ] {
            assert!(!ran.out.contains(word), "{name}: {}", ran.out);
        }
        let json = run_in(&folder, &["test", "--json", &name], "");
        let json: Value = serde_json::from_str(&json.out).unwrap();
        let errors = json["files"][0]["errors"].as_array().unwrap();
        assert_eq!(
            errors.len(),
            ran.out.matches("error").count(),
            "{name}: {}",
            ran.out
        );
        shown.push_str(&ran.out);
        shown.push('\n');
    }
    let mut golden = Golden::default();
    golden.compare(&folder.with_file_name("messages.cases.out"), &shown);
    golden.finish();
}

#[test]
fn what_is_next_to_a_mistake_is_right() {
    for text in [
        "routes: [{match: [GET /pets, \"GET /pets/{id}\"], access: public}]",
        "routes:\n  - match: GET /pets/{id}\n    access: public",
        "routes: [{match: GET /, access: public}]\ncors: {allow_origins: [\"*\"]}",
        "routes:\n  - match: GET /\t\n    access: public",
    ] {
        let ran = run(&["check", "-"], text);
        assert_eq!(ran.code, 0, "{text}: {}", ran.out);
    }
}

#[test]
fn other_programs_get_every_finding_with_its_code_and_place() {
    let folder = folder().join("check");
    let files = ["members.yaml", "risky.yaml"];
    let json = run_in(
        &folder,
        &[&["check", "--format", "json"], &files[..]].concat(),
        "",
    );
    let json: Value = serde_json::from_str(&json.out).unwrap();
    let findings: Vec<&Value> = json["files"]
        .as_array()
        .unwrap()
        .iter()
        .flat_map(|file| file["findings"].as_array().unwrap())
        .collect();
    let sarif = run_in(
        &folder,
        &[&["check", "--format", "sarif"], &files[..]].concat(),
        "",
    );
    assert_eq!(sarif.code, 1);
    let sarif: Value = serde_json::from_str(&sarif.out).unwrap();
    assert_eq!(sarif["version"], "2.1.0");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    let rules = &sarif["runs"][0]["tool"]["driver"]["rules"];
    let known: Vec<&Value> = rules
        .as_array()
        .unwrap()
        .iter()
        .map(|rule| &rule["id"])
        .collect();
    let github = run_in(
        &folder,
        &[&["check", "--format", "github"], &files[..]].concat(),
        "",
    );
    let lines: Vec<&str> = github.out.lines().collect();
    assert_eq!(
        (results.len(), lines.len()),
        (findings.len(), findings.len())
    );
    for ((finding, result), line) in findings.iter().zip(results).zip(lines) {
        assert_eq!(finding["code"], result["ruleId"]);
        assert!(known.contains(&&result["ruleId"]), "{finding}");
        let region = &result["locations"][0]["physicalLocation"]["region"];
        assert_eq!(finding["line"], region["startLine"]);
        let level = finding["severity"].as_str().unwrap();
        assert!(line.starts_with(&format!("::{level} file=")), "{line}");
        assert!(
            line.contains(&format!(",line={},", finding["line"])),
            "{line}"
        );
    }
}

#[test]
fn a_name_of_a_file_cannot_add_an_annotation() {
    let ran = run(
        &["check", "--format", "github", "-"],
        "routes: [{match: GET /, acces: \"a\\n::error::x\"}]",
    );
    assert!(
        ran.out
            .lines()
            .all(|line| line.starts_with("::error file=standard input")),
        "{}",
        ran.out
    );
}

#[test]
fn every_code_is_explained() {
    let list = run(&["explain-error"], "");
    assert!(list.out.lines().count() >= 30);
    for line in list.out.lines() {
        let code = line.split(' ').next().unwrap();
        let ran = run(&["explain-error", &code.to_lowercase()], "");
        assert_eq!(ran.code, 0);
        assert!(
            ran.out.starts_with(&line.replacen("  ", ": ", 1)),
            "{}",
            ran.out
        );
    }
    let ran = run(&["explain-error", "EA999"], "");
    assert_eq!(ran.code, 2);
}
