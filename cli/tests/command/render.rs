//! Renderings: each passes `check`, and `tests/e2e` starts them in Envoy.

use std::fs;

use crate::golden::{Golden, folder, root, run, run_in};

const CONFIGURATION: &str = "providers:\n  \
    - {name: one, issuer: 'https://one.example.com', audiences: [a], jwks: {cluster: one, uri: 'https://one.example.com:8443/keys'}}\n  \
    - {name: two, issuer: 'https://one.example.com', audiences: [b], jwks: {cluster: one, uri: 'https://one.example.com:8443/keys'}}\n  \
    - {name: three, issuer: 'https://three.example.com', audiences: [c], jwks: {cluster: api, hosts: {keys.example.net: keys}}}\n  \
    - {name: inside, issuer: 'https://four.example.com', audiences: [d], jwks: {cluster: inside, uri: 'http://keys.auth.svc.cluster.local:8080/k'}}\n\
    routes:\n  - {match: 'GET /pets/{id}', scopes: [pets:read], claims: {sub: '{id}', off: 'off'}}\n";

#[test]
fn renderings_are_as_recorded_and_have_no_warnings_of_their_own() {
    let mut golden = Golden::default();
    for (name, arguments) in [
        ("envoy", &["--for", "envoy"][..]),
        (
            "dynamic-module",
            &[
                "--for",
                "envoy",
                "--dynamic-module",
                "--upstream",
                "pets.internal:80",
            ],
        ),
        (
            "istio",
            &[
                "--for",
                "istio",
                "--namespace",
                "shop",
                "--workload",
                "app=orders",
            ],
        ),
        ("istio-wasm-plugin", &["--for", "istio-wasm-plugin"]),
        (
            "istio-module",
            &[
                "--for",
                "istio",
                "--dynamic-module",
                "--workload",
                "app=orders",
            ],
        ),
        ("envoy-gateway", &["--for", "envoy-gateway"]),
        (
            "envoy-gateway-module",
            &["--for", "envoy-gateway", "--dynamic-module"],
        ),
    ] {
        let ran = run(&[&["render"], arguments, &["-"]].concat(), CONFIGURATION);
        assert_eq!(ran.code, 0, "{name}: {}", ran.err);
        golden.compare(&folder().join(format!("render/{name}.yaml")), &ran.out);
        let checked = run(&["check", "--json", "-"], &ran.out);
        let output: serde_json::Value = serde_json::from_str(&checked.out).unwrap();
        for finding in output["files"][0]["findings"].as_array().unwrap() {
            // The document itself fetches one set over http.
            let message = finding["message"].as_str().unwrap();
            assert!(message.contains("fetched over http"), "{name}: {finding}");
        }
        // The document is the same, apart from the names of Istio's clusters.
        let routes = |text: &str| run(&["routes", "--json", "-"], text).out;
        assert_eq!(routes(&ran.out), routes(CONFIGURATION), "{name}");
    }
    golden.finish();
}

#[test]
fn the_files_of_xds_are_written_to_a_folder() {
    let ran = run(&["render", "--for", "xds", "-"], CONFIGURATION);
    assert_eq!(ran.code, 2);
    let folder = std::env::temp_dir().join(format!("edge-authz-render-{}", std::process::id()));
    let path = folder.to_str().unwrap();
    let ran = run(
        &[
            "render", "--for", "xds", "--folder", "/etc/xds", "--output", path, "-",
        ],
        CONFIGURATION,
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    let checked = run_in(&folder, &["check", "."], "");
    assert_eq!(checked.code, 0, "{}", checked.out);
    let bootstrap = fs::read_to_string(folder.join("envoy.yaml")).unwrap();
    assert!(bootstrap.contains("/etc/xds/listeners.yaml"), "{bootstrap}");
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn what_cannot_be_rendered_is_an_error() {
    let other = CONFIGURATION.replace(
        "three.example.com', audiences: [c], jwks: {cluster: api",
        "three.example.com', audiences: [c], jwks: {cluster: one",
    );
    for (text, arguments, words) in [
        (&*other, &["--for", "envoy"][..], "cannot reach"),
        (
            CONFIGURATION,
            &["--for", "envoy", "--listen", "8080"],
            "is not a host and a port",
        ),
        (
            CONFIGURATION,
            &["--for", "envoy", "--upstream", "a b:80"],
            "is not a host and a port",
        ),
        (
            CONFIGURATION,
            &["--for", "istio", "--workload", "orders"],
            "is not a label",
        ),
        (
            CONFIGURATION,
            &["--for", "istio-wasm-plugin", "--dynamic-module"],
            "loads no dynamic module",
        ),
    ] {
        let ran = run(&[&["render"], arguments, &["-"]].concat(), text);
        assert_eq!((ran.code, &*ran.out), (2, ""), "{arguments:?}");
        assert!(ran.err.contains(words), "{}", ran.err);
    }
    let ran = run(&["render", "-"], "routes: [{match: GET /, acess: public}]");
    assert_eq!(ran.code, 1);
}

#[test]
fn the_examples_can_be_rendered() {
    for example in ["sst-api", "cognito-http-api", "auth0-authorizer"] {
        let file = root()
            .join("examples")
            .join(example)
            .join("edge-authz.yaml");
        for target in ["envoy", "istio", "istio-wasm-plugin", "envoy-gateway"] {
            let ran = run(&["render", "--for", target, file.to_str().unwrap()], "");
            assert_eq!(ran.code, 0, "{example}: {}", ran.err);
            let checked = run(&["check", "--strict", "-"], &ran.out);
            assert_eq!(checked.code, 0, "{example}: {}", checked.out);
        }
    }
}

#[test]
fn what_init_writes_runs_as_its_readme_says() {
    let folder = std::env::temp_dir().join(format!("edge-authz-init-{}", std::process::id()));
    let path = folder.to_str().unwrap();
    // The answers to the four questions.
    let ran = run(
        &["init", path],
        "https://login.example.com\napi\n\nhttps://app.example.com\n",
    );
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert_eq!(
        ran.out.matches("]: ").count() + ran.out.matches("): ").count(),
        4,
        "{}",
        ran.out
    );
    let readme = fs::read_to_string(folder.join("README.md")).unwrap();
    let block = readme.split("```").nth(1).unwrap();
    let mut commands = 0;
    for line in block.lines().filter(|line| line.starts_with("edge-authz ")) {
        let line = line.split('#').next().unwrap();
        let arguments: Vec<&str> = line.split_whitespace().skip(1).collect();
        let ran = run_in(&folder, &arguments, "");
        assert_eq!(ran.code, 0, "{line}: {}{}", ran.out, ran.err);
        commands += 1;
    }
    assert_eq!(commands, 5);
    let checked = run_in(
        &folder,
        &["check", "--strict", "edge-authz.yaml", "envoy.yaml"],
        "",
    );
    assert_eq!(checked.code, 0, "{}", checked.out);
    // It never overwrites anything.
    let again = run(&["init", path], "\n\n\n\n");
    assert_eq!(again.code, 2);
    fs::remove_dir_all(&folder).unwrap();
    // Options instead of answers, for Cognito and without a page.
    let issuer = "https://cognito-idp.eu-west-1.amazonaws.com/eu-west-1_a";
    let options = [
        "init",
        path,
        "--issuer",
        issuer,
        "--audience",
        "c",
        "--upstream",
        "a:1",
        "--origin",
        "",
    ];
    let ran = run(&options, "");
    assert_eq!(ran.code, 0, "{}", ran.err);
    let ran = run_in(&folder, &["test", "edge-authz.cases.yaml"], "");
    assert_eq!(ran.code, 0, "{}", ran.out);
    fs::remove_dir_all(&folder).unwrap();
    let ran = run(&["init", path, "--issuer", "https://a b"], "c\n\n\n");
    assert_eq!(ran.code, 2, "{}", ran.out);
    assert!(!folder.exists());
}
