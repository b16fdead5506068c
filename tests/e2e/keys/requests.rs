//! The number of requests to an issuer, and the number of requests that may wait for it.

use std::collections::BTreeMap;
use std::sync::{Mutex, RwLock};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::load::under_load;
use super::{private, settle, with_jwks, workers};
use crate::support::http1::Connection;
use crate::support::issuer::JWKS_PATH;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::{AUDIENCE, World, configuration};

#[test]
fn all_workers_ask_once_a_refresh() {
    let world = World::with(with_jwks(json!({"refresh": "1s"})), workers);
    let tokens = RwLock::new(vec![world.token(json!({}))]);
    settle(&world);
    let pause = Duration::from_secs(5);
    let seen = under_load(world.envoy.address(), &tokens, || thread::sleep(pause));
    seen.all_are(200);
    let times = world.issuer.times(JWKS_PATH);
    assert!(times.len() >= 3, "{} GETs", times.len());
    for pair in times.windows(2) {
        // The earliest refresh is at 80 % of the period; the network delay may vary a
        // little.
        let apart = pair[1].duration_since(pair[0]);
        assert!(apart >= Duration::from_millis(600), "{apart:?}");
    }
}

#[test]
fn made_up_kids_cost_the_issuer_two_requests_and_good_tokens_nothing() {
    let world = World::with(with_jwks(json!({"timeout": "1s"})), workers);
    let maker = TokenMaker::generate("ES256", "made-up");
    let tokens = RwLock::new(vec![world.token(json!({}))]);
    let before = settle(&world);
    let answered = Mutex::new(BTreeMap::<u16, usize>::new());
    let address = world.envoy.address();
    let start = Instant::now();
    let seen = under_load(address, &tokens, || {
        thread::scope(|scope| {
            for thread in 0..300 {
                let (maker, answered) = (&maker, &answered);
                scope.spawn(move || {
                    let mut connection = Connection::open(address).expect("a connection");
                    let mut number = 0;
                    while start.elapsed() < Duration::from_secs(9) {
                        number += 1;
                        let header = json!({"alg": "ES256", "kid": format!("{thread}-{number}")});
                        let token = maker.compact(
                            header.to_string(),
                            claims("https://issuer.example.com", AUDIENCE).to_string(),
                        );
                        let answer = connection.exchange(&private(&token)).expect("an answer");
                        *answered.lock().unwrap().entry(answer.status).or_default() += 1;
                    }
                });
            }
        });
    });
    let early = world.issuer.times(JWKS_PATH).split_off(before);
    assert!(!early.is_empty());
    for three in early.windows(3) {
        let apart = three[2].duration_since(three[0]);
        assert!(apart >= Duration::from_secs(10), "{apart:?}");
    }
    let answered = answered.into_inner().unwrap();
    assert!(
        answered.keys().all(|status| matches!(status, 401 | 503)),
        "{answered:?}"
    );
    assert!(answered.values().sum::<usize>() >= 2000, "{answered:?}");
    seen.all_are(200);
    let slow = seen.nearly_longest;
    assert!(slow < Duration::from_millis(500), "{slow:?}");
    world.envoy.assert_no_trap();
}

#[test]
fn many_requests_that_wait_for_the_first_keys_are_answered_even_if_clients_leave() {
    let world = World::with(
        |issuer| {
            issuer.change(JWKS_PATH, |keys| keys.delay(Duration::from_millis(1500)));
            configuration(issuer)
        },
        workers,
    );
    let token = world.token(json!({}));
    let mut head = b"GET /private/a HTTP/1.1\r\nhost: app.example.com\r\n".to_vec();
    head.extend_from_slice(format!("authorization: Bearer {token}\r\n\r\n").as_bytes());
    let mut crowd: Vec<_> = (0..300)
        .map(|_| {
            let mut connection = Connection::open(world.envoy.address()).expect("a connection");
            connection.write(&head).expect("it writes");
            connection
        })
        .collect();
    crowd.truncate(150);
    for mut connection in crowd {
        connection.response(false).expect("an answer").expect(200);
    }
    assert_eq!(world.issuer.gets(JWKS_PATH), 1);
    world.envoy.assert_no_trap();
}
