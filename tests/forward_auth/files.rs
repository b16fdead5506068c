//! The files for the operation of the server, and those of proxies that the tests cannot run.

use std::fs;
use std::process::Command;

use edge_authz::config::{self, Fetching};
use serde_json::{Value, json};

use crate::support::tools;

fn read(name: &str) -> String {
    let path = tools::root().join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// The resources for Kubernetes.
fn resources() -> Vec<Value> {
    let text = read("deploy/server/kubernetes.yaml");
    text.split("\n---\n").map(yaml).collect()
}

fn only<'r>(all: &'r [Value], kind: &str) -> &'r Value {
    let found: Vec<&Value> = all.iter().filter(|one| one["kind"] == kind).collect();
    assert_eq!(found.len(), 1, "{kind}");
    found[0]
}

#[test]
fn the_configurations_of_the_files_compile() {
    let all = resources();
    let map = only(&all, "ConfigMap");
    let document = yaml(map["data"]["edge-authz.yaml"].as_str().expect("a document"));
    for document in [
        document,
        yaml(&read("examples/forward-auth/edge-authz.yaml")),
    ] {
        let document = document.to_string();
        if let Err(errors) = config::compile_for(document.as_bytes(), Fetching::Direct) {
            panic!("{errors}");
        }
    }
}

#[test]
fn the_pods_run_without_rights_and_their_probes_are_the_servers() {
    let all = resources();
    for resource in &all {
        assert_eq!(resource["metadata"]["name"], "edge-authz");
        assert_eq!(resource["metadata"]["namespace"], "edge-authz");
    }
    let deployment = &only(&all, "Deployment")["spec"];
    let pod = &deployment["template"]["spec"];
    let container = &pod["containers"][0];
    assert_eq!(pod["containers"].as_array().unwrap().len(), 1);
    assert_eq!(pod["automountServiceAccountToken"], false);
    assert_eq!(pod["securityContext"]["runAsNonRoot"], true);
    assert_eq!(
        pod["securityContext"]["seccompProfile"]["type"],
        "RuntimeDefault"
    );
    assert_eq!(
        container["securityContext"],
        json!({
            "allowPrivilegeEscalation": false,
            "readOnlyRootFilesystem": true,
            "capabilities": {"drop": ["ALL"]},
        })
    );
    assert_eq!(container["readinessProbe"]["httpGet"]["path"], "/ready");
    assert_eq!(container["livenessProbe"]["httpGet"]["path"], "/live");
    assert!(container["resources"]["limits"]["memory"].is_string());
    assert!(container["resources"]["requests"]["cpu"].is_string());
    // A file that is mounted with `subPath` is never updated.
    let mount = &container["volumeMounts"][0];
    assert!(mount.get("subPath").is_none() && mount["readOnly"] == true);
    // The labels of all selectors are the pod's.
    let labels = &deployment["template"]["metadata"]["labels"];
    for selector in [
        &deployment["selector"]["matchLabels"],
        &only(&all, "Service")["spec"]["selector"],
        &only(&all, "PodDisruptionBudget")["spec"]["selector"]["matchLabels"],
        &only(&all, "NetworkPolicy")["spec"]["podSelector"]["matchLabels"],
    ] {
        assert_eq!(selector, labels);
    }
    // Every port that others use is one that the container has and the policy opens.
    let ports = container["ports"].as_array().unwrap();
    let numbers: Vec<&Value> = ports.iter().map(|port| &port["containerPort"]).collect();
    let rules = only(&all, "NetworkPolicy")["spec"]["ingress"]
        .as_array()
        .unwrap();
    let open: Vec<&Value> = rules.iter().map(|rule| &rule["ports"][0]["port"]).collect();
    assert_eq!(numbers, open);
    let served = &only(&all, "Service")["spec"]["ports"][0];
    assert!(
        ports
            .iter()
            .any(|port| port["name"] == served["targetPort"])
    );
}

/// The server must understand the arguments of the files.
#[test]
fn the_arguments_of_the_files_are_the_servers() {
    use clap::Parser;
    use edge_authz_server::arguments::Arguments;
    let all = resources();
    let pod = &only(&all, "Deployment")["spec"]["template"]["spec"];
    let of_pod = pod["containers"][0]["args"].as_array().unwrap().iter();
    let of_pod: Vec<String> = of_pod.map(|one| one.as_str().unwrap().to_owned()).collect();
    let unit = read("deploy/server/edge-authz.service");
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="));
    let of_unit: Vec<String> = start
        .expect("a command")
        .split(' ')
        .skip(1)
        .map(str::to_owned)
        .collect();
    let mut commands = vec![of_pod, of_unit];
    for file in [
        "nginx/nginx.conf",
        "haproxy/haproxy.cfg",
        "caddy/Caddyfile",
        "traefik/traefik.yaml",
    ] {
        let text = read(&format!("examples/forward-auth/{file}"));
        let line = text
            .lines()
            .find(|line| line.contains("edge-authz-server --config"));
        let line = line.expect("a command").trim_start_matches(['#', ' ']);
        commands.push(line.split(' ').skip(1).map(str::to_owned).collect());
    }
    for command in commands {
        let whole = std::iter::once("edge-authz-server".to_owned()).chain(command);
        Arguments::try_parse_from(whole).unwrap_or_else(|error| panic!("{error}"));
    }
}

#[test]
fn the_unit_is_valid_and_has_few_rights() {
    let unit = read("deploy/server/edge-authz.service");
    for line in [
        "DynamicUser=yes",
        "ProtectSystem=strict",
        "NoNewPrivileges=yes",
        "CapabilityBoundingSet=",
        "MemoryDenyWriteExecute=yes",
        "SystemCallFilter=@system-service",
        "Restart=always",
    ] {
        assert!(unit.lines().any(|known| known == line), "{line}");
    }
    let tool = "systemd-analyze";
    if Command::new(tool).arg("--version").output().is_err() {
        eprintln!("{tool} is missing: the unit is only read");
        return;
    }
    // Any program will do: it is not started.
    let scratch = crate::support::process::Scratch::new("unit");
    let unit = unit.replace("/usr/local/bin/edge-authz-server", "/bin/true");
    let path = scratch.write("edge-authz.service", &unit);
    let verified = Command::new(tool)
        .arg("verify")
        .arg(&path)
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&verified.stderr);
    // Other units of the machine are not ours.
    assert!(!said.contains("edge-authz.service"), "{said}");
    let rated = Command::new(tool)
        .args(["security", "--offline=true", "--threshold=20"])
        .arg(&path)
        .output()
        .unwrap();
    assert!(
        rated.status.success(),
        "{}",
        String::from_utf8_lossy(&rated.stdout)
    );
}

/// There is no package of Traefik for the tests: what the reference of version 3 says.
#[test]
fn the_files_of_traefik_have_the_members_of_version_3_and_trust_no_client() {
    let fixed = yaml(&read("examples/forward-auth/traefik/traefik.yaml"));
    let web = &fixed["entryPoints"]["web"];
    assert!(web.get("forwardedHeaders").is_none());
    assert_eq!(web["http"]["aliasHeadersStrategy"], "reject");
    assert_eq!(web["http"]["sanitizePath"], true);
    let dynamic = yaml(&read("examples/forward-auth/traefik/dynamic.yaml"));
    let http = &dynamic["http"];
    let members = [
        "address",
        "authResponseHeaders",
        "maxResponseBodySize",
        "trustForwardHeader",
    ];
    let ask = http["middlewares"]["edge-authz"]["forwardAuth"]
        .as_object()
        .unwrap();
    assert!(
        ask.keys().all(|name| members.contains(&name.as_str())),
        "{ask:?}"
    );
    assert_eq!(ask["trustForwardHeader"], false);
    assert!(ask["address"].as_str().unwrap().ends_with("/authorize"));
    // The client's own copies of these are removed.
    let copied = ask["authResponseHeaders"].as_array().unwrap();
    let document = yaml(&read("examples/forward-auth/edge-authz.yaml"));
    let identity = document["upstream"]["claims"].as_object().unwrap().keys();
    let credentials = ["authorization", "cookie", "dpop"].map(str::to_owned);
    for name in identity.cloned().chain(credentials) {
        let is_it = |known: &Value| known.as_str().unwrap().eq_ignore_ascii_case(&name);
        assert!(copied.iter().any(is_it), "{name}");
    }
    for router in http["routers"].as_object().unwrap().values() {
        let middlewares = router["middlewares"].as_array().unwrap();
        assert_eq!(middlewares.last().unwrap(), "edge-authz");
        for name in middlewares {
            assert!(http["middlewares"].get(name.as_str().unwrap()).is_some());
        }
        assert!(
            http["services"]
                .get(router["service"].as_str().unwrap())
                .is_some()
        );
    }
}

#[test]
fn every_set_up_names_the_identity_headers_of_its_configuration() {
    let document = yaml(&read("examples/forward-auth/edge-authz.yaml"));
    let names = document["upstream"]["claims"].as_object().unwrap().keys();
    for name in names {
        for file in [
            "nginx/edge-authz-headers.conf",
            "caddy/Caddyfile",
            "traefik/dynamic.yaml",
        ] {
            let text = read(&format!("examples/forward-auth/{file}")).to_ascii_lowercase();
            assert!(text.contains(name), "{file}: {name}");
        }
        let variable = format!("$upstream_http_{}", name.replace('-', "_"));
        assert!(read("examples/forward-auth/nginx/edge-authz.conf").contains(&variable));
    }
}
