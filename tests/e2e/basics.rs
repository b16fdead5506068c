//! One request at a time: each kind of route, token and refusal once. The case files
//! cover all inputs; these tests show that the module, Envoy and the issuer work
//! together.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::echo::received;
use crate::support::envoy::Envoy;
use crate::support::http::{Request, Response};
use crate::support::tokens::{self, TokenMaker, claims_with};
use crate::world::{AUDIENCE, World};

fn message(answer: &Response) -> String {
    answer.json()["message"].as_str().expect("text").to_owned()
}

fn challenge(answer: &Response) -> String {
    answer.header("www-authenticate").unwrap_or_default()
}

#[test]
fn a_public_route_needs_no_token_and_leaves_credentials_alone() {
    let world = World::start();
    let answer = world
        .envoy
        .send(&Request::get("/public/a?b=c").header("authorization", "Basic eDp5"))
        .expect(200)
        .json();
    assert_eq!(answer["path"], "/public/a?b=c");
    assert_eq!(received(&answer, "authorization"), ["Basic eDp5"]);
}

#[test]
fn a_private_route_answers_401_without_a_token_and_forwards_with_a_good_one() {
    let world = World::start();
    for send in [Envoy::send, Envoy::send2] {
        let refused = send(&world.envoy, &Request::get("/private/a")).expect(401);
        assert_eq!(refused.text(), r#"{"message":"Unauthorized"}"#);
        assert_eq!(challenge(&refused), r#"Bearer realm="api""#);
        let token = world.token(json!({}));
        send(&world.envoy, &Request::get("/private/a").bearer(&token)).expect(200);
    }
    world.envoy.assert_no_trap();
}

#[test]
fn the_upstream_gets_the_verified_identity_and_nothing_forged() {
    let world = World::start();
    let claimed = |request: Request| {
        request
            .header("x-user-id", "root")
            .header("X-User-Id", "admin")
            .header("x_user_id", "root")
            .header("x-user_id", "root")
            .header("x.user.id", "root")
    };
    let public = world
        .envoy
        .send(&claimed(Request::get("/public/a")))
        .expect(200)
        .json();
    let token = world.token(json!({}));
    let private = world
        .envoy
        .send(&claimed(Request::get("/private/a").bearer(&token)))
        .expect(200)
        .json();
    for name in ["x_user_id", "x-user_id", "x.user.id"] {
        assert!(received(&public, name).is_empty(), "{name}");
        assert!(received(&private, name).is_empty(), "{name}");
    }
    assert!(received(&public, "x-user-id").is_empty());
    assert_eq!(received(&private, "x-user-id"), ["user-1"]);
    assert!(received(&private, "authorization").is_empty());
}

#[test]
fn scopes_decide_between_403_and_200() {
    let world = World::start();
    let get = |path: &str, scope: &str| {
        let token = world.token(json!({"scope": scope}));
        world.envoy.send(&Request::get(path).bearer(&token))
    };
    get("/pets/1", "openid pets:read").expect(200);
    get("/pets", "pets:read").expect(200);
    let refused = get("/pets/1", "openid pets:reader").expect(403);
    assert_eq!(refused.text(), r#"{"message":"Forbidden"}"#);
    let challenge = challenge(&refused);
    assert!(challenge.starts_with(r#"Bearer realm="api", error="insufficient_scope""#));
    assert!(challenge.contains(r#", scope="pets:read""#), "{challenge}");
    let token = world.token(json!({"scope": "pets:read"}));
    let delete = Request::new("DELETE", "/pets/1").bearer(&token);
    world.envoy.send(&delete).expect(403);
}

#[test]
fn refusals_that_no_token_can_avoid_are_distinguished() {
    let world = World::start();
    let token = world.token(json!({}));
    let answers = [
        (Request::get("/elsewhere"), 404, "Not Found"),
        (Request::get("/closed"), 403, "Forbidden"),
        (Request::get("/private/../public/a"), 400, "Bad Request"),
        (Request::get("/private//a"), 400, "Bad Request"),
        (Request::get("/public/%2e%2e/private/a"), 400, "Bad Request"),
    ];
    for (request, status, text) in answers {
        for send in [Envoy::send, Envoy::send2] {
            let answer = send(&world.envoy, &request.clone().bearer(&token)).expect(status);
            assert_eq!(message(&answer), text);
            assert_eq!(challenge(&answer), "");
        }
    }
    assert_eq!(world.upstream.count(), 0);
}

#[test]
fn a_preflight_is_answered_by_the_filter() {
    let world = World::start();
    let ask = |origin: &str, method: &str| {
        world
            .envoy
            .send(&Request::preflight("/private/a", origin, method))
    };
    let allowed = ask("https://app.example.com", "GET").expect(204);
    let header = |name: &str| allowed.header(name).unwrap_or_default();
    assert_eq!(
        header("access-control-allow-origin"),
        "https://app.example.com"
    );
    assert_eq!(header("access-control-max-age"), "7200");
    assert!(header("vary").starts_with("Origin"), "{allowed}");
    let refused = ask("https://evil.example", "GET").expect(403);
    assert_eq!(refused.header("access-control-allow-origin"), None);
    assert_eq!(world.upstream.count(), 0);
}

#[test]
fn a_page_can_read_answers_and_errors_alike() {
    let world = World::start();
    let from_page = |path: &str| {
        world.envoy.send(
            &Request::get(path)
                .header("origin", "https://app.example.com")
                .header("x-echo-header", "access-control-allow-origin: *")
                .header("x-echo-header", "vary: Accept"),
        )
    };
    for (path, status) in [("/public/a", 200), ("/private/a", 401), ("/nowhere", 404)] {
        let answer = from_page(path).expect(status);
        assert_eq!(
            answer.all("access-control-allow-origin"),
            ["https://app.example.com"]
        );
        let vary = answer.all("vary").join(",");
        assert_eq!(vary.matches("Origin").count(), 1, "{vary}");
    }
}

#[test]
fn a_token_that_is_not_good_is_401_invalid_token() {
    let world = World::start();
    let stranger = TokenMaker::generate("RS256", "key-1");
    let good = world.token(json!({}));
    let signed = |more| world.token(more);
    let now = tokens::now();
    let (head, signature) = good.rsplit_once('.').expect("a signature");
    let claims = tokens::claims(world.issuer.name(), AUDIENCE);
    let mut other = signature.to_owned();
    other.replace_range(
        ..2,
        if signature.starts_with("AA") {
            "BB"
        } else {
            "AA"
        },
    );
    let bad = [
        ("expired", signed(json!({"exp": now - 3600}))),
        ("not yet", signed(json!({"nbf": now + 3600}))),
        ("no end", signed(json!({"exp": null}))),
        ("another audience", signed(json!({"aud": "web"}))),
        (
            "another issuer",
            signed(json!({"iss": "https://evil.example"})),
        ),
        ("another signature", format!("{head}.{other}")),
        ("no signature", format!("{head}.")),
        ("another key", stranger.token(&claims)),
        (
            "alg none",
            format!(
                "{}.{}.",
                tokens::encode(r#"{"alg":"none"}"#),
                tokens::encode(claims.to_string())
            ),
        ),
        ("two parts", head.to_owned()),
        ("five parts", format!("{good}.a.b")),
        (
            "a refresh token",
            "dcd135bc-dc69-45ca-a659-4292ce996b1e".to_owned(),
        ),
        ("too long", format!("{head}.{}", "A".repeat(20_000))),
    ];
    for (what, token) in bad {
        let answer = world.envoy.send(&Request::get("/private/a").bearer(&token));
        assert_eq!(answer.status, 401, "{what}");
        assert_eq!(message(&answer), "Unauthorized", "{what}");
        let challenge = challenge(&answer);
        let start = r#"Bearer realm="api", error="invalid_token", error_description=""#;
        assert!(challenge.starts_with(start), "{what}: {challenge}");
    }
    world
        .envoy
        .send(&Request::get("/private/a").bearer(&good))
        .expect(200);
    assert_eq!(world.upstream.count(), 1);
}

#[test]
fn credentials_that_can_be_read_two_ways_are_400() {
    let world = World::start();
    let token = world.token(json!({}));
    let twice = Request::get("/private/a").bearer(&token).bearer(&token);
    let empty = Request::get("/private/a").header("authorization", "Bearer");
    for request in [twice, empty] {
        let answer = world.envoy.send(&request).expect(400);
        assert!(challenge(&answer).contains(r#"error="invalid_request""#));
    }
    // Another scheme is not a token.
    let basic = Request::get("/private/a").header("authorization", "Basic eDp5");
    assert_eq!(
        challenge(&world.envoy.send(&basic).expect(401)),
        r#"Bearer realm="api""#
    );
}

#[test]
fn every_asymmetric_algorithm_works_in_the_module() {
    let world = World::start();
    let algorithms = [
        "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    ];
    let makers: Vec<_> = algorithms
        .iter()
        .map(|algorithm| TokenMaker::generate(algorithm, &format!("of-{algorithm}")))
        .collect();
    world.issuer.publish(&makers.iter().collect::<Vec<_>>());
    let claims = claims_with(world.issuer.name(), AUDIENCE, json!({}));
    for (maker, algorithm) in makers.iter().zip(algorithms) {
        let token = maker.token(&claims);
        let answer = world.envoy.send(&Request::get("/private/a").bearer(&token));
        assert_eq!(answer.status, 200, "{algorithm}: {answer}");
    }
    world.envoy.assert_no_trap();
}

#[test]
fn metrics_and_access_log_name_the_reason() {
    let world = World::start();
    let token = world.token(json!({}));
    world
        .envoy
        .send(&Request::get("/private/a").bearer(&token))
        .expect(200);
    world.envoy.send(&Request::get("/private/a")).expect(401);
    let log = world.envoy.access_log(2);
    let of = |status: u16| {
        log.iter()
            .find(|entry| entry["status"] == status)
            .expect("logged")
    };
    assert_eq!(of(200)["subject"], "user-1");
    assert_eq!(of(200)["provider"], "main");
    assert_eq!(of(200)["issuer"], world.issuer.name());
    assert_ne!(of(401)["details"], "");
    let two = |counted: &BTreeMap<String, u64>| counted.values().sum::<u64>() == 2;
    let counted = world.envoy.stats_once("edge_authz.requests", two);
    assert!(two(&counted), "{counted:?}");
}
