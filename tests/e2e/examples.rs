//! The examples are what their README says.

use std::fs;

use crate::support::tools;

#[test]
fn the_envoy_of_the_cognito_example_holds_its_edge_authz_yaml() {
    let folder = tools::root().join("examples/cognito-http-api");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("a file of the example");
    let (envoy, document) = (read("envoy.yaml"), read("edge-authz.yaml"));
    let first = document.lines().next().expect("a comment");
    let at = envoy.find(first).expect("the document's first line");
    let indentation = envoy[..at].rsplit('\n').next().expect("blanks");
    let indented: String = document
        .lines()
        .map(|line| match line {
            "" => "\n".to_owned(),
            line => format!("{indentation}{line}\n"),
        })
        .collect();
    assert!(envoy.contains(&indented), "they differ");
}
