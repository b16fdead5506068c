//! Issuers that are stopped, paused or disconnected, and an upstream that is down.

use std::time::{Duration, Instant};

use crate::compose::{ENVOY, ISSUER, Services, UPSTREAM};
use crate::engine::docker;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::process::wait_until;
use crate::tokens::{ORIGIN, Tokens, forged, me, nothing_passes, readable, sign_in, unavailable};

/// A refresh each second, so that an outage shows soon.
const IMPATIENT: (&str, &str) = ("refresh: 10m", "refresh: 1s");

/// Less than `timeout`: no request has waited for a fetch.
const AT_ONCE: Duration = Duration::from_secs(4);

#[test]
fn a_stopped_issuer_causes_no_refusal() {
    an_outage_causes_no_refusal(
        |services| services.stop(ISSUER),
        |services| services.resume(ISSUER),
    );
}

#[test]
fn a_paused_issuer_causes_no_refusal() {
    // Connections to it open, but stay unanswered.
    an_outage_causes_no_refusal(
        |services| drop(docker(&["pause", &services.container(ISSUER)])),
        |services| drop(docker(&["unpause", &services.container(ISSUER)])),
    );
}

#[test]
fn a_disconnected_issuer_causes_no_refusal() {
    an_outage_causes_no_refusal(
        |services| {
            let (network, issuer) = (services.private_network(), services.container(ISSUER));
            docker(&["network", "disconnect", &network, &issuer]);
            // The issuer still works for others.
            sign_in(services);
        },
        |services| {
            let (network, issuer) = (services.private_network(), services.container(ISSUER));
            docker(&["network", "connect", "--alias", ISSUER, &network, &issuer]);
        },
    );
}

fn an_outage_causes_no_refusal(begin: fn(&Services), end: fn(&Services)) {
    let services = Services::with(&[IMPATIENT], 1);
    let tokens = sign_in(&services);
    settle(&services, &tokens);
    begin(&services);
    let (at, start) = (services.envoy(), Instant::now());
    let mut answered = 0;
    // By the end a refresh has failed, and no request was affected.
    let failed = || services.log(ENVOY).contains("the last good keys are used");
    while start.elapsed() < Duration::from_secs(5) || !failed() {
        assert!(start.elapsed() < Duration::from_mins(1), "no refresh fails");
        for request in [me(&tokens.access), me(&tokens.id)] {
            let asked = Instant::now();
            let answer = http1::exchange(at, &request).expect("an answer");
            readable(&answer.expect(200));
            assert!(asked.elapsed() < AT_ONCE, "{:?}", asked.elapsed());
            answered += 1;
        }
        std::thread::sleep(Duration::from_millis(10));
    }
    assert!(answered >= 10, "{answered} requests");
    // Without the issuer, it is unknown whether this key exists.
    unavailable(&services.send(&me(&forged())));
    nothing_passes(&services, &tokens);
    end(&services);
    // Now the issuer confirms that it does not.
    let refused = wait_until(Duration::from_secs(90), || {
        let answer = services.send(&me(&forged()));
        assert!(matches!(answer.status, 401 | 503), "{answer}");
        services.send(&me(&tokens.access)).expect(200);
        (answer.status == 401).then_some(())
    });
    assert!(refused.is_some(), "the issuer is not seen again");
    nothing_passes(&services, &tokens);
    services.assert_no_trap();
}

#[test]
fn keys_that_are_too_old_are_not_used_until_the_issuer_is_back() {
    let short = ("max_stale: 24h", "max_stale: 3s");
    let services = Services::with(&[IMPATIENT, short], 1);
    let tokens = sign_in(&services);
    settle(&services, &tokens);
    services.stop(ISSUER);
    let too_old = wait_until(Duration::from_secs(15), || {
        let answer = services.send(&me(&tokens.access));
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        (answer.status == 503).then_some(answer)
    });
    unavailable(&too_old.expect("keys of the last good fetch for ever"));
    // On every worker, after a short time.
    std::thread::sleep(Duration::from_secs(1));
    for _ in 0..4 {
        unavailable(&services.send(&me(&tokens.access)));
    }
    nothing_passes(&services, &tokens);
    services.resume(ISSUER);
    opens(&services, &tokens.access);
    nothing_passes(&services, &tokens);
    services.assert_no_trap();
}

#[test]
fn a_missing_upstream_is_a_503_of_envoy_that_the_page_can_read() {
    let services = Services::start();
    let tokens = sign_in(&services);
    settle(&services, &tokens);
    services.stop(UPSTREAM);
    // First the connection fails, then there is no address at all.
    for _ in 0..6 {
        let answer = services.send(&me(&tokens.access)).expect(503);
        readable(&answer);
        assert_eq!(answer.header("retry-after"), None, "{answer}");
        services
            .send(&Request::preflight("/me", ORIGIN, "GET"))
            .expect(204);
        nothing_passes(&services, &tokens);
        std::thread::sleep(Duration::from_millis(500));
    }
    services.resume(UPSTREAM);
    opens(&services, &tokens.access);
    services.assert_no_trap();
}

/// Waits until both workers have keys.
#[track_caller]
pub(crate) fn settle(services: &Services, tokens: &Tokens) {
    opens(services, &tokens.access);
    let all = wait_until(Duration::from_secs(5), || {
        let all = (0..8).all(|_| services.send(&me(&tokens.id)).status == 200);
        all.then_some(())
    });
    assert!(all.is_some(), "not all workers have keys");
}

/// Waits until the token is accepted. Until then it is never called invalid.
#[track_caller]
pub(crate) fn opens(services: &Services, token: &str) {
    let opened = wait_until(Duration::from_mins(1), || {
        let answer = services.send(&me(token));
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        readable(&answer);
        (answer.status == 200).then_some(())
    });
    assert!(opened.is_some(), "still no keys");
}
