//! The examples, as the command sees them.

use std::fs;
use std::path::PathBuf;

use serde_json::Value;

use super::golden::{Golden, root, run_in};

/// The intended risks.
const RISKS: &[(&str, &str)] = &[
    // Their issuers run on the same machine.
    ("browser-app", "fetched over http"),
    ("mcp-server", "fetched over http"),
];

fn examples() -> Vec<PathBuf> {
    let examples = root().join("examples");
    let entries = fs::read_dir(examples).unwrap();
    let mut folders: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.is_dir());
    folders
}

#[test]
fn nothing_in_the_examples_is_wrong_or_risky_by_mistake() {
    let mut seen = 0;
    for folder in examples() {
        let names = [
            "edge-authz.yaml",
            "envoy.yaml",
            "istio.yaml",
            "gateway.yaml",
        ];
        for name in names.iter().filter(|name| folder.join(name).exists()) {
            seen += 1;
            // The other proxies ask the server.
            let server = folder.ends_with("forward-auth");
            let host: &[&str] = if server { &["--host", "server"] } else { &[] };
            let ran = run_in(&folder, &[&["check", "--json", name], host].concat(), "");
            let output: Value = serde_json::from_str(&ran.out).unwrap();
            for finding in output["files"][0]["findings"].as_array().unwrap() {
                let message = finding["message"].as_str().unwrap();
                let on_purpose = RISKS
                    .iter()
                    .any(|(example, risk)| folder.ends_with(example) && message.contains(risk));
                assert!(on_purpose, "{}, {name}: {finding}", folder.display());
            }
        }
    }
    assert!(seen >= 10, "examples are missing");
}

#[test]
fn the_examples_pass_their_cases() {
    let mut seen = 0;
    for folder in examples() {
        let name = folder.file_name().unwrap().to_string_lossy().into_owned();
        let cases = format!("{name}.cases.yaml");
        if folder.join(&cases).exists() {
            seen += 1;
            let ran = run_in(&folder, &["test", &cases], "");
            assert_eq!(ran.code, 0, "{}{}", ran.out, ran.err);
            assert!(!ran.out.contains(": 0 passed"), "{}", ran.out);
        }
    }
    assert!(seen >= 5, "examples are missing");
}

#[test]
fn the_readme_of_the_cors_example_shows_what_check_says() {
    let folder = root().join("examples/cdk-rest-api-cors");
    let ran = run_in(&folder, &["check", "refused.yaml"], "");
    assert_eq!(ran.code, 1);
    let mut golden = Golden::default();
    golden.compare(&folder.join("refused.yaml.out"), &ran.out);
    golden.finish();
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let shown = format!("$ edge-authz check refused.yaml\n{}```\n", ran.out);
    assert!(readme.contains(&shown), "the README shows something else");
}

#[test]
fn a_case_file_names_the_file_that_its_configuration_is_in() {
    let folder = root().join("examples/sst-api");
    let cases = |config: &str| {
        format!(
            "about: The file that runs.\nconfig: {config}\nkeys: {{issuer: RS256}}\n\
             cases: [{{name: a, request: GET /private, expect: 401 no_token}}]\n"
        )
    };
    for config in ["edge-authz.yaml", "envoy.yaml"] {
        let ran = run_in(&folder, &["test", "-"], &cases(config));
        assert_eq!(ran.code, 0, "{}", ran.out);
    }
    for (config, message) in [
        ("nothing.yaml", "config: nothing.yaml: No such file"),
        (
            "../cdk-rest-api-cors/refused.yaml",
            "../cdk-rest-api-cors/refused.yaml:21:19",
        ),
        ("api.py", "api.py"),
    ] {
        let ran = run_in(&folder, &["test", "-"], &cases(config));
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains(message), "{}", ran.out);
    }
}
