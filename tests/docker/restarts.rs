//! Containers that restart: the issuer with other keys, Envoy without keys.

use std::time::Duration;

use crate::compose::{ENVOY, ISSUER, Services};
use crate::engine::docker;
use crate::outages::{opens, settle};
use crate::requests::a_forged_token_is_refused;
use crate::support::http::Request;
use crate::support::process::wait_until;
use crate::tokens::{forged, me, nothing_passes, sign_in, unavailable};

#[test]
fn an_issuer_that_comes_back_with_other_keys_refuses_only_the_old_tokens() {
    let services = Services::start();
    let old = sign_in(&services);
    settle(&services, &old);
    let before = services.container(ISSUER);
    services.compose(&[
        "up",
        "--detach",
        "--no-build",
        "--no-deps",
        "--force-recreate",
        ISSUER,
    ]);
    assert_ne!(services.container(ISSUER), before);
    services.ready();
    // No worker has seen the new key: the old one is still accepted.
    services.send(&me(&old.access)).expect(200);
    let new = sign_in(&services);
    // It is never 401, not even the first time.
    opens(&services, &new.access);
    for _ in 0..20 {
        let again = sign_in(&services);
        services.send(&me(&again.id)).expect(200);
    }
    // All workers have it within a second.
    let refused = wait_until(Duration::from_secs(30), || {
        let answers: Vec<_> = (0..8)
            .map(|_| services.send(&me(&old.access)).status)
            .collect();
        assert!(
            answers
                .iter()
                .all(|status| matches!(status, 200 | 401 | 503)),
            "{answers:?}"
        );
        answers.iter().all(|&status| status == 401).then_some(())
    });
    assert!(refused.is_some(), "the old key is still accepted");
    services.send(&me(&new.access)).expect(200);
    nothing_passes(&services, &new);
    services.assert_no_trap();
}

#[test]
fn an_issuer_that_is_restarted_with_its_keys_is_not_noticed() {
    let services = Services::start();
    let tokens = sign_in(&services);
    settle(&services, &tokens);
    docker(&["restart", "--time", "0", &services.container(ISSUER)]);
    for _ in 0..20 {
        services.send(&me(&tokens.access)).expect(200);
    }
    services.ready();
    let again = sign_in(&services);
    services.send(&me(&again.access)).expect(200);
    services.assert_no_trap();
}

#[test]
fn an_envoy_that_starts_without_an_issuer_refuses_all_requests_until_it_is_up() {
    let services = Services::start();
    let tokens = sign_in(&services);
    settle(&services, &tokens);
    services.stop(ISSUER);
    docker(&["restart", "--time", "0", &services.container(ENVOY)]);
    let public = || services.send(&Request::get("/public"));
    wait_until(Duration::from_mins(1), || {
        let answer = crate::support::http1::exchange(services.envoy(), &Request::get("/public"));
        answer
            .is_ok_and(|answer| answer.status == 200)
            .then_some(())
    })
    .expect("Envoy starts without the issuer");
    // The issuer of the tokens cannot be verified.
    unavailable(&services.send(&me(&tokens.access)));
    unavailable(&services.send(&me(&forged())));
    nothing_passes(&services, &tokens);
    public().expect(200);
    services.resume(ISSUER);
    opens(&services, &tokens.access);
    a_forged_token_is_refused(services.envoy());
    nothing_passes(&services, &tokens);
    services.assert_no_trap();
}
