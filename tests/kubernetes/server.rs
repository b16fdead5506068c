//! The server: its configuration, its images and its canary.

use serde_json::{Value, json};

use crate::tools::{SERVER_DOCUMENT, helm, helm_all, named, resources, root, same, values};

fn document(resources: &[Value], name: &str) -> String {
    let map = named(resources, "ConfigMap", name);
    let text = map.pointer(SERVER_DOCUMENT).unwrap();
    text.as_str().unwrap().to_owned()
}

#[test]
fn the_file_without_helm_is_what_the_chart_renders() {
    let text = std::fs::read_to_string(root().join("deploy/server/kubernetes.yaml")).unwrap();
    same(
        resources(&text),
        helm(&values("server")).unwrap(),
        "deploy/server/kubernetes.yaml",
    );
}

#[test]
fn the_server_gets_the_configuration_as_it_is() {
    let values = values("server");
    let wanted: Value = serde_saphyr::from_str(&values).unwrap();
    let text = document(&helm(&values).unwrap(), "edge-authz");
    let read: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(read, wanted["config"]);
    // A file keeps its comments, and what the server must refuse.
    let file = "# Mine.\nroutes: []\nroutes: []";
    let values = json!({"host": "server", "configFile": file}).to_string();
    assert_eq!(
        document(&helm(&values).unwrap(), "edge-authz").trim_end(),
        file
    );
    // The mode of the values replaces that of the file.
    let values =
        json!({"host": "server", "configFile": "mode: report\nroutes: []", "mode": "enforce"});
    let text = document(&helm(&values.to_string()).unwrap(), "edge-authz");
    let read: Value = serde_saphyr::from_str(&text).unwrap();
    assert_eq!(read["mode"], "enforce");
}

#[test]
fn a_config_map_of_its_own_is_used_and_excludes_what_would_have_no_effect() {
    let own = "host: server\nserver: {configMap: mine, replicas: 1}\n";
    let all = helm(own).unwrap();
    assert!(all.iter().all(|one| one["kind"] != "ConfigMap"));
    // One pod cannot be evicted if one must stay.
    assert!(all.iter().all(|one| one["kind"] != "PodDisruptionBudget"));
    let pod = &named(&all, "Deployment", "edge-authz")["spec"]["template"]["spec"];
    assert_eq!(pod["volumes"][0]["configMap"]["name"], "mine");
    for beside in [
        "mode: report",
        "config: {routes: []}",
        "canary: {enabled: true, mode: report}",
    ] {
        let error = helm(&format!("{own}{beside}")).expect_err(beside);
        assert!(error.contains("would have no effect"), "{beside}: {error}");
    }
}

#[test]
fn a_canary_has_pods_and_a_service_of_its_own() {
    let digest = "1".repeat(64);
    let values = format!(
        "host: server\nconfig: {{routes: []}}\ncanary: {{enabled: true, mode: report}}\nimage: {{pullSecret: registry}}\n\
         server: {{image: {{digest: 'sha256:{digest}'}}, preset: nginx, trustedPeers: [192.0.2.0/24], arguments: [--access-log]}}"
    );
    let [usual, without] = &*helm_all(&[(&values, "shop"), ("host: server", "shop")]) else {
        panic!("two releases")
    };
    assert!(without.is_err());
    let all = usual.as_ref().unwrap();
    for name in ["edge-authz", "edge-authz-canary"] {
        let labels = json!({"app.kubernetes.io/name": name});
        let deployment = &named(all, "Deployment", name)["spec"];
        assert_eq!(deployment["selector"]["matchLabels"], labels);
        assert_eq!(named(all, "Service", name)["spec"]["selector"], labels);
        assert_eq!(
            named(all, "NetworkPolicy", name)["spec"]["podSelector"]["matchLabels"],
            labels
        );
        let pod = &deployment["template"]["spec"];
        assert_eq!(pod["imagePullSecrets"][0]["name"], "registry");
        assert_eq!(pod["volumes"][0]["configMap"]["name"], name);
        let container = &pod["containers"][0];
        let image = format!("registry.example.com/edge-authz-server@sha256:{digest}");
        assert_eq!(container["image"], image);
        for argument in [
            "--preset=nginx",
            "--trusted-peers=192.0.2.0/24",
            "--access-log",
        ] {
            assert!(
                container["args"]
                    .as_array()
                    .unwrap()
                    .contains(&json!(argument)),
                "{argument}"
            );
        }
    }
    assert!(document(all, "edge-authz-canary").contains("mode: report"));
    assert!(!document(all, "edge-authz").contains("mode"));
}
