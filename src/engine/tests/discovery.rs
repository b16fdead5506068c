//! Issuers whose metadata name the location of their keys.

use std::time::Duration;

use super::issuer::{Mode, OAUTH, OPENID};
use super::settings::SETTINGS;
use super::signer::KeyId;
use super::world::{Token, World};
use crate::telemetry::{Event, FetchFailure, Reason, Shown};

fn secs(secs: u64) -> Duration {
    Duration::from_secs(secs)
}

fn last_failure(world: &World) -> Option<FetchFailure> {
    let events = world.events.borrow();
    events.iter().rev().find_map(|event| match event {
        Event::FetchFailed { failure, .. } => Some(failure.clone()),
        Event::Refused { .. }
        | Event::Reported { .. }
        | Event::KeysLoaded { .. }
        | Event::KeysSkipped { .. }
        | Event::MoreKeysSkipped { .. }
        | Event::ListLoaded { .. }
        | Event::ListNearLimit { .. }
        | Event::NoMemory { .. }
        | Event::TooOld { .. } => None,
    })
}

#[test]
fn the_metadata_are_fetched_first_and_name_the_location_of_the_keys() {
    let world = World::new(3, SETTINGS);
    world.pass(secs(2));
    assert_eq!(world.paths_of(1), [OPENID, "/keys"]);
    assert!(world.all_allow(1, 0));
    // Less than a day has passed: refreshes need no metadata.
    world.pass(secs(1300));
    assert_eq!(world.paths_of(1), [OPENID, "/keys", "/keys", "/keys"]);
}

#[test]
fn on_any_4xx_the_same_fetch_tries_the_other_location() {
    for status in [400, 401, 403, 404, 405, 406, 410, 429, 451, 499] {
        let world = World::new(2, SETTINGS);
        world.issuers[1].metadata_at.set(OAUTH);
        world.issuers[1].nothing_there.set(status);
        world.pass(secs(2));
        assert_eq!(world.paths_of(1), [OPENID, OAUTH, "/keys"], "{status}");
        assert!(world.all_allow(1, 0));
        assert_eq!(last_failure(&world), None);
    }
}

#[test]
fn on_any_other_status_the_other_location_is_not_tried() {
    for status in [204, 302, 399, 500, 503] {
        let world = World::new(1, SETTINGS);
        world.issuers[1].mode.set(Mode::Status(status));
        world.pass(secs(60));
        assert!(world.paths_of(1).iter().all(|path| path == OPENID));
    }
}

#[test]
fn if_both_locations_refuse_each_is_tried_once_per_fetch() {
    let world = World::new(1, SETTINGS);
    world.issuers[1].mode.set(Mode::Status(403));
    world.pass(secs(1));
    assert_eq!(world.paths_of(1), [OPENID, OAUTH]);
    assert_eq!(last_failure(&world), Some(FetchFailure::Status(403)));
}

#[test]
fn a_byte_order_mark_before_metadata_and_keys_is_ignored() {
    let world = World::new(2, SETTINGS);
    for issuer in &world.issuers {
        issuer.marked.set(true);
    }
    world.pass(secs(2));
    assert_eq!(world.paths_of(1), [OPENID, "/keys"]);
    // Both the worker that has fetched the keys and the other one allow them.
    assert!(world.all_allow(0, 0) && world.all_allow(1, 0));
    assert_eq!(last_failure(&world), None);
}

#[test]
fn metadata_of_another_issuer_are_refused() {
    for named in [
        "https://a.example",
        "https://b.example/",
        "HTTPS://b.example",
    ] {
        let world = World::new(1, SETTINGS);
        *world.issuers[1].metadata.borrow_mut() =
            format!(r#"{{"issuer":"{named}","jwks_uri":"https://b.example/keys"}}"#);
        world.pass(secs(1));
        let differs = FetchFailure::OtherIssuer {
            named: Shown::new(named),
            configured: Shown::new("https://b.example"),
        };
        assert_eq!(last_failure(&world), Some(differs));
        let paths = world.paths_of(1);
        assert!(paths.iter().all(|path| path == OPENID), "{named}");
    }
}

#[test]
fn f13_keys_are_fetched_at_the_issuers_host_or_a_configured_one_only() {
    for (uri, reached) in [
        ("https://keys.example/keys", true),
        ("http://b.example/keys", true),
        ("http://169.254.169.254/keys", false),
        ("https://b.example@evil.example/keys", false),
        ("https://evil.example/keys", false),
        ("https://b.example.evil.example/keys", false),
    ] {
        let world = World::new(1, SETTINGS);
        *world.issuers[1].metadata.borrow_mut() =
            format!(r#"{{"issuer":"https://b.example","jwks_uri":"{uri}"}}"#);
        world.pass(secs(1));
        assert_eq!(world.all_allow(1, 0), reached, "{uri}");
        if !reached {
            let failure = last_failure(&world).expect("a failure");
            let elsewhere = matches!(
                failure,
                FetchFailure::KeySetElsewhere(_) | FetchFailure::BadKeySetUri
            );
            assert!(elsewhere, "{uri}: {failure}");
        }
        let gets = world.gets.borrow();
        let clusters = gets.iter().filter(|get| get.source == 1);
        assert!(clusters.clone().all(|get| &*get.asked.cluster == "b"));
    }
}

#[test]
fn f13_a_location_in_the_shared_data_is_checked_like_one_in_the_metadata() {
    let world = World::new(1, SETTINGS);
    world.pass(secs(1));
    world.model.borrow_mut().sabotaged = true;
    for name in world.shared.names("/state") {
        let record = world.shared.peek(&name).unwrap();
        let Some(mut record) = crate::keys::Record::decode(&record) else {
            continue;
        };
        if let Some(discovered) = &mut record.discovered {
            discovered.key_set_uri = "https://169.254.169.254/keys".into();
        }
        record.content = None;
        world.shared.sabotage(&name, &record.encode());
    }
    world.pass(secs(3));
    let gets = world.gets.borrow();
    assert!(
        gets.iter()
            .all(|get| get.asked.uri.host() != "169.254.169.254")
    );
    assert_eq!(gets.iter().filter(|get| get.source == 1).count(), 4);
}

#[test]
fn a_key_set_that_has_moved_is_found_after_the_fetch_that_failed() {
    let world = World::new(2, SETTINGS);
    world.pass(secs(60));
    let issuer = &world.issuers[1];
    issuer.keys_at.set("/new/keys");
    *issuer.metadata.borrow_mut() =
        r#"{"issuer":"https://b.example","jwks_uri":"https://b.example/new/keys"}"#.to_owned();
    issuer.publish(&[2]);
    // Early refreshes are fetches that fail, too.
    let stream = world.request(&world.worker(0), 1, Token::Good(KeyId(2)));
    world.pass(Duration::from_millis(5_020));
    let again = world.request(&world.worker(0), 1, Token::Good(KeyId(2)));
    world.pass(Duration::from_millis(100));
    let expected = [OPENID, "/keys", "/keys", OPENID, "/new/keys"];
    assert_eq!(world.paths_of(1), expected);
    assert_eq!(world.reason(again), Some(Reason::Allowed));
    assert!(world.reason(stream).is_some());
}

#[test]
fn metadata_are_read_again_every_day() {
    let world = World::new(1, SETTINGS);
    world.slowness.set(secs(60));
    world.pass(secs(23 * 3600));
    let read = |world: &World| {
        let paths = world.paths_of(1);
        paths.iter().filter(|path| *path == OPENID).count()
    };
    assert_eq!(read(&world), 1);
    world.pass(secs(2 * 3600));
    assert_eq!(read(&world), 2);
    assert!(world.all_allow(1, 0));
}
