//! Two independent Envoys.

use std::collections::BTreeSet;
use std::net::SocketAddr;
use std::time::Duration;

use crate::compose::{ENVOY, ISSUER, Services, address};
use crate::requests::{a_forged_token_is_refused, ask, requests};
use crate::support::http::Response;
use crate::support::http1;
use crate::support::process::wait_until;
use crate::tokens::{me, sign_in};

#[test]
fn two_envoys_fetch_their_own_keys_and_decide_alike() {
    let services = Services::with(&[], 2);
    let tokens = sign_in(&services);
    let envoys = services.containers(ENVOY);
    let [one, two] = [&envoys[0], &envoys[1]].map(|envoy| address(envoy, 8080));
    assert_ne!(one, two);
    let status = |at| {
        http1::exchange(at, &me(&tokens.access))
            .expect("an answer")
            .status
    };
    assert_eq!([one, two].map(status), [200; 2]);
    // One successful fetch each, for any number of workers.
    let fetches = services.key_fetches();
    assert_eq!(fetches.len(), 2, "{fetches:?}");
    assert_ne!(fetches[0], fetches[1]);
    for asked in requests(&tokens) {
        let (first, second) = (ask(one, &asked), ask(two, &asked));
        assert_eq!(decision(&first), decision(&second), "{}", asked.name);
    }
    // The token with a bad signature causes one more each, in the background.
    let more = wait_until(Duration::from_secs(10), || {
        let fetches = services.key_fetches();
        (fetches.len() >= 4).then_some(fetches)
    })
    .expect("the early refreshes");
    assert_eq!(more.len(), 4, "{more:?}");
    assert_ne!(more[2], more[3]);
    for at in [one, two] {
        a_forged_token_is_refused(at);
    }
    both_follow_a_rotation(&services, [one, two]);
    services.assert_no_trap();
}

/// Each learns about new keys from a token, and not from the other Envoy.
fn both_follow_a_rotation(services: &Services, envoys: [SocketAddr; 2]) {
    let old = sign_in(services);
    services.compose(&[
        "up",
        "--detach",
        "--no-build",
        "--no-deps",
        "--force-recreate",
        "--scale",
        "envoy=2",
        ISSUER,
    ]);
    services.ready();
    let new = sign_in(services);
    let status = |at, token: &str| http1::exchange(at, &me(token)).expect("an answer").status;
    let [one, two] = envoys;
    let follows = |at| {
        wait_until(Duration::from_mins(1), || {
            let status = status(at, &new.access);
            assert!(matches!(status, 200 | 503), "{status}");
            (status == 200).then_some(())
        })
        .expect("the new key");
    };
    follows(one);
    assert_eq!(status(two, &old.access), 200, "it has not seen the new key");
    follows(two);
    for at in envoys {
        wait_until(Duration::from_secs(30), || {
            (status(at, &old.access) == 401).then_some(())
        })
        .expect("the old key is withdrawn");
    }
}

/// The part of an answer that is decided, rather than measured or counted.
fn decision(answer: &Response) -> (u16, BTreeSet<(String, Vec<String>)>) {
    let names = answer
        .headers
        .iter()
        .map(|(name, _)| String::from_utf8_lossy(name).into_owned())
        .filter(|name| !matches!(name.as_str(), "date" | "x-envoy-upstream-service-time"));
    let fields = names.map(|name| {
        let values = answer.all(&name);
        (name, values)
    });
    (answer.status, fields.collect())
}
