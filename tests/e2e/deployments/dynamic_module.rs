//! The deployment files for the dynamic module. Envoy Gateway and Istio are not
//! installed: the tests convert their resources as these would.

use std::fs;
use std::time::Duration;

use serde_json::{Value, json};

use super::resources::Resource;
use super::{CLIENT, ISSUER, JWKS_PATH, judged, localised, read, yaml};
use crate::dynamic_module::only_here;
use crate::support::bootstrap::Builder;
use crate::support::cognito::Cognito;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::{Issuer, key_set};
use crate::support::process::{Scratch, wait_until};
use crate::support::server::Answer;
use crate::support::template::replace;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

const GATEWAY: &str = "envoy-gateway/dynamic-module.yaml";
const ISTIO: &str = "istio/dynamic-module.yaml";

/// Where the files expect the library, whose name contains the version.
fn libraries() -> [String; 2] {
    ["/etc/envoy", "/etc/envoy/modules"]
        .map(|folder| format!("{folder}/libedge_authz-{}.so", env!("CARGO_PKG_VERSION")))
}

/// Replaces the filter's library with the one under test.
fn with_library(filter: &Value) -> Value {
    let built = tools::dynamic_modules().join("libedge_authz.so");
    let text = libraries().iter().fold(filter.to_string(), |text, path| {
        text.replace(path, &built.display().to_string())
    });
    serde_json::from_str(&text).expect("JSON")
}

fn static_file() -> Value {
    yaml(&read("envoy/dynamic-module.yaml"))
}

const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

fn manager(bootstrap: &mut Value) -> &mut Value {
    bootstrap.pointer_mut(MANAGER).expect("a listener")
}

/// The filter as Envoy Gateway writes it: its configuration is text, the filter is
/// disabled, and each route enables it.
fn of_envoy_gateway() -> (Value, Value) {
    let all = Resource::all(GATEWAY);
    let used = Resource::only(&all, "EnvoyExtensionPolicy")["dynamicModule"][0].clone();
    let modules = Resource::only(&all, "EnvoyProxy")["dynamicModules"].clone();
    let module = modules.as_array().expect("a list").iter();
    let module = module.filter(|module| module["name"] == used["name"]);
    let [module] = module.collect::<Vec<_>>()[..] else {
        panic!("the policy names a module that the proxies do not have");
    };
    let name = "envoy.filters.http.dynamic_modules/envoyextensionpolicy/default/edge-authz/dynamic-module/0";
    let filter = json!({
        "name": name,
        "disabled": true,
        "typed_config": {
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
            "dynamic_module_config": {
                "module": {"local": {"filename": module["source"]["local"]["path"]}},
                "do_not_close": module["doNotClose"],
            },
            "filter_name": used["filterName"],
            "filter_config": {
                "@type": "type.googleapis.com/google.protobuf.StringValue",
                "value": used["config"].to_string(),
            },
        },
    });
    let enabled = json!({name: {
        "@type": "type.googleapis.com/envoy.config.route.v3.FilterConfig",
        "config": {},
    }});
    (filter, enabled)
}

/// The filter that the `EnvoyFilter` inserts.
fn of_istio() -> Value {
    let all = Resource::all(ISTIO);
    let patch = Resource::only(&all, "EnvoyFilter")["configPatches"][0].clone();
    assert_eq!(patch["applyTo"], "HTTP_FILTER");
    assert_eq!(patch["patch"]["operation"], "INSERT_FIRST");
    patch["patch"]["value"].clone()
}

/// An issuer with a key, and a token that all files accept.
fn issuer() -> (Issuer, String) {
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::named(ISSUER);
    issuer.answer(JWKS_PATH, Answer::json(&key_set(&[&key])));
    let scopes = json!({"scope": "aws.cognito.signin.user.admin", "client_id": CLIENT});
    let token = key.token(&claims_with(ISSUER, CLIENT, scopes));
    (issuer, token)
}

/// Starts the static file with another filter and with these configurations of routes.
fn start(filter: &Value, of_routes: &Value, api: &Echo, issuer: &Issuer) -> Envoy {
    let mut bootstrap = static_file();
    let document = &filter["typed_config"]["filter_config"]["value"];
    let document = document.as_str().map_or_else(|| document.clone(), yaml);
    let cluster = document["providers"][0]["jwks"]["cluster"].clone();
    let address =
        |at: std::net::SocketAddr| json!({"address": "127.0.0.1", "port_value": at.port()});
    for (index, (name, at)) in [(json!("api"), api.address()), (cluster, issuer.address())]
        .into_iter()
        .enumerate()
    {
        bootstrap["static_resources"]["clusters"][index] = json!({
            "name": name,
            "type": "STATIC",
            "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [
                {"endpoint": {"address": {"socket_address": address(at)}}},
            ]}]},
        });
    }
    for place in ["/admin/address", "/static_resources/listeners/0/address"] {
        let port = bootstrap.pointer_mut(&format!("{place}/socket_address"));
        *port.expect("an address") = json!({"address": "127.0.0.1", "port_value": 0});
    }
    let manager = manager(&mut bootstrap);
    manager["http_filters"][0] = with_library(filter);
    manager["route_config"]["virtual_hosts"][0]["routes"][0]["typed_per_filter_config"] =
        of_routes.clone();
    Builder::from_bootstrap(bootstrap.to_string()).start()
}

#[test]
fn every_file_holds_the_document_of_the_others() {
    let without_cluster = |mut configuration: Value| {
        configuration["providers"][0]["jwks"]["cluster"] = Value::Null;
        configuration
    };
    let expected = without_cluster(super::plugin_configuration(super::KUBERNETES[0]));
    let all = Resource::all(GATEWAY);
    let of_gateway = &Resource::only(&all, "EnvoyExtensionPolicy")["dynamicModule"][0]["config"];
    let mut file = static_file();
    let of_file = &manager(&mut file)["http_filters"][0]["typed_config"];
    for configuration in [
        of_gateway,
        &of_istio()["typed_config"]["filter_config"]["value"],
        &of_file["filter_config"]["value"],
    ] {
        assert_eq!(without_cluster(configuration.clone()), expected);
    }
    for module in [
        &of_file["dynamic_module_config"],
        &of_istio()["typed_config"]["dynamic_module_config"],
        &of_envoy_gateway().0["typed_config"]["dynamic_module_config"],
    ] {
        assert_eq!(module["do_not_close"], true);
        let path = module["module"]["local"]["filename"].as_str();
        assert!(
            path.is_some_and(|path| libraries().iter().any(|one| one == path)),
            "{module}"
        );
    }
}

#[test]
#[ignore = "of the dynamic module"]
fn the_filters_of_istio_and_envoy_gateway_judge_requests() {
    only_here();
    let (issuer, token) = issuer();
    let api = Echo::start();
    let (filter, enabled) = of_envoy_gateway();
    judged(&start(&filter, &enabled, &api, &issuer), "api", &token);
    judged(
        &start(&of_istio(), &json!({}), &api, &issuer),
        "api",
        &token,
    );
}

#[test]
#[ignore = "of the dynamic module"]
fn envoy_runs_the_static_file_and_takes_the_filter_by_discovery() {
    only_here();
    let cognito = Cognito::start_with_tls();
    let pool = cognito.user_pool("deployments");
    cognito.sign_up(&pool, "ada", "Passw0rd!");
    let token = cognito.sign_in(&pool, "ada", "Passw0rd!").access;
    let api = Echo::start();
    let local = |text: &str| localised(text, &cognito, &pool.id, &pool.client, &api);
    let library = |text: &str| with_library(&yaml(&local(text))).to_string();

    let envoy = Builder::from_bootstrap(library(&read("envoy/dynamic-module.yaml"))).start();
    judged(&envoy, "api", &token);

    let scratch = Scratch::new("xds");
    let mut listeners = yaml(&local(&read("envoy/xds/listeners.yaml")));
    let mut file: Value = yaml(&library(&read("envoy/dynamic-module.yaml")));
    let place = MANAGER.replace("/static_resources/listeners/", "/resources/");
    let filter = format!("{place}/http_filters/0");
    *listeners.pointer_mut(&filter).expect("a filter") =
        manager(&mut file)["http_filters"][0].clone();
    scratch.write("listeners.yaml", &listeners.to_string());
    scratch.write("clusters.yaml", &local(&read("envoy/xds/clusters.yaml")));
    let bootstrap = local(&read("envoy/xds/envoy.yaml"));
    let here = scratch.path().display().to_string();
    let bootstrap = replace(&bootstrap, "/etc/envoy/xds", &here);
    let envoy = Builder::from_bootstrap(bootstrap).start();
    judged(&envoy, "api", &token);
    let closed = listeners
        .to_string()
        .replace("\"access\":\"public\"", "\"access\":\"denied\"");
    fs::rename(
        scratch.write("listeners.new", &closed),
        scratch.path().join("listeners.yaml"),
    )
    .expect("a file below target/");
    let replaced = wait_until(Duration::from_secs(20), || {
        let answer = http1::exchange(envoy.listener("api"), &Request::get("/public"));
        let is_replaced = answer.is_ok_and(|answer| answer.status == 403);
        is_replaced.then_some(())
    });
    assert!(replaced.is_some(), "the new listener is not accepted");
}

#[test]
#[ignore = "of the dynamic module"]
fn a_remote_source_serves_requests_unchecked_unless_envoy_may_refuse_it() {
    only_here();
    let api = Echo::start();
    let (issuer, _) = issuer();
    let mut filter = of_istio();
    filter["typed_config"]["dynamic_module_config"]["module"] = json!({"remote": {
        "http_uri": {"uri": "http://modules.example.com/a.so", "cluster": "api", "timeout": "1s"},
        "sha256": "0".repeat(64),
    }});
    // The documentation warns of this. If a later Envoy refuses the request, remove the
    // warning.
    let envoy = start(&filter, &json!({}), &api, &issuer);
    let answer = http1::exchange(envoy.listener("api"), &Request::get("/me"));
    answer.expect("an answer").expect(200);
}
