//! Tokens that name keys that do not exist.

use std::thread;
use std::time::{Duration, Instant};

use serde_json::json;

use super::{Sent, made_up, private, statuses, still_works};
use crate::support::http1::Connection;
use crate::support::http2;
use crate::support::issuer::JWKS_PATH;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::{AUDIENCE, World, configuration};

#[test]
fn hundreds_of_made_up_kids_at_once_are_refused_by_the_next_refresh() {
    let world = World::with(
        |issuer| {
            let mut configuration = configuration(issuer);
            configuration["providers"][0]["jwks"]["timeout"] = json!("20s");
            configuration
        },
        |builder| builder,
    );
    still_works(&world);
    world.envoy.send(&private(&made_up("first"))).expect(401);
    thread::sleep(Duration::from_millis(500));
    let requests: Vec<_> = (0..600)
        .map(|number| private(&made_up(&format!("made-up-{number}"))))
        .collect();
    let sent = Sent::over_http2(world.envoy.address(), &requests, 600);
    for answer in sent.answers() {
        let challenge = answer.expect(401).header("www-authenticate");
        assert!(challenge.is_some_and(|text| text.contains("invalid_token")));
    }
    assert_eq!(world.issuer.gets(JWKS_PATH), 3);
    still_works(&world);
}

/// The number of requests of the flood in each tenth of a second.
const A_TENTH: usize = 100;

#[test]
fn a_flood_of_made_up_kids_blocks_no_good_token() {
    let world = World::start();
    still_works(&world);
    let new = TokenMaker::generate("ES256", "key-2");
    thread::scope(|scope| {
        let flood = scope.spawn(|| flood(&world));
        let steady = scope.spawn(|| steady(&world, Duration::from_secs(10)));
        thread::sleep(Duration::from_secs(5));
        world.issuer.publish(&[&world.key, &new]);
        let waited = time_to_acceptance(&world, &new);
        assert!(waited < Duration::from_secs(11), "{waited:?}");
        flood.join().expect("the flood");
        assert!(steady.join().expect("good requests") > 100);
    });
    let times = world.issuer.times(JWKS_PATH);
    // The first fetch does not count. A busy machine may reduce the time between the
    // others.
    for three in times[1..].windows(3) {
        let span = three[2] - three[0];
        assert!(span > Duration::from_secs(9), "{span:?}");
    }
    still_works(&world);
}

/// 10,000 made-up `kid`s in ten seconds.
fn flood(world: &World) {
    let mut connections: Vec<_> = (0..20)
        .map(|_| http2::Connection::open(world.envoy.address()).expect("a connection"))
        .collect();
    let mut streams = Vec::new();
    let began = Instant::now();
    for tenth in 0..100 {
        for number in 0..A_TENTH {
            let place = number % connections.len();
            let request = private(&made_up(&format!("made-up-{tenth}-{number}")));
            let stream = connections[place].send(&request).expect("it writes");
            streams.push((place, stream));
        }
        let due = Duration::from_millis(100) * (tenth + 1);
        thread::sleep(due.saturating_sub(began.elapsed()));
    }
    let answers: Vec<_> = streams
        .into_iter()
        .map(|(place, stream)| connections[place].response(stream).expect("an answer"))
        .collect();
    let statuses = statuses(&answers);
    assert!(statuses.keys().all(|status| [401, 503].contains(status)));
    assert!(statuses[&401] > 0, "{statuses:?}");
}

/// Sends valid requests one after the other for this long. Returns their number.
fn steady(world: &World, time: Duration) -> usize {
    let token = world.token(json!({}));
    let end = Instant::now() + time;
    let mut count = 0;
    while Instant::now() < end {
        let mut connection = Connection::open(world.envoy.address()).expect("a connection");
        for _ in 0..20 {
            let answer = connection.exchange(&private(&token)).expect("an answer");
            answer.expect(200);
            count += 1;
            thread::sleep(Duration::from_millis(5));
        }
    }
    count
}

/// The time until a token of a new key passes. It is never refused.
fn time_to_acceptance(world: &World, new: &TokenMaker) -> Duration {
    let token = new.token(&claims(world.issuer.name(), AUDIENCE));
    let began = Instant::now();
    loop {
        let answer = world.envoy.send(&private(&token));
        // Too many requests may be waiting.
        assert!(matches!(answer.status, 200 | 503), "{answer}");
        if answer.status == 200 {
            return began.elapsed();
        }
        thread::sleep(Duration::from_millis(100));
    }
}
