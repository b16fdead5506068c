//! Answers that contain no keys, and keys of another issuer.

use std::time::Duration;

use serde_json::json;

use super::many::{Many, for_all};
use super::{get, opens, unavailable};
use crate::support::issuer::{Issuer, JWKS_PATH, key_set};
use crate::support::process::wait_until;
use crate::support::server::{Answer, Pace};
use crate::support::tokens::{TokenMaker, claims};
use crate::world::AUDIENCE;

/// Answers that an issuer may send instead of its keys. `key` would be valid.
fn bad_answers(key: &TokenMaker, elsewhere: &Issuer) -> Vec<(&'static str, Answer)> {
    let keys = || Answer::json(&key_set(&[key]));
    let padded = json!({"keys": [key.public_jwk()], "padding": "x".repeat(2_000_000)});
    let redirect = |status| {
        Answer::redirect(
            status,
            &format!("http://{}{JWKS_PATH}", elsewhere.address()),
        )
    };
    let mut gzip = keys();
    gzip.headers
        .push(("content-encoding".to_owned(), "gzip".to_owned()));
    let with_status = |status| {
        let mut answer = keys();
        answer.status = status;
        answer
    };
    let html = "<!doctype html><title>Sign in</title>";
    vec![
        ("500", with_status(500)),
        ("404", with_status(404)),
        ("203", with_status(203)),
        ("204", Answer::new(204, "")),
        ("301", redirect(301)),
        ("302", redirect(302)),
        ("307", redirect(307)),
        (
            "html",
            Answer::new(200, html).header("content-type", "text/html"),
        ),
        ("empty", Answer::new(200, "")),
        ("object", Answer::json(&json!({}))),
        ("no-keys", Answer::json(&json!({"keys": []}))),
        (
            "useless",
            Answer::json(&json!({"keys": [{"kty": "XYZ", "kid": "key-1"}]})),
        ),
        ("huge", Answer::json(&padded)),
        ("encoded", gzip),
        ("drip", keys().pace(Pace::Drip(Duration::from_secs(1)))),
        ("reset", keys().pace(Pace::CutAfter(20))),
        ("silent", keys().pace(Pace::Hang)),
    ]
}

fn names_of_bad_answers(elsewhere: &Issuer) -> Vec<&'static str> {
    let any = TokenMaker::generate("ES256", "key-1");
    let answers = bad_answers(&any, elsewhere);
    answers.into_iter().map(|(name, _)| name).collect()
}

#[test]
fn an_invalid_key_set_causes_503_until_there_is_a_valid_one() {
    let elsewhere = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
    let names = names_of_bad_answers(&elsewhere);
    let jwks = json!({"timeout": "1s"});
    let many = Many::start(&names, &jwks, |number, issuer, key| {
        issuer.answer(
            JWKS_PATH,
            bad_answers(key, &elsewhere).swap_remove(number).1,
        );
    });
    for_all(&names, |number, name| {
        let answer = get(&many.envoy, &many.token(number));
        assert_eq!(answer.status, 503, "{name}: {answer}");
        unavailable(&answer);
    });
    for (issuer, key) in &many.issuers {
        issuer.publish(&[key]);
    }
    for_all(&names, |number, _| opens(&many.envoy, &many.token(number)));
    assert_eq!(elsewhere.gets(JWKS_PATH), 0, "no redirect is followed");
    many.envoy.assert_no_trap();
}

#[test]
fn an_invalid_key_set_replaces_no_valid_one() {
    let elsewhere = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
    let names = names_of_bad_answers(&elsewhere);
    let jwks = json!({"refresh": "1s", "max_stale": "1h", "timeout": "1s"});
    let many = Many::start(&names, &jwks, |_, _, _| ());
    for_all(&names, |number, _| opens(&many.envoy, &many.token(number)));
    let gets = |number: usize| many.issuers[number].0.gets(JWKS_PATH);
    let before: Vec<_> = (0..names.len()).map(gets).collect();
    for (number, (issuer, key)) in many.issuers.iter().enumerate() {
        issuer.answer(
            JWKS_PATH,
            bad_answers(key, &elsewhere).swap_remove(number).1,
        );
    }
    for_all(&names, |number, name| {
        // The second of two fetches was sent after the first had failed.
        let failed = wait_until(Duration::from_secs(15), || {
            let answer = get(&many.envoy, &many.token(number));
            assert_eq!(answer.status, 200, "{name}: {answer}");
            (gets(number) >= before[number] + 2).then_some(())
        });
        failed.unwrap_or_else(|| panic!("{name}: no second try"));
        // On every worker, with only one issuer's keys each.
        for _ in 0..8 {
            get(&many.envoy, &many.token(number)).expect(200);
        }
    });
    assert_eq!(elsewhere.gets(JWKS_PATH), 0, "no redirect is followed");
    many.envoy.assert_no_trap();
}

#[test]
fn issuers_that_name_their_keys_alike_are_not_mixed_up() {
    let many = Many::start(&["one", "two"], &json!({}), |_, _, _| ());
    let [(one, first), (two, second)] = many.issuers.as_slice() else {
        panic!("two issuers");
    };
    for (issuer, key, due) in [
        (one, first, 200),
        (two, second, 200),
        (one, second, 401),
        (two, first, 401),
    ] {
        let token = key.token(&claims(issuer.name(), AUDIENCE));
        get(&many.envoy, &token).expect(due);
    }
}
