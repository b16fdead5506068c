//! The queue of waiting requests by itself.

use std::time::Duration;

use crate::authz::{Facts, NeededDocument};
use crate::engine::StreamId;
use crate::engine::waiting::{QueueNumber, Waiter, Waiting};
use crate::http::{HeaderMap, RequestHead};
use crate::policy::SourceId;
use crate::time::UnixTime;

fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000)
}

fn at(seconds: u64) -> UnixTime {
    now().saturating_add(Duration::from_secs(seconds))
}

/// A request that needs the keys of these sources, with this deadline.
fn waiter(stream: u32, sources: &[usize], deadline: u64) -> Waiter {
    let needed = sources.iter().map(|source| NeededDocument {
        source: SourceId::new(*source),
        lacks_kid: false,
    });
    Waiter {
        certificate: None,
        stream: StreamId(stream),
        head: RequestHead::new(HeaderMap::from_pairs([("a", "b")])),
        arrived: now(),
        deadline: at(deadline),
        needed: needed.collect(),
        facts: Facts::default(),
    }
}

/// A queue with this number of requests for source 0.
fn room(count: u32) -> Waiting {
    let mut waiting = Waiting::new(3);
    for stream in 0..count {
        waiting.insert(waiter(stream, &[0], 5)).unwrap();
    }
    waiting
}

fn change(waiting: &mut Waiting, source: usize) {
    waiting.changed(SourceId::new(source));
}

/// The scan of one tick. Judges up to `most` requests, which wait again, and returns
/// them.
fn scan(waiting: &mut Waiting, most: usize, mut steps: usize) -> Vec<u32> {
    let mut judged = Vec::new();
    while judged.len() < most
        && let Some(number) = waiting.next_due(&mut steps)
    {
        judged.push(put_back(waiting, number));
    }
    judged
}

fn put_back(waiting: &mut Waiting, number: QueueNumber) -> u32 {
    let waiter = waiting.take(number).unwrap();
    let StreamId(stream) = waiter.stream;
    waiting.put_back(number, waiter).unwrap();
    stream
}

#[test]
fn a_request_is_due_only_after_keys_that_it_needs_have_changed() {
    let mut waiting = room(3);
    waiting.insert(waiter(3, &[1, 2], 5)).unwrap();
    assert!(scan(&mut waiting, 9, 99).is_empty());
    assert!(!waiting.is_behind(now()));
    change(&mut waiting, 2);
    assert!(waiting.is_behind(now()));
    assert_eq!(scan(&mut waiting, 9, 99), [3]);
    assert!(!waiting.is_behind(now()));
    // A later request was already judged with these keys.
    waiting.insert(waiter(4, &[2], 5)).unwrap();
    assert!(scan(&mut waiting, 9, 99).is_empty());
    // No request waits for these keys.
    let mut waiting = room(3);
    change(&mut waiting, 1);
    assert!(!waiting.is_behind(now()));
}

#[test]
fn each_request_is_judged_once_per_change_in_order_of_arrival() {
    let mut waiting = room(10);
    change(&mut waiting, 0);
    assert_eq!(scan(&mut waiting, 4, 99), [0, 1, 2, 3]);
    assert_eq!(scan(&mut waiting, 4, 99), [4, 5, 6, 7]);
    waiting.remove(StreamId(8)).unwrap();
    assert_eq!(scan(&mut waiting, 4, 99), [9]);
    assert!(scan(&mut waiting, 4, 99).is_empty());
    assert!(!waiting.is_behind(now()));
}

#[test]
fn a_change_during_a_scan_affects_the_rest_and_then_all_earlier_requests() {
    let mut waiting = room(4);
    change(&mut waiting, 0);
    assert_eq!(scan(&mut waiting, 2, 99), [0, 1]);
    change(&mut waiting, 0);
    assert_eq!(scan(&mut waiting, 9, 99), [2, 3]);
    assert!(waiting.is_behind(now()));
    assert_eq!(scan(&mut waiting, 9, 99), [0, 1]);
    assert!(!waiting.is_behind(now()));
}

#[test]
fn a_scan_stops_at_its_limit_and_continues_from_there() {
    let mut waiting = room(6);
    waiting.insert(waiter(6, &[1, 2], 5)).unwrap();
    change(&mut waiting, 2);
    // The needed keys of each are checked, and none of the first six has changed.
    assert!(scan(&mut waiting, 9, 4).is_empty());
    assert!(waiting.is_behind(now()));
    assert_eq!(scan(&mut waiting, 9, 4), [6]);
}

#[test]
fn the_earliest_deadline_is_first_and_its_request_may_be_due_to_be_judged() {
    let mut waiting = room(0);
    for (stream, deadline) in [(0, 9), (1, 7), (2, 8)] {
        waiting.insert(waiter(stream, &[0], deadline)).unwrap();
    }
    assert!(waiting.next_expired(at(6)).is_none());
    assert!(!waiting.is_behind(at(6)) && waiting.is_behind(at(7)));
    let (number, is_due) = waiting.next_expired(at(8)).unwrap();
    assert!(!is_due);
    assert_eq!(waiting.take(number).unwrap().stream, StreamId(1));
    change(&mut waiting, 0);
    let (number, is_due) = waiting.next_expired(at(8)).unwrap();
    assert!(is_due);
    assert_eq!(put_back(&mut waiting, number), 2);
    assert!(!waiting.next_expired(at(8)).unwrap().1);
    // After the clock was set back, no request waits longer than its timeout.
    let year = Duration::from_hours(24 * 365);
    let earlier = now().saturating_sub(year);
    waiting.set_back(earlier);
    assert!(waiting.next_expired(earlier).is_none());
    let soon = earlier.saturating_add(Duration::from_secs(9));
    let (number, _) = waiting.next_expired(soon).unwrap();
    assert_eq!(put_back(&mut waiting, number), 2, "the order stays");
}

/// The limit for all waiting requests together, in bytes.
const ALL: usize = 16 * 1024 * 1024;

#[test]
fn everything_that_a_request_owns_counts() {
    // The number of such requests that fit.
    let most = |make: &dyn Fn(u32) -> Waiter| {
        // The requests need many sources, so no source reaches its limit.
        let mut waiting = Waiting::new(3000);
        let mut queued = 0;
        while waiting.insert(make(queued)).is_ok() {
            queued += 1;
        }
        // No memory is left for another one. The last one fits when another has left.
        assert!(waiting.insert(make(queued)).is_err());
        waiting.remove(StreamId(7)).unwrap();
        waiting.insert(make(queued)).unwrap();
        usize::try_from(queued).unwrap()
    };
    let own = |stream: u32| usize::try_from(stream).unwrap() / 10 % 3000;
    let plain = most(&|stream| waiter(stream, &[own(stream)], 5));
    assert!(plain > 10_000 && plain < ALL / (size_of::<Waiter>() + 64));
    let large = "x".repeat(60_000);
    let with_value = most(&|stream| Waiter {
        head: RequestHead::new(HeaderMap::from_pairs([("a", &large)])),
        ..waiter(stream, &[own(stream)], 5)
    });
    assert!((200..=ALL / large.len()).contains(&with_value));
    let many = || (0..1000).map(|_| ("a", ""));
    let with_fields = most(&|stream| Waiter {
        head: RequestHead::new(HeaderMap::from_pairs(many())),
        ..waiter(stream, &[own(stream)], 5)
    });
    assert!((200..=ALL / 1000 / size_of::<[usize; 4]>()).contains(&with_fields));
    let sources: Vec<usize> = (0..2500).collect();
    let with_wishes = most(&|stream| waiter(stream, &sources, 5));
    assert!((200..=ALL / 2500 / size_of::<NeededDocument>()).contains(&with_wishes));
}

#[test]
fn the_listeners_of_a_worker_share_the_byte_limit() {
    let large = "x".repeat(1_000_000);
    let fill = |waiting: &mut Waiting, first: u32| {
        let large = |stream| Waiter {
            head: RequestHead::new(HeaderMap::from_pairs([("a", &large)])),
            ..waiter(stream, &[0], 5)
        };
        let queued = (first..).take_while(|stream| waiting.insert(large(*stream)).is_ok());
        queued.count()
    };
    let (mut one, mut other) = (Waiting::new(1), Waiting::new(1));
    let all = fill(&mut one, 0);
    assert!((8..=16).contains(&all), "{all}");
    assert_eq!(fill(&mut other, 0), 0);
    // A request that leaves one listener makes room in the other, and so does a listener
    // that ends.
    one.remove(StreamId(3)).unwrap();
    one.take(QueueNumber(4)).unwrap();
    assert_eq!(fill(&mut other, 0), 2);
    assert_eq!(fill(&mut one, 100), 0);
    drop(one);
    assert_eq!(fill(&mut other, 100), all - 2);
    assert_eq!(fill(&mut Waiting::new(1), 0), 0);
}
