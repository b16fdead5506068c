//! `test`: the output for case files.

use std::fs;

use serde_json::Value;

use super::golden::{Golden, folder, run};

#[test]
fn test_shows_differences_from_the_expectation() {
    let ran = run(&["test", "--verbose", "failing.cases.yaml"], "");
    assert_eq!(ran.code, 1, "{}", ran.err);
    let mut golden = Golden::default();
    golden.compare(&folder().join("failing.cases.out"), &ran.out);
    golden.finish();
    assert_eq!(
        run(
            &["test", "--only", "without scopes", "failing.cases.yaml"],
            ""
        )
        .code,
        1
    );
    assert_eq!(
        run(&["test", "--only", "nothing", "failing.cases.yaml"], "").code,
        0
    );
}

#[test]
fn test_has_the_same_content_as_json() {
    let file = std::env::temp_dir().join(format!("edge-authz-{}.xml", std::process::id()));
    let path = file.to_str().unwrap();
    let ran = run(
        &["test", "--json", "--junit", path, "failing.cases.yaml"],
        "",
    );
    let output: Value = serde_json::from_str(&ran.out).unwrap();
    assert_eq!(output["good"], false);
    let played = &output["files"][0];
    assert_eq!(
        (&played["passed"], &played["failed"], &played["skipped"]),
        (&1.into(), &1.into(), &1.into())
    );
    let junit = fs::read_to_string(&file).unwrap();
    fs::remove_file(&file).unwrap();
    assert!(
        junit.contains("tests=\"3\" failures=\"1\" errors=\"0\" skipped=\"1\""),
        "{junit}"
    );
    assert!(junit.contains("let in &amp; &lt;through&gt;"), "{junit}");
}

#[test]
fn a_file_that_cannot_be_played_fails() {
    let ran = run(
        &["test", "-"],
        "about: nothing\nconfig: {}\nkeys: {}\ncases: [{name: a, request: GET /, expect: 200}]\n",
    );
    assert_eq!(ran.code, 1);
    assert!(ran.out.contains("error: standard input: "), "{}", ran.out);
}
