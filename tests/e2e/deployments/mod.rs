//! The files under `deploy`: they are complete and well-formed, and they work in a real
//! Envoy as far as possible without a cluster.

mod dynamic_module;
mod resources;

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::cognito::Cognito;
use crate::support::echo::{Echo, received};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::{Issuer, key_set};
use crate::support::process::{Scratch, wait_until};
use crate::support::server::Answer;
use crate::support::template::replace;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::{http1, tools};
use resources::Resource;

/// The issuer, the client and the URI of the keys that all of them use.
const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE";
const CLIENT: &str = "4t0example";
const JWKS_PATH: &str = "/us-east-1_EXAMPLE/.well-known/jwks.json";

const KUBERNETES: &[&str] = &[
    "istio/gateway.yaml",
    "istio/sidecar.yaml",
    "envoy-gateway/policy.yaml",
];

fn read(file: &str) -> String {
    let path = tools::root().join("deploy").join(file);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn yaml(text: &str) -> Value {
    serde_saphyr::from_str(text).unwrap_or_else(|error| panic!("{error}:\n{text}"))
}

/// The configuration of the filter in a file for Kubernetes.
fn plugin_configuration(file: &str) -> Value {
    let all = Resource::all(file);
    if file.starts_with("istio") {
        Resource::only(&all, "WasmPlugin")["pluginConfig"].clone()
    } else {
        Resource::only(&all, "EnvoyExtensionPolicy")["wasm"][0]["config"].clone()
    }
}

#[test]
fn all_of_them_hold_the_same_document() {
    let without_cluster = |mut configuration: Value| {
        configuration["providers"][0]["jwks"]["cluster"] = Value::Null;
        configuration
    };
    let expected = without_cluster(plugin_configuration(KUBERNETES[0]));
    for file in KUBERNETES {
        assert_eq!(
            without_cluster(plugin_configuration(file)),
            expected,
            "{file}"
        );
    }
    let first = yaml(&read("envoy/static.yaml"))["static_resources"]["listeners"][0].clone();
    let second = yaml(&read("envoy/xds/listeners.yaml"))["resources"][0].clone();
    for listener in [first, second] {
        let manager = &listener["filter_chains"][0]["filters"][0]["typed_config"];
        let plugin = &manager["http_filters"][0]["typed_config"]["config"];
        let configuration = plugin["configuration"]["value"].clone();
        assert_eq!(without_cluster(configuration), expected);
        assert_eq!(plugin["failure_policy"], "FAIL_RELOAD");
        assert_ne!(plugin["vm_config"]["vm_id"], Value::Null);
    }
}

#[test]
fn istio_makes_the_cluster_that_the_plugin_names_and_it_speaks_tls() {
    for file in ["istio/gateway.yaml", "istio/sidecar.yaml"] {
        let all = Resource::all(file);
        let entry = Resource::only(&all, "ServiceEntry");
        let rule = Resource::only(&all, "DestinationRule");
        let settings = &rule["trafficPolicy"]["portLevelSettings"][0];
        let (host, port) = (&entry["hosts"][0], &entry["ports"][0]);
        let named = plugin_configuration(file)["providers"][0]["jwks"]["cluster"].clone();
        let made = format!(
            "outbound|{}||{}",
            port["number"],
            host.as_str().expect("a host")
        );
        assert_eq!(named, made, "{file}");
        assert_eq!(port["targetPort"], 443);
        assert_eq!(&rule["host"], host);
        assert_eq!(settings["port"]["number"], port["number"]);
        assert_eq!(settings["tls"]["mode"], "SIMPLE");
        assert_eq!(&settings["tls"]["sni"], host);
        assert_eq!(settings["tls"]["subjectAltNames"], json!([host]));
        assert_eq!(settings["tls"]["caCertificates"], "system");
    }
}

/// The checks of requests for all deployments.
#[track_caller]
fn judged(envoy: &Envoy, listener: &str, good: &str) {
    let send =
        |request: &Request| http1::exchange(envoy.listener(listener), request).expect("an answer");
    send(&Request::get("/public")).expect(200);
    send(&Request::get("/me")).expect(401);
    send(&Request::get("/account")).expect(401);
    let claimed = Request::get("/account")
        .bearer(good)
        .header("x-user-id", "root");
    let account = send(&claimed).expect(200).json();
    let users = received(&account, "x-user-id");
    assert_eq!(users.len(), 1);
    assert_ne!(users, ["root"]);
    send(&Request::get("/public/%2Faccount")).expect(400);
    envoy.assert_no_trap();
}

#[test]
fn the_plugins_of_istio_and_envoy_gateway_judge_requests() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::named(ISSUER);
    issuer.answer(JWKS_PATH, Answer::json(&key_set(&[&key])));
    let scopes = json!({"scope": "aws.cognito.signin.user.admin", "client_id": CLIENT});
    let good = key.token(&claims_with(ISSUER, CLIENT, scopes));
    for file in KUBERNETES {
        let configuration = plugin_configuration(file);
        let cluster = configuration["providers"][0]["jwks"]["cluster"].clone();
        let upstream = Echo::start();
        let envoy = Builder::new(upstream.address())
            .cluster(cluster.as_str().expect("a name"), issuer.address())
            // Like Istio, which also sets no `vm_id`.
            .listener(Listener::new("main", EdgeAuthz::new(configuration.clone())))
            // Like Envoy Gateway.
            .listener(Listener::new(
                "text",
                EdgeAuthz::from_text(&configuration.to_string()),
            ))
            .start();
        judged(&envoy, "main", &good);
        judged(&envoy, "text", &good);
    }
}

/// A file with the names of the real pool, the module and the certificate authority of
/// the test, and with ports of the test.
fn localised(text: &str, cognito: &Cognito, pool: &str, client: &str, upstream: &Echo) -> String {
    let authority = cognito.authority().expect("it speaks TLS");
    let address =
        |at: std::net::SocketAddr| format!("{{address: 127.0.0.1, port_value: {}}}", at.port());
    let endpoint = "{address: cognito-idp.us-east-1.amazonaws.com, port_value: 443}";
    let module = tools::module();
    let mut text = text.to_owned();
    for (from, to) in [
        ("us-east-1_EXAMPLE", pool),
        (CLIENT, client),
        (
            "{address: 0.0.0.0, port_value: 8080}",
            "{address: 127.0.0.1, port_value: 0}",
        ),
        (
            "{address: 127.0.0.1, port_value: 9901}",
            "{address: 127.0.0.1, port_value: 0}",
        ),
        (endpoint, &address(cognito.address())),
        (
            "{address: api.internal, port_value: 8081}",
            &address(upstream.address()),
        ),
        (
            "/etc/ssl/certs/ca-certificates.crt",
            &authority.display().to_string(),
        ),
        ("/etc/envoy/edge_authz.wasm", &module.display().to_string()),
    ] {
        text = text.replace(from, to);
    }
    text
}

#[test]
fn envoy_runs_the_static_and_the_discovered_configuration_and_envoy_gateway_s_cluster() {
    let cognito = Cognito::start_with_tls();
    let pool = cognito.user_pool("deployments");
    cognito.sign_up(&pool, "ada", "Passw0rd!");
    let token = cognito.sign_in(&pool, "ada", "Passw0rd!").access;
    let api = Echo::start();
    let local = |text: &str| localised(text, &cognito, &pool.id, &pool.client, &api);

    let envoy = Builder::from_bootstrap(local(&read("envoy/static.yaml"))).start();
    judged(&envoy, "api", &token);

    let scratch = Scratch::new("xds");
    for file in ["listeners.yaml", "clusters.yaml"] {
        scratch.write(file, &local(&read(&format!("envoy/xds/{file}"))));
    }
    let here = scratch.path().display().to_string();
    let bootstrap = local(&read("envoy/xds/envoy.yaml"));
    let bootstrap = replace(&bootstrap, "/etc/envoy/xds", &here);
    let envoy = Builder::from_bootstrap(bootstrap).start();
    judged(&envoy, "api", &token);
    // A new file that is moved there, as the comment says, is loaded.
    let closed = replace(
        &local(&read("envoy/xds/listeners.yaml")),
        "access: public",
        "access: denied",
    );
    fs::rename(
        scratch.write("listeners.new", &closed),
        scratch.path().join("listeners.yaml"),
    )
    .expect("a file below target/");
    let replaced = wait_until(Duration::from_secs(20), || {
        let answer = http1::exchange(envoy.listener("api"), &Request::get("/public"));
        answer
            .is_ok_and(|answer| answer.status == 403)
            .then_some(())
    });
    assert!(replaced.is_some(), "the new listener is not accepted");

    // The cluster that Envoy Gateway merges into its bootstrap, in one configuration.
    let all = Resource::all("envoy-gateway/policy.yaml");
    let part = Resource::only(&all, "EnvoyProxy")["bootstrap"]["value"].clone();
    let part = yaml(&local(part.as_str().expect("text")));
    let mut whole = yaml(&local(&read("envoy/static.yaml")));
    whole["static_resources"]["clusters"][1] = part["static_resources"]["clusters"][0].clone();
    let envoy = Builder::from_bootstrap(whole.to_string()).start();
    judged(&envoy, "api", &token);
}

#[test]
fn what_the_command_renders_is_valid_and_judges_requests() {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::start();
    issuer.publish(&[&key]);
    let api = Echo::start();
    let here = format!("http://{}", issuer.address());
    let keys = issuer.jwks_uri().replacen(issuer.name(), &here, 1);
    let configuration = json!({
        "providers": [{
            "name": "login",
            "issuer": issuer.name(),
            "audiences": [CLIENT],
            "jwks": {"cluster": "login", "uri": keys},
        }],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [
            {"match": "GET /public", "access": "public"},
            {"match": "GET /account", "scopes": ["aws.cognito.signin.user.admin"]},
            {"match": "GET /me"},
        ],
    });
    let rendered = edge_authz_cli::rendered_bootstrap(
        &configuration.to_string(),
        &tools::module().display().to_string(),
        "127.0.0.1:0",
        &api.address().to_string(),
    )
    .expect("a bootstrap");
    // The ports of the machine that runs it.
    let rendered = replace(&rendered, "port_value: 9901", "port_value: 0");
    let ended = Builder::from_bootstrap(rendered.clone()).validate();
    assert!(ended.status.success(), "{}", ended.log);
    let envoy = Builder::from_bootstrap(rendered).start();
    let scopes = json!({"scope": "aws.cognito.signin.user.admin", "client_id": CLIENT});
    let good = key.token(&claims_with(issuer.name(), CLIENT, scopes));
    judged(&envoy, "main", &good);
}
