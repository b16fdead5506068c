//! A client that others have written: the `DPoP` support of `requests_oauth2client`.

use std::process::Command;

use serde_json::{Value, json};

use super::{API, ISSUER, accepting_proofs};
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

/// The lines that a script with the client prints.
pub(super) fn run(script: &str, arguments: &[&str]) -> Vec<String> {
    let script = tools::root().join("tests/e2e/bound").join(script);
    let mut command = Command::new(tools::python_tool("python"));
    let ran = command.arg(script).args(arguments).output();
    let ran = ran.expect("Python; `make setup` installs it");
    let errors = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{errors}");
    let lines = String::from_utf8(ran.stdout).expect("text");
    lines.lines().map(str::to_owned).collect()
}

#[test]
fn the_client_of_another_project_gets_through_and_a_thief_does_not() {
    let upstream = Echo::start();
    let key = TokenMaker::generate("ES256", "key-1");
    let mut configuration = accepting_proofs(&key);
    configuration["providers"][0]["binding"] = json!("required");
    let envoy = Builder::new(upstream.address())
        .edge_authz(configuration)
        .start();
    let client: Value = serde_json::from_str(&run("client.py", &[])[0]).expect("a key");
    let bound = json!({"cnf": {"jkt": client["jkt"]}});
    let token = key.token(&claims_with(ISSUER, "api", bound));
    let proxy = format!("http://{}", envoy.address());
    let private = client["key"].as_str().expect("a JWK");
    let lines = run("client.py", &[&proxy, API, private, &token]);
    let statuses: Vec<&str> = lines
        .iter()
        .filter_map(|line| line.split(' ').next())
        .collect();
    let expected = ["200", "200", "200", "200", "200", "401", "401", "401"];
    assert_eq!(statuses, expected, "{lines:#?}");
    let says = |line: usize, text: &str| assert!(lines[line].contains(text), "{}", lines[line]);
    says(
        5,
        "Bearer realm=\"api\", DPoP algs=\"ES256\", error=\"invalid_dpop_proof\"",
    );
    says(6, "Bearer realm=\"api\", error=\"invalid_token\"");
    says(6, "DPoP algs=\"ES256\"");
    says(7, "another key");
    // The upstream gets neither the token nor the proof.
    for seen in upstream.seen() {
        assert_eq!(seen.all("authorization").count(), 0);
        assert_eq!(seen.all("dpop").count(), 0);
    }
    envoy.assert_no_trap();
}
