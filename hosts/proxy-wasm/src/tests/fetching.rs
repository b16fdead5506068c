//! Fetched keys, and the requests that wait for them.

use std::time::Duration;

use super::issuer::{Issuer, fetched};
use super::proxy::{
    answer, body, configure, forwarded, leave, metric, next_sent, no_answer, outcome, pass,
    request, respond, sent, status_of, tick, trailers, trailers_of,
};
use super::world::{
    Call, Failure, Fault, Outcome, Phase, START, Sent, fields, in_worker, values, with_world,
};

const ROOT: u32 = 1;

type Headers<'a> = &'a [(&'a str, &'a str)];

fn with_filter(test: impl FnOnce(&Issuer) + Send) {
    in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        test(&Issuer::new("k1"));
    });
}

fn private(token: &str) -> u32 {
    let token = format!("Bearer {token}");
    request(
        ROOT,
        &[
            (":method", "POST"),
            (":path", "/private"),
            (":authority", "api.example"),
            ("authorization", &token),
            ("x-user-id", "mallory"),
            ("origin", "https://app.example"),
        ],
    )
}

fn serve(sent: &Sent, issuer: &Issuer) {
    let headers = [
        ("content-type", "application/json"),
        ("cache-control", "max-age=300"),
    ];
    answer(sent, 200, &headers, &issuer.jwks().to_string());
}

/// Makes a call fail in this phase from now on.
fn fail(call: Call, phase: Phase, status: u32) {
    with_world(|world| {
        world.fault = Some(Fault {
            call,
            failure: Failure::Status(status),
            phase,
            after: 0,
        });
    });
}

fn waits(id: u32) -> bool {
    matches!(outcome(id), Outcome::Waits)
}

#[test]
fn the_first_fetch_starts_by_itself_and_uses_the_configured_uri() {
    with_filter(|_| {
        assert!(
            sent().is_empty(),
            "a trial of the configuration asks nobody"
        );
        let sent = next_sent(ROOT);
        assert_eq!(sent.cluster, "idp");
        for (name, value) in [
            (":method", "GET"),
            (":scheme", "https"),
            (":authority", "issuer.example"),
            (":path", "/jwks.json"),
            ("accept-encoding", "identity"),
            (
                "user-agent",
                concat!("edge-authz/", env!("CARGO_PKG_VERSION")),
            ),
        ] {
            assert_eq!(values(&sent.headers, name), [value]);
        }
        assert_eq!(values(&sent.headers, "cache-control"), [""; 0]);
        assert_eq!(sent.timeout, 5000);
    });
}

#[test]
fn an_early_refresh_makes_caches_revalidate() {
    with_filter(|issuer| {
        serve(&next_sent(ROOT), issuer);
        let new = Issuer::new("k2");
        let id = private(&new.token(START));
        assert!(waits(id));
        let asked = next_sent(ROOT);
        assert_eq!(values(&asked.headers, "cache-control"), ["no-cache"]);
        serve(&asked, &new);
        assert!(forwarded(id).is_some());
    });
}

#[test]
fn an_answer_made_by_the_proxy_is_not_attributed_to_the_issuer() {
    let log = || with_world(|world| world.log.clone());
    let reported = |words: &str| log().iter().any(|(_, line)| line.contains(words));
    let text = [("content-type", "text/plain")];
    with_filter(|_| {
        answer(&next_sent(ROOT), 504, &text, "upstream request timeout");
        let words = "Envoy answered 504 in place of the issuer: no answer within";
        assert!(reported(words), "{:?}", log());
    });
    with_filter(|_| {
        let headers = [("x-envoy-upstream-service-time", "3")];
        answer(&next_sent(ROOT), 504, &headers, "upstream request timeout");
        assert!(reported("the issuer answered 504, not 200"), "{:?}", log());
    });
}

#[test]
fn every_request_that_waits_is_decided_by_the_one_answer() {
    with_filter(|issuer| {
        let good = [1, 2, 3].map(|_| private(&issuer.token(START)));
        let bad = private(&Issuer::new("k1").token(START));
        assert!(good.into_iter().chain([bad]).all(waits));
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 4);
        let asked = next_sent(ROOT);
        assert_eq!(sent().len(), 1);
        serve(&asked, issuer);
        for id in good {
            let upstream = forwarded(id).unwrap();
            assert_eq!(values(&upstream, "x-user-id"), ["alice"]);
            assert_eq!(values(&upstream, "authorization"), [""; 0]);
            assert!(body(id));
        }
        assert_eq!(status_of(bad), Some(401));
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
        assert_eq!(metric(ROOT, "edge_authz.requests.allowed.idp"), 3);
        assert_eq!(metric(ROOT, "edge_authz.keys.idp"), 1);
        assert_eq!(metric(ROOT, "edge_authz.key_fetches.idp.success"), 1);
    });
}

#[test]
fn no_part_of_a_waiting_request_continues() {
    with_filter(|issuer| {
        let id = private(&issuer.token(START));
        assert!(!body(id));
        assert!(trailers(id, &[("x_user_id", "mallory"), ("checksum", "1")]).is_none());
        assert!(waits(id));
        serve(&next_sent(ROOT), issuer);
        assert!(forwarded(id).is_some());
        assert_eq!(trailers_of(id), fields(&[("checksum", "1")]));
    });
}

#[test]
fn a_request_waits_no_longer_than_a_fetch_may_take() {
    with_filter(|issuer| {
        let id = private(&issuer.token(START));
        pass(ROOT, Duration::from_millis(4_900));
        assert!(waits(id));
        pass(ROOT, Duration::from_millis(200));
        let Outcome::Answered(reply) = outcome(id) else {
            panic!("{:?}", outcome(id))
        };
        assert_eq!(reply.status, 503);
        assert_eq!(values(&reply.headers, "retry-after").len(), 1);
        assert_eq!(values(&reply.headers, "www-authenticate"), [""; 0]);
    });
}

#[test]
fn requests_are_refused_for_any_other_answer_of_an_issuer() {
    let issuer = Issuer::new("k1");
    let jwks = issuer.jwks().to_string();
    let large = format!("{jwks}{}", " ".repeat(512 * 1024));
    let answers: [(u16, Headers<'_>, &str); 8] = [
        (500, &[], &jwks),
        (302, &[("location", "/elsewhere")], &jwks),
        (204, &[], ""),
        (200, &[], "<html>"),
        (200, &[], ""),
        (200, &[], r#"{"keys":[]}"#),
        (200, &[("content-encoding", "gzip")], &jwks),
        (200, &[], &large),
    ];
    for (status, headers, text) in answers {
        with_filter(|_| {
            let id = private(&issuer.token(START));
            answer(&next_sent(ROOT), status, headers, text);
            assert!(forwarded(id).is_none(), "{status} {headers:?}");
            pass(ROOT, Duration::from_secs(6));
            assert_eq!(status_of(id), Some(503), "{status} {headers:?}");
            assert_eq!(metric(ROOT, "edge_authz.key_fetches.idp.success"), 0);
        });
    }
}

#[test]
fn a_fetch_without_an_answer_is_tried_again() {
    with_filter(|issuer| {
        no_answer(&next_sent(ROOT));
        assert_eq!(metric(ROOT, "edge_authz.key_fetches.idp.failure"), 1);
        serve(&next_sent(ROOT), issuer);
        assert!(forwarded(private(&issuer.token(START))).is_some());
    });
}

#[test]
fn an_answer_that_says_identity_is_not_encoded() {
    with_filter(|issuer| {
        let headers = [("content-encoding", "identity")];
        answer(&next_sent(ROOT), 200, &headers, &issuer.jwks().to_string());
        assert!(forwarded(private(&issuer.token(START))).is_some());
    });
}

#[test]
fn a_client_that_leaves_while_it_waits_is_forgotten() {
    with_filter(|issuer| {
        let gone = private(&issuer.token(START));
        let stays = private(&issuer.token(START));
        leave(gone);
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 1);
        serve(&next_sent(ROOT), issuer);
        assert!(forwarded(stays).is_some());
        assert_eq!(metric(ROOT, "edge_authz.requests.allowed.idp"), 1);
    });
}

#[test]
fn a_request_that_the_proxy_answered_itself_is_not_decided_again() {
    with_filter(|issuer| {
        let id = private(&issuer.token(START));
        // This is the proxy's own timeout, while the request waits for keys.
        let client = respond(id, &[(":status", "504")]).unwrap();
        assert_eq!(
            values(&client, "access-control-allow-origin"),
            ["https://app.example"]
        );
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
        serve(&next_sent(ROOT), issuer);
        assert!(waits(id), "it is the proxy's");
        assert!(!body(id));
    });
}

#[test]
fn ticks_are_fast_while_requests_wait_and_slow_otherwise() {
    with_filter(|issuer| {
        let period = || with_world(|world| world.tick_period);
        let fast = period();
        serve(&next_sent(ROOT), issuer);
        tick(ROOT);
        let slow = period();
        assert!(fast < slow, "{fast} {slow}");
        let id = private(&Issuer::new("unknown").token(START));
        assert!(waits(id));
        assert_eq!(period(), fast);
        leave(id);
        tick(ROOT);
        assert_eq!(period(), slow);
    });
}

#[test]
fn an_answer_to_an_unknown_fetch_changes_nothing() {
    with_filter(|issuer| {
        let asked = next_sent(ROOT);
        serve(&asked, issuer);
        let id = private(&issuer.token(START));
        assert!(forwarded(id).is_some());
    });
}

#[test]
fn another_worker_takes_the_keys_from_the_shared_data() {
    let issuer = Issuer::new("k1");
    let shared = in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        serve(&next_sent(ROOT), &issuer);
        with_world(|world| world.shared.clone())
    });
    in_worker(|| {
        with_world(|world| world.shared = shared);
        assert!(configure(ROOT, &fetched()));
        assert!(forwarded(private(&issuer.token(START))).is_some());
        pass(ROOT, Duration::from_secs(5));
        assert!(sent().is_empty());
    });
}

/// Checks the recovery after the fault: the next fetch returns the keys.
fn assert_recovers(issuer: &Issuer) {
    with_world(|world| world.fault = None);
    serve(&next_sent(ROOT), issuer);
    assert!(forwarded(private(&issuer.token(START))).is_some());
}

#[test]
fn a_fetch_that_the_host_does_not_send_is_tried_again() {
    with_filter(|issuer| {
        for (status, words) in [
            (2, "it has no cluster of this name"),
            (10, "the cluster has no healthy host"),
        ] {
            fail(Call::Fetch, Phase::Tick, status);
            pass(ROOT, Duration::from_secs(5));
            assert!(sent().is_empty());
            let log = with_world(|world| world.log.clone());
            assert!(log.iter().any(|(_, line)| line.contains(words)), "{log:?}");
        }
        assert!(metric(ROOT, "edge_authz.key_fetches.idp.failure") > 1);
        assert_recovers(issuer);
    });
}

#[test]
fn a_clock_that_stops_ends_the_wait() {
    with_filter(|issuer| {
        let id = private(&issuer.token(START));
        fail(Call::Time, Phase::Tick, 10);
        tick(ROOT);
        assert_eq!(status_of(id), Some(503));
        assert_eq!(metric(ROOT, "edge_authz.waiting_requests"), 0);
    });
}

#[test]
fn a_clock_that_stops_while_an_issuer_answers_costs_that_fetch_only() {
    with_filter(|issuer| {
        let asked = next_sent(ROOT);
        fail(Call::Time, Phase::Answer, 10);
        serve(&asked, issuer);
        assert_eq!(metric(ROOT, "edge_authz.key_fetches.idp.failure"), 1);
        assert_recovers(issuer);
    });
}

#[test]
fn the_maximum_time_is_valid() {
    with_filter(|issuer| {
        serve(&next_sent(ROOT), issuer);
        let token = issuer.token(START);
        with_world(|world| world.nanos = u64::MAX);
        tick(ROOT);
        assert!(forwarded(private(&token)).is_none());
    });
}

#[test]
fn shared_data_without_a_change_number_are_not_used() {
    let issuer = Issuer::new("k1");
    let shared = in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        serve(&next_sent(ROOT), &issuer);
        with_world(|world| world.shared.clone())
    });
    in_worker(|| {
        let unnumbered = |(name, (bytes, _))| (name, (bytes, 0));
        with_world(|world| world.shared = shared.into_iter().map(unnumbered).collect());
        assert!(configure(ROOT, &fetched()));
        assert!(waits(private(&issuer.token(START))));
        assert_eq!(next_sent(ROOT).cluster, "idp");
    });
}
