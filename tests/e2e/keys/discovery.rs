//! The place of the keys according to an issuer's metadata.

use serde_json::json;

use super::many::{Many, for_all};
use super::{discovering, get, opens, settle, unavailable, workers};
use crate::support::issuer::{DISCOVERY_PATH, Issuer, JWKS_PATH};
use crate::support::server::Answer;
use crate::support::tokens::TokenMaker;
use crate::world::World;

#[test]
fn discovery_finds_the_key_set_with_one_request_each() {
    let world = World::with(discovering, workers);
    settle(&world);
    assert_eq!(world.issuer.gets(DISCOVERY_PATH), 1);
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
}

#[test]
fn discovery_tries_the_location_of_rfc_8414_after_any_4xx() {
    const OTHER: &str = "/.well-known/oauth-authorization-server";
    for status in [404, 403] {
        let world = World::with(
            |issuer| {
                issuer.answer(DISCOVERY_PATH, Answer::new(status, "not here"));
                let metadata = json!({"issuer": issuer.name(), "jwks_uri": issuer.jwks_uri()});
                issuer.answer(OTHER, Answer::json(&metadata));
                discovering(issuer)
            },
            workers,
        );
        settle(&world);
        assert_eq!(world.issuer.gets(DISCOVERY_PATH), 1, "{status}");
        assert_eq!(world.issuer.gets(OTHER), 1, "{status}");
    }
}

#[test]
fn discovery_accepts_no_other_issuer_and_no_other_place() {
    let elsewhere = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
    let there = elsewhere.address();
    let wrong = |name: &str, issuer: &Issuer| {
        let (iss, here) = (issuer.name(), issuer.jwks_uri());
        match name {
            "mix-up" => json!({"issuer": "https://other.example.com", "jwks_uri": here}),
            "slash" => json!({"issuer": format!("{iss}/"), "jwks_uri": here}),
            "no-issuer" => json!({"jwks_uri": here}),
            "no-place" => json!({"issuer": iss}),
            "elsewhere" => json!({"issuer": iss, "jwks_uri": format!("http://{there}{JWKS_PATH}")}),
            "userinfo" => json!({"issuer": iss, "jwks_uri": here.replace("://", "://a@")}),
            other => panic!("{other} is not scripted"),
        }
    };
    let names = [
        "mix-up",
        "slash",
        "no-issuer",
        "no-place",
        "elsewhere",
        "userinfo",
    ];
    let jwks = json!({"uri": null, "timeout": "1s"});
    let many = Many::start(&names, &jwks, |number, issuer, _| {
        let metadata = wrong(names[number], issuer);
        issuer.answer(DISCOVERY_PATH, Answer::json(&metadata));
    });
    for_all(&names, |number, name| {
        let answer = get(&many.envoy, &many.token(number));
        assert_eq!(answer.status, 503, "{name}: {answer}");
        unavailable(&answer);
        let issuer = &many.issuers[number].0;
        assert!(issuer.gets(DISCOVERY_PATH) >= 1, "{name}");
        assert_eq!(issuer.gets(JWKS_PATH), 0, "{name}");
    });
    assert_eq!(elsewhere.gets(JWKS_PATH), 0);
    // With the correct metadata, requests pass.
    for (issuer, _) in &many.issuers {
        let metadata = json!({"issuer": issuer.name(), "jwks_uri": issuer.jwks_uri()});
        issuer.answer(DISCOVERY_PATH, Answer::json(&metadata));
    }
    for_all(&names, |number, _| {
        opens(&many.envoy, &many.token(number));
    });
    many.envoy.assert_no_trap();
}
