//! Tests the harness itself, with an Envoy without the filter: it reports what really
//! happened.

use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::bootstrap::{Builder, Filter, Listener};
use crate::support::cognito::Cognito;
use crate::support::echo::{Echo, received, sha256};
use crate::support::http::Request;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Pace};
use crate::support::tokens::{self, TokenMaker};
use crate::support::{http1, http2, template};

#[test]
fn the_upstream_reports_what_reached_it_over_both_protocols() {
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .listener(Listener::plain("main"))
        .start();
    let request = Request::post("/things?x=%2F", vec![7; 300_000])
        .header("x-a", "1")
        .header("x-a", b"\xff")
        .trailer("x-end", "yes");
    for answer in [envoy.send(&request), envoy.send2(&request)] {
        let account = answer.expect(200).json();
        assert_eq!(account["method"], "POST");
        assert_eq!(account["path"], "/things?x=%2F");
        assert_eq!(received(&account, "x-a"), ["1", "\\xff"]);
        assert_eq!(account["body_bytes"], 300_000);
        assert_eq!(account["body_sha256"], sha256(&request.body));
        assert_eq!(account["trailers"], json!([["x-end", "yes"]]));
    }
    assert_eq!(upstream.count(), 2);
    let log = envoy.access_log(2);
    assert_eq!(log[0]["status"], 200);
    assert_eq!(log[0]["details"], "via_upstream");
    assert_eq!(envoy.stat("http.main.downstream_rq_2xx"), 2);
}

#[test]
fn a_request_tells_the_upstream_what_to_answer() {
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .listener(Listener::plain("main"))
        .start();
    let answer = envoy
        .send(
            &Request::get("/")
                .header("x-echo-status", "418")
                .header("x-echo-header", "x-a: 1")
                .header("x-echo-header", "x-a: 2"),
        )
        .expect(418);
    assert_eq!(answer.all("x-a"), ["1", "2"]);
    upstream.answer_with(Answer::new(204, ""));
    envoy.send(&Request::get("/")).expect(204);
}

#[test]
fn http2_sends_what_http1_cannot() {
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .listener(Listener::plain("main"))
        .concurrency(2)
        .start();
    // CONNECT has no path and no scheme; the listener answers it itself.
    let mut connect = Request::new("CONNECT", "");
    connect.target = None;
    assert_eq!(envoy.send2(&connect).status, 418);
    // A header block of several frames.
    let mut large = Request::get("/");
    for number in 0..50 {
        large = large.header(format!("x-large-{number}"), "x".repeat(1000));
    }
    envoy.send2(&large).expect(200);
    // A missing pseudo-header ends the stream, not the test.
    let mut broken = Request::get("/");
    broken.target = None;
    if let Ok(answer) = http2::exchange(envoy.address(), &broken) {
        answer.expect(400);
    }
    envoy.send2(&Request::get("/")).expect(200);
}

#[test]
fn an_envoy_that_cannot_start_says_why() {
    let upstream = Echo::start();
    let build = || Builder::new(upstream.address()).cluster("upstream", upstream.address());
    let ended = build().try_start().err().expect("two clusters of one name");
    assert!(!ended.status.success());
    assert!(ended.log.contains("duplicate"), "{}", ended.log);
    assert!(!build().validate().status.success());
    let good = Builder::new(upstream.address()).validate();
    assert!(good.status.success(), "{}", good.log);
}

#[test]
fn a_reload_replaces_the_listeners_or_leaves_them() {
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .listener(Listener::plain("main"))
        .reloadable()
        .start();
    envoy.send(&Request::get("/")).expect(200);
    let closed = Filter::Other(
        r#"- name: deny
  typed_config:
    "@type": type.googleapis.com/envoy.extensions.filters.http.rbac.v3.RBAC
    rules: {action: DENY, policies: {all: {permissions: [{any: true}], principals: [{any: true}]}}}"#
            .to_owned(),
    );
    assert!(envoy.reload(&[Listener::plain("main").filter(closed)]));
    wait_until(Duration::from_secs(5), || {
        (envoy.send(&Request::get("/")).status == 403).then_some(())
    })
    .expect("the new listener answers");
    let nonsense = Filter::Other("- name: nonsense".to_owned());
    assert!(!envoy.reload(&[Listener::plain("main").filter(nonsense)]));
    envoy.send(&Request::get("/")).expect(403);
}

#[test]
fn an_issuer_misbehaves_as_scripted() {
    let (one, two) = (
        TokenMaker::generate("ES256", "one"),
        TokenMaker::generate("EdDSA", "two"),
    );
    let mut issuer = Issuer::with_keys(&[&one]);
    let get = |path: &str| http1::exchange(issuer.address(), &Request::get(path));
    assert_eq!(get(JWKS_PATH).unwrap().json()["keys"][0]["kid"], "one");
    issuer.publish(&[&two]);
    issuer.answer_once(JWKS_PATH, Answer::new(500, "down"));
    issuer.answer_once(JWKS_PATH, Answer::json(&json!({})).pace(Pace::CutAfter(1)));
    issuer.answer_once(
        JWKS_PATH,
        Answer::new(200, "ok").pace(Pace::Drip(Duration::from_millis(50))),
    );
    assert_eq!(get(JWKS_PATH).unwrap().status, 500);
    assert!(get(JWKS_PATH).is_err());
    let start = Instant::now();
    assert_eq!(get(JWKS_PATH).unwrap().text(), "ok");
    assert!(start.elapsed() >= Duration::from_millis(100));
    assert_eq!(get(JWKS_PATH).unwrap().json()["keys"][0]["kid"], "two");
    assert_eq!(get("/elsewhere").unwrap().status, 404);
    assert_eq!(issuer.gets(JWKS_PATH), 5);
    let address = issuer.address();
    issuer.stop();
    assert!(http1::exchange(address, &Request::get(JWKS_PATH)).is_err());
    issuer.restart();
    assert!(http1::exchange(address, &Request::get(JWKS_PATH)).is_ok());
}

#[test]
fn every_algorithm_makes_tokens_of_the_right_form() {
    let lengths = [
        ("RS256", 256),
        ("PS512", 256),
        ("ES256", 64),
        ("ES384", 96),
        ("ES512", 132),
        ("EdDSA", 64),
        ("HS512", 64),
    ];
    for (algorithm, length) in lengths {
        let maker = TokenMaker::generate(algorithm, "k");
        let token = maker.token(&tokens::claims("https://issuer.example.com", "api"));
        let parts: Vec<_> = token.split('.').collect();
        assert_eq!(parts.len(), 3);
        assert_eq!(tokens::decode(parts[2]).len(), length, "{algorithm}");
        assert_eq!(maker.public_jwk()["alg"], algorithm);
    }
}

#[test]
fn cognito_signs_a_user_in() {
    let cognito = Cognito::start();
    let pool = cognito.user_pool("test");
    let sub = cognito.sign_up(&pool, "ada", "Passw0rd!");
    let tokens = cognito.sign_in(&pool, "ada", "Passw0rd!");
    let claims = |token: &str| -> serde_json::Value {
        let part = token.split('.').nth(1).expect("claims");
        serde_json::from_slice(&tokens::decode(part)).expect("JSON")
    };
    assert_eq!(claims(&tokens.id)["sub"], sub);
    assert_eq!(claims(&tokens.id)["iss"], pool.issuer());
    assert_eq!(claims(&tokens.access)["client_id"], pool.client);
    // The published key matches the key that we sign with.
    let jwks = Request::get(format!("/{}/.well-known/jwks.json", pool.id))
        .authority("cognito-idp.us-east-1.amazonaws.com");
    let published = http1::exchange(cognito.address(), &jwks).unwrap().json();
    let ours = Cognito::signing_key().public_jwk();
    assert_eq!(published["keys"][0]["n"], ours["n"]);
    assert_eq!(published["keys"][0]["kid"], ours["kid"]);
}

#[test]
fn a_template_takes_blocks_and_words() {
    let filled = template::fill(
        "a: {{x}}\nb:\n  {{y}}\n",
        &[("x", "1"), ("y", "c: 2\nd: 3")],
    );
    assert_eq!(filled, "a: 1\nb:\n  c: 2\n  d: 3\n");
}
