//! With an invalid configuration Envoy does not start, and the log names the place and
//! the correction.

use serde_json::{Value, json};

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Ended;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::tokens::{TokenMaker, claims};
use crate::world::configuration;

/// Starts Envoy and validates with an invalid configuration. The log of both must have
/// each text in a line of its own.
#[track_caller]
fn refused(plugin: &EdgeAuthz, texts: &[&str]) {
    let issuer = Issuer::start();
    let build = || {
        Builder::new(issuer.address())
            .cluster("issuer", issuer.address())
            .listener(Listener::new("main", plugin.clone()))
    };
    let ended = build().try_start().err().expect("Envoy refuses to start");
    for Ended { status, log } in [ended, build().validate()] {
        assert!(!status.success());
        let errors: Vec<_> = log
            .lines()
            .filter(|line| line.contains("[error]") || line.contains("[critical]"))
            .collect();
        for text in texts {
            assert!(
                errors.iter().any(|line| line.contains(text)),
                "no error line has {text:?}:\n{}",
                errors.join("\n")
            );
        }
    }
}

/// The usual configuration, changed.
fn with(change: impl FnOnce(&mut Value)) -> EdgeAuthz {
    let mut configuration = configuration(&Issuer::start());
    change(&mut configuration);
    EdgeAuthz::new(configuration)
}

#[test]
fn every_error_is_named_at_once_with_its_place_and_its_remedy() {
    let plugin = with(|root| {
        root["provider"] = json!([]);
        root["providers"][0]
            .as_object_mut()
            .unwrap()
            .remove("audiences");
        root["routes"][2]["match"][1] = json!("GET pets");
    });
    refused(
        &plugin,
        &[
            "provider",
            "providers[0]",
            "audiences: any",
            "routes[2].match[1]",
        ],
    );
}

#[test]
fn a_contradiction_is_named() {
    let plugin = with(|root| {
        root["routes"][0]["scopes"] = json!(["a"]);
        root["providers"][0]["jwks"]["inline"] = json!({"keys": []});
    });
    refused(
        &plugin,
        &["routes[0]", "providers[0].jwks", "cluster", "inline"],
    );
}

#[test]
fn no_configuration_is_an_error() {
    refused(&EdgeAuthz::from_text(""), &[]);
}

#[test]
fn text_that_is_not_json_is_refused_with_its_place() {
    refused(&EdgeAuthz::from_text("{\n \"routes\": [}\n"), &["line 2"]);
}

#[test]
fn a_duplicate_member_is_refused() {
    let text = r#"{"routes": [{"match": "$default", "access": "public", "access": "denied"}]}"#;
    refused(&EdgeAuthz::from_text(text), &["access"]);
}

#[test]
fn a_good_configuration_passes_validation_and_fetches_nothing() {
    let issuer = Issuer::start();
    let ended = Builder::new(issuer.address())
        .cluster("issuer", issuer.address())
        .edge_authz(configuration(&issuer))
        .validate();
    assert!(ended.status.success(), "{}", ended.log);
    assert_eq!(issuer.gets(JWKS_PATH), 0);
}

/// A host gives the module 1 GiB. If a worker runs out of it while it configures a
/// listener, the listener serves without the filter. The tables of all these keys would
/// take 1.1 GiB.
#[test]
fn tables_of_any_number_of_keys_leave_memory_for_every_listener() {
    let keys: Vec<_> = (0..8)
        .map(|number| TokenMaker::generate("EdDSA", &format!("key-{number}")))
        .collect();
    let set: Vec<Value> = keys.iter().map(TokenMaker::public_jwk).collect();
    let name = |number: usize| format!("https://issuer-{number}.example");
    let providers: Vec<Value> = (0..540)
        .map(|number| {
            json!({
                "name": format!("p-{number}"),
                "issuer": name(number),
                "audiences": "any",
                "jwks": {"inline": {"keys": set}},
            })
        })
        .collect();
    let upstream = Echo::start();
    let listeners = ["a", "b"];
    let mut builder = Builder::new(upstream.address());
    for realm in listeners {
        let plugin = EdgeAuthz::new(json!({
            "providers": providers,
            "routes": [{"match": "$default"}],
            "responses": {"realm": realm},
        }));
        builder = builder.listener(Listener::new(realm, plugin));
    }
    let envoy = builder.start();
    for listener in listeners {
        let to = envoy.listener(listener);
        let status = |request: &Request| http1::exchange(to, request).expect("an answer").status;
        assert_eq!(status(&Request::get("/a")), 401, "{listener}");
        for number in [0, 539] {
            let token = keys[7].token(&claims(&name(number), "any"));
            let request = Request::get("/a").bearer(&token);
            assert_eq!(status(&request), 200, "{listener}, {number}");
        }
    }
    envoy.assert_no_trap();
}
