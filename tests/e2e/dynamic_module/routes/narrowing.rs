//! A request passes only if the listener's document and the route's configuration allow
//! it.

use serde_json::json;

use super::only_here;
use super::stage::{PAGE, Stage, all_hosts, config, route};
use crate::support::echo::received;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::world::configuration;

/// The answers over both protocols, which must have the same status.
#[track_caller]
fn both(envoy: &Envoy, request: &Request, status: u16) -> [Response; 2] {
    [envoy.send(request), envoy.send2(request)].map(|answer| answer.expect(status))
}

#[test]
#[ignore = "of the dynamic module"]
fn a_route_refuses_what_the_listener_allows_and_allows_nothing_that_it_refuses() {
    only_here();
    let stage = Stage::new();
    let open = json!({"routes": [{"match": "$default", "access": "public"}]});
    let envoy = stage.start(&[
        route("/public/closed", Some(config(&json!({"mode": "denied"})))),
        route("/private/open", Some(config(&open))),
        route("/private/plain", Some(config(&json!({"mode": "enforce"})))),
        route("/private/tenant", Some(config(&stage.second_document()))),
        route("/public/tenant", Some(config(&stage.second_document()))),
        route("/", None),
    ]);
    let token = stage.token();
    let tenant = stage.second_token();
    let get = |path: &str| Request::get(path).header("origin", PAGE);
    let with = |path: &str| get(path).bearer(&token);
    let with_both = |path: &str| with(path).header("x-tenant-token", &tenant);
    for (request, status) in [
        (get("/public/a"), 200),
        (get("/public/closed"), 403),
        (with("/public/closed"), 403),
        (get("/private/open"), 401),
        (with("/private/open"), 200),
        (get("/private/plain"), 401),
        (with("/private/plain"), 200),
        (get("/private/tenant"), 401),
        (with("/private/tenant"), 401),
        (
            get("/private/tenant").header("x-tenant-token", &tenant),
            401,
        ),
        (with_both("/private/tenant"), 200),
        (get("/public/tenant"), 401),
        (with("/public/tenant"), 401),
        (get("/public/tenant").header("x-tenant-token", &tenant), 200),
        // Invalid tokens for one of the documents.
        (
            with("/private/tenant").header("x-tenant-token", &token),
            401,
        ),
        (
            get("/private/tenant")
                .bearer(&tenant)
                .header("x-tenant-token", &tenant),
            401,
        ),
        // The listener's rules for paths and routes apply too.
        (with_both("/private/tenant/..%2fa"), 400),
        (with_both("/nowhere"), 404),
    ] {
        for answer in both(&envoy, &request, status) {
            // Errors can be read by the pages that the listener allows.
            let allowed = answer.all("access-control-allow-origin");
            assert_eq!(allowed, [PAGE], "{request:?}: {answer}");
        }
    }
    let preflight = Request::preflight("/public/closed", PAGE, "GET");
    both(&envoy, &preflight, 204);
    let denied = "wasmcustom.edge_authz.requests.denied.none";
    let stats = envoy.stats_once(denied, |stats| stats.get(denied) == Some(&4));
    assert_eq!(stats.get(denied), Some(&4));
    envoy.assert_no_trap();
}

#[test]
#[ignore = "of the dynamic module"]
fn the_upstream_receives_what_both_documents_say_and_the_listeners_identity() {
    only_here();
    let stage = Stage::new();
    let mut document = stage.second_document();
    document["telemetry"] = json!({"filter_state": ["subject", "reason", "provider"]});
    let envoy = stage.start(&[route("/", Some(config(&document)))]);
    let (token, tenant) = (stage.token(), stage.second_token());
    let request = |path: &str| {
        Request::post(path, "body")
            .header("x-tenant-token", &tenant)
            .header("x-user-id", "mallory")
            .header("x_tenant", "mallory")
            .trailer("x-user-id", "mallory")
            .trailer("x-tenant", "mallory")
            .trailer("x-tenant-token", "mallory")
            .trailer("x-kept", "1")
    };
    for answer in both(&envoy, &request("/private/a").bearer(&token), 200) {
        let account = answer.json();
        assert_eq!(received(&account, "x-user-id"), ["alice"]);
        assert_eq!(received(&account, "x-tenant"), ["tenant-7"]);
        assert_eq!(account["trailers"], json!([["x-kept", "1"]]));
        for gone in ["authorization", "x-tenant-token", "x_tenant"] {
            assert_eq!(received(&account, gone), [""; 0], "{gone}");
        }
    }
    // On a public route, only the other document identifies the client. The header is
    // that of the listener's document nevertheless.
    for answer in both(&envoy, &request("/public/a"), 200) {
        let account = answer.json();
        assert_eq!(received(&account, "x-user-id"), [""; 0]);
        assert_eq!(received(&account, "x-tenant"), ["tenant-7"]);
    }
    let log = envoy.access_log(4);
    let seen: Vec<_> = log
        .iter()
        .map(|entry| (&entry["subject"], &entry["provider"]))
        .collect();
    assert_eq!(seen[0], (&json!("alice"), &json!("main")));
    assert_eq!(seen[2], (&json!("tenant-7"), &json!("second")));
}

#[test]
#[ignore = "of the dynamic module"]
fn the_most_specific_configuration_counts_alone() {
    only_here();
    let stage = Stage::new();
    let denied = config(&json!({"mode": "denied"}));
    let enforced = config(&json!({"mode": "enforce"}));
    let routes = [route("/public/lifted", Some(enforced)), route("/", None)];
    let mut hosts = all_hosts(&routes);
    hosts[0]["typed_per_filter_config"] = json!({"edge_authz": denied});
    let envoy = stage.builder(&hosts).start();
    both(&envoy, &Request::get("/public/lifted"), 200);
    both(&envoy, &Request::get("/public/a"), 403);
    both(
        &envoy,
        &Request::get("/private/a").bearer(&stage.token()),
        403,
    );
}

#[test]
#[ignore = "of the dynamic module"]
fn origins_are_allowed_by_both_documents() {
    only_here();
    let stage = Stage::new();
    let mut listener = configuration(&stage.issuer);
    listener["cors"]["allow_origins"] = json!([PAGE, "https://other.example.com"]);
    let own = json!({
        "routes": [{"match": "$default", "access": "public"}],
        "cors": {"allow_origins": [PAGE, "https://evil.example.com"], "allow_methods": ["GET"]},
    });
    let routes = [route("/public/own", Some(config(&own))), route("/", None)];
    let envoy = stage.builder_with(&listener, &all_hosts(&routes)).start();
    for (origin, allowed) in [
        (PAGE, true),
        ("https://other.example.com", false),
        ("https://evil.example.com", false),
    ] {
        let expected: &[&str] = if allowed { &[origin] } else { &[] };
        let get = Request::get("/public/own").header("origin", origin);
        for answer in both(&envoy, &get, 200) {
            assert_eq!(answer.all("access-control-allow-origin"), expected);
            assert_eq!(answer.all("vary"), ["Origin"]);
        }
        let preflight = Request::preflight("/public/own", origin, "GET");
        for answer in both(&envoy, &preflight, if allowed { 204 } else { 403 }) {
            assert_eq!(answer.all("access-control-allow-origin"), expected);
        }
    }
}
