//! The ticks of configurations, for which Envoy has no timer.
//!
//! One thread serves the whole process while there are configurations. It only requests
//! hooks, which Envoy calls in its own threads, with one exception: while it requests a hook,
//! Envoy holds the configuration. If Envoy's main thread drops it at this moment, Envoy
//! destroys it in this thread, which then calls [`unregister`]. So no lock is held during a
//! request, and the thread never waits for itself.

use edge_authz_native::locked;
use std::io;
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Something that needs ticks.
pub(crate) trait Ticked: Send + Sync {
    /// Requests the hooks of one tick, and returns the time until the next one. It neither
    /// blocks nor panics.
    fn request_ticks(&self) -> Duration;
}

/// Everything that needs ticks, and the thread.
struct Ticker {
    state: Mutex<State>,
    changed: Condvar,
}

struct State {
    /// The number of threads so far. It distinguishes the current thread from a former
    /// one that is about to end.
    generation: u64,
    /// Sorted by number.
    entries: Vec<Entry>,
    thread: Option<JoinHandle<()>>,
}

struct Entry {
    number: u64,
    due: Instant,
    /// The time of its last tick.
    last: Option<Instant>,
    ticked: Arc<dyn Ticked>,
}

static TICKER: Ticker = Ticker {
    state: Mutex::new(State {
        generation: 0,
        entries: Vec::new(),
        thread: None,
    }),
    changed: Condvar::new(),
};

/// The minimum time between two ticks of one entry.
const MIN_PERIOD: Duration = Duration::from_millis(1);

/// The minimum time between two ticks that clients can cause.
const MIN_SOON: Duration = Duration::from_millis(5);

/// The maximum time between two ticks.
const MAX_PERIOD: Duration = Duration::from_millis(500);

/// Starts the ticks of a configuration, by its number.
///
/// # Errors
///
/// The system cannot start a thread.
pub(crate) fn register(number: u64, ticked: Arc<dyn Ticked>) -> io::Result<()> {
    let mut state = TICKER.state();
    if state.thread.is_none() {
        state.generation = state.generation.wrapping_add(1);
        let generation = state.generation;
        let builder = thread::Builder::new().name("edge_authz".to_owned());
        state.thread = Some(builder.spawn(move || TICKER.run(generation))?);
    }
    let entry = Entry {
        number,
        due: now(),
        last: None,
        ticked,
    };
    let (Ok(place) | Err(place)) = state.place(number);
    state.entries.insert(place, entry);
    drop(state);
    TICKER.changed.notify_all();
    Ok(())
}

/// Brings the next tick of this configuration forward.
pub(crate) fn wake_soon(number: u64) {
    let mut state = TICKER.state();
    if let Some(entry) = state.entry(number) {
        let now = now();
        let soon = entry.last.and_then(|last| last.checked_add(MIN_SOON));
        entry.due = entry.due.min(soon.map_or(now, |soon| soon.max(now)));
    }
    drop(state);
    TICKER.changed.notify_all();
}

/// Stops the ticks of this configuration. If it was the last one, the thread has ended
/// when this returns, except if this is called in the thread itself. Otherwise a tick that
/// was already due may follow.
pub(crate) fn unregister(number: u64) {
    let mut state = TICKER.state();
    let place = state.place(number).ok();
    let left = place.map(|place| state.entries.remove(place));
    let thread = if state.entries.is_empty() {
        state.generation = state.generation.wrapping_add(1);
        state.thread.take()
    } else {
        None
    };
    drop(state);
    TICKER.changed.notify_all();
    drop(left);
    if let Some(thread) = thread.filter(|it| it.thread().id() != thread::current().id()) {
        // The thread does not panic.
        let _ = thread.join();
    }
}

impl Ticker {
    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }

    fn run(&self, generation: u64) {
        let mut due = Vec::new();
        loop {
            let mut state = self.state();
            if state.generation != generation {
                return;
            }
            let now = now();
            let sleep = state.take_due(now, &mut due);
            if due.is_empty() {
                drop(self.changed.wait_timeout(state, sleep));
                continue;
            }
            drop(state);
            for (number, ticked) in due.drain(..) {
                let pause = ticked.request_ticks().clamp(MIN_PERIOD, MAX_PERIOD);
                drop(ticked);
                if let Some(entry) = self.state().entry(number) {
                    entry.due = entry.due.min(now.checked_add(pause).unwrap_or(now));
                }
            }
        }
    }
}

impl State {
    /// The index of an entry, or the index where it must be inserted.
    fn place(&self, number: u64) -> Result<usize, usize> {
        self.entries
            .binary_search_by_key(&number, |entry| entry.number)
    }

    fn entry(&mut self, number: u64) -> Option<&mut Entry> {
        let place = self.place(number).ok()?;
        self.entries.get_mut(place)
    }

    /// Adds the entries that are due to `due`, and returns the time until the next one. Until
    /// the pause of an entry is known, its next tick is as late as possible.
    fn take_due(&mut self, now: Instant, due: &mut Vec<(u64, Arc<dyn Ticked>)>) -> Duration {
        let mut sleep = MAX_PERIOD;
        for entry in &mut self.entries {
            if entry.due <= now {
                entry.due = now.checked_add(MAX_PERIOD).unwrap_or(now);
                entry.last = Some(now);
                due.push((entry.number, Arc::clone(&entry.ticked)));
            }
            sleep = sleep.min(entry.due.saturating_duration_since(now));
        }
        sleep
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "this thread provides the ticks of the others"
)]
fn now() -> Instant {
    Instant::now()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};
    use std::sync::mpsc::{self, Sender};

    use super::*;

    /// Held by tests that use the ticker, since there is one in a process.
    pub(crate) static ALONE: Mutex<()> = Mutex::new(());

    struct Fake(Sender<()>, Duration, AtomicU64);

    impl Ticked for Fake {
        fn request_ticks(&self) -> Duration {
            self.2.fetch_add(1, Ordering::Relaxed);
            let _ = self.0.send(());
            self.1
        }
    }

    #[test]
    fn it_ticks_while_entries_exist_and_ends_with_the_last_one() {
        let _alone = locked(&ALONE);
        let patience = Duration::from_secs(20);
        for number in 1..4 {
            let (sender, beats) = mpsc::channel();
            let fast = Arc::new(Fake(sender, Duration::from_millis(2), AtomicU64::new(0)));
            register(number, fast.clone()).unwrap();
            for _ in 0..5 {
                beats.recv_timeout(patience).unwrap();
            }
            let (sender, slow_beats) = mpsc::channel();
            let slow = Arc::new(Fake(sender, MAX_PERIOD, AtomicU64::new(0)));
            register(100 + number, slow.clone()).unwrap();
            slow_beats.recv_timeout(patience).unwrap();
            let began = now();
            wake_soon(100 + number);
            slow_beats.recv_timeout(patience).unwrap();
            assert!(began.elapsed() < MAX_PERIOD);
            unregister(number);
            // A tick that was already due ends, and no other follows while the thread goes on.
            let began = now();
            while Arc::strong_count(&fast) > 1 {
                assert!(began.elapsed() < patience);
                thread::yield_now();
            }
            let count = fast.2.load(Ordering::Relaxed);
            thread::sleep(Duration::from_millis(10));
            wake_soon(100 + number);
            slow_beats.recv_timeout(patience).unwrap();
            unregister(100 + number);
            assert_eq!(fast.2.load(Ordering::Relaxed), count);
            assert!(TICKER.state().thread.is_none());
            // Nothing holds them any more.
            assert_eq!(Arc::strong_count(&fast), 1);
            assert_eq!(Arc::strong_count(&slow), 1);
        }
    }

    /// Ends itself while its tick is requested, as a configuration does that Envoy drops at
    /// this moment.
    struct Dropped(u64, Sender<u64>);

    impl Ticked for Dropped {
        fn request_ticks(&self) -> Duration {
            unregister(self.0);
            let _ = self.1.send(self.0);
            MAX_PERIOD
        }
    }

    #[test]
    fn a_configuration_may_end_while_its_tick_is_requested() {
        let _alone = locked(&ALONE);
        let patience = Duration::from_secs(20);
        let (sender, ended) = mpsc::channel();
        // The last one ends the thread, and the next one starts another.
        for first in [1, 3] {
            for number in [first, first + 1] {
                register(number, Arc::new(Dropped(number, sender.clone()))).unwrap();
            }
            let mut numbers = [(); 2].map(|()| ended.recv_timeout(patience).unwrap());
            numbers.sort_unstable();
            assert_eq!(numbers, [first, first + 1]);
            let state = TICKER.state();
            assert!(state.entries.is_empty() && state.thread.is_none());
        }
    }
}
