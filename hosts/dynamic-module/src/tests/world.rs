//! The fake Envoy's state for one thread: its streams, metrics, clock and event loop.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::{c_int, c_void};
use std::ptr;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, Once};
use std::time::Duration;

use edge_authz::time::UnixTime;

use super::callbacks;
use super::fault::{CLOCK, Call, Fault, Phase};
use crate::{abi, clock};

/// Names and values, in order.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// 2026-01-01T00:00:00Z in seconds.
pub(super) const START: u64 = 1_767_225_600;

/// A reply of the module, as the client receives it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u32,
    pub(super) details: String,
    pub(super) body: String,
    pub(super) headers: Fields,
}

/// A part of a request that Envoy holds until the request continues.
#[derive(Clone, Copy, Debug)]
pub(super) enum Part {
    Body,
    Trailers,
}

/// A request.
#[derive(Debug)]
pub(super) struct Stream {
    pub(super) module: *mut c_void,
    pub(super) request: Fields,
    pub(super) trailers: Fields,
    pub(super) response: Fields,
    /// The headers that the upstream received.
    pub(super) forwarded: Option<Fields>,
    /// The parts that arrived after the headers were stopped.
    pub(super) held: Vec<Part>,
    pub(super) reply: Option<Reply>,
    /// Whether its last hook has been called.
    pub(super) is_over: bool,
    pub(super) metadata: BTreeMap<String, String>,
    pub(super) filter_state: BTreeMap<String, String>,
    /// What Envoy reports about the client's certificate.
    pub(super) certificate: Option<&'static str>,
    /// The address of the route's configuration, or 0.
    pub(super) route: usize,
}

impl Stream {
    pub(super) fn new(request: Fields) -> Self {
        Self {
            module: ptr::null_mut(),
            request,
            trailers: Fields::new(),
            response: Fields::new(),
            forwarded: None,
            held: Vec::new(),
            reply: None,
            is_over: false,
            metadata: BTreeMap::new(),
            filter_state: BTreeMap::new(),
            certificate: None,
            route: 0,
        }
    }
}

/// A request that the module sent to a cluster.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) config: usize,
    pub(super) number: u64,
    pub(super) cluster: String,
    pub(super) headers: Fields,
}

/// A change of a header.
pub(super) enum Edit {
    Remove,
    Set(Vec<u8>),
    Add(Vec<u8>),
}

/// The target of a scheduler.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Target {
    Config(usize),
    Stream(usize),
}

/// The event loop of a thread.
#[derive(Debug, Default)]
pub(super) struct Queue {
    events: Mutex<VecDeque<(Target, u64)>>,
    changed: Condvar,
}

impl Queue {
    pub(super) fn push(&self, target: Target, event: u64) {
        self.events.lock().unwrap().push_back((target, event));
        self.changed.notify_all();
    }

    /// The next event; `None` if none arrives within this time.
    pub(super) fn pop(&self, patience: Duration) -> Option<(Target, u64)> {
        let events = self.events.lock().unwrap();
        let waits = |events: &mut VecDeque<_>| events.is_empty();
        let waited = self.changed.wait_timeout_while(events, patience, waits);
        waited.unwrap().0.pop_front()
    }
}

pub(super) struct Scheduler {
    pub(super) target: Target,
    pub(super) queue: Arc<Queue>,
    pub(super) alive: Arc<AtomicUsize>,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) nanos: u64,
    pub(super) log: Vec<(c_int, String)>,
    pub(super) log_level: c_int,
    pub(super) workers: u32,
    /// The index of this thread.
    pub(super) worker: u32,
    pub(super) is_validation: bool,
    pub(super) streams: BTreeMap<usize, Stream>,
    pub(super) sent: Vec<Sent>,
    /// For each metric, by id: whether it is a counter, its name and its labels.
    metrics: Vec<(bool, String, Vec<String>)>,
    /// The values, by name and label values joined by dots.
    pub(super) values: BTreeMap<String, i64>,
    pub(super) queue: Arc<Queue>,
    /// The number of existing schedulers.
    pub(super) schedulers: Arc<AtomicUsize>,
    /// Whether the module has violated the interface.
    pub(super) is_wrong: bool,
    pub(super) fault: Option<Fault>,
    pub(super) phase: Option<Phase>,
    /// The number of times that each call was made in the current hook.
    pub(super) calls: BTreeMap<Call, usize>,
    /// The maximum number of times that a call was made in one hook of a phase.
    pub(super) made: BTreeMap<(Phase, Call), usize>,
    last: usize,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub(super) fn with_world<T>(act: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|world| act(&mut world.borrow_mut()))
}

/// Prepares this thread. Only the test advances the time; the module's own thread does
/// not tick.
pub(super) fn begin(worker: u32) {
    static LOADED: Once = Once::new();
    LOADED.call_once(|| {
        abi::load_from(callbacks::find).expect("every function that the module needs");
    });
    with_world(|world| {
        world.nanos = START * 1_000_000_000;
        world.log_level = 0;
        world.workers = 2;
        world.worker = worker;
        world.is_validation = true;
        world.last = 100;
    });
    clock::tests::CLOCK.set(Some(now));
}

/// Runs a test on its own thread, because the module has state for each thread.
pub(super) fn in_worker<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let worker = || {
        begin(0);
        test()
    };
    match std::thread::scope(|scope| scope.spawn(worker).join()) {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

fn now() -> Option<UnixTime> {
    match with_world(|world| world.fault_of(CLOCK)) {
        None => Some(UnixTime::from_nanos(with_world(|world| world.nanos).into())),
        Some(1) => None,
        Some(_) => panic!("the clock panics"),
    }
}

impl World {
    /// How this call fails now; `None` if it succeeds.
    pub(super) fn fault_of(&mut self, call: Call) -> Option<i32> {
        let phase = self.phase?;
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let most = self.made.entry((phase, call)).or_default();
        *most = (*most).max(*count);
        let fault = self.fault?;
        (fault.call == call && fault.phase == phase && *count > fault.after).then_some(fault.way)
    }

    pub(super) fn next(&mut self) -> usize {
        self.last += 1;
        self.last
    }

    pub(super) fn stream(&mut self, id: usize) -> Option<&mut Stream> {
        self.streams.get_mut(&id)
    }

    /// A list of header fields. A request's fields can be read until it continues.
    pub(super) fn list(&mut self, id: usize, list: c_int) -> Option<&mut Fields> {
        let phase = self.phase;
        let stream = self.streams.get_mut(&id)?;
        match list {
            0 => Some(&mut stream.request),
            1 => Some(&mut stream.trailers),
            2 if phase == Some(Phase::ResponseHeaders) => Some(&mut stream.response),
            other => panic!("no list {other} in {phase:?}"),
        }
    }

    pub(super) fn edit(&mut self, id: usize, list: c_int, name: Vec<u8>, edit: Edit) -> bool {
        if let Edit::Set(value) | Edit::Add(value) = &edit {
            assert!(is_one_line(&name) && is_one_line(value), "{value:?}");
        }
        let stream = self.stream(id).expect("a stream");
        assert!(
            list != 0 || stream.forwarded.is_none(),
            "a request is changed after it was forwarded"
        );
        let Some(fields) = self.list(id, list) else {
            return false;
        };
        let is_named = |field: &(Vec<u8>, Vec<u8>)| field.0.eq_ignore_ascii_case(&name);
        match edit {
            Edit::Remove => fields.retain(|field| !is_named(field)),
            Edit::Set(value) => {
                fields.retain(|field| !is_named(field));
                fields.push((name, value));
            }
            Edit::Add(value) => fields.push((name, value)),
        }
        true
    }

    pub(super) fn reply(
        &mut self,
        id: usize,
        status: u32,
        headers: Fields,
        body: String,
        details: String,
    ) {
        assert!((200..600).contains(&status), "status {status}");
        let safe = |(name, value): &(Vec<u8>, Vec<u8>)| is_one_line(name) && is_one_line(value);
        assert!(headers.iter().all(safe), "{headers:?}");
        let stream = self.stream(id).expect("a stream");
        // As in Envoy, the first of two replies is sent.
        stream.reply.get_or_insert(Reply {
            status,
            details,
            body,
            headers,
        });
    }

    pub(super) fn define(&mut self, is_counter: bool, name: String, labels: Vec<String>) -> usize {
        assert_eq!(self.phase, Some(Phase::ConfigNew), "{name}: it is too late");
        self.metrics.push((is_counter, name, labels));
        self.metrics.len() - 1
    }

    pub(super) fn change(
        &mut self,
        id: usize,
        labels: Vec<String>,
        of_counter: bool,
        to: impl FnOnce(i64) -> i64,
    ) -> c_int {
        const NOT_FOUND: c_int = 1;
        const WRONG_LABELS: c_int = 2;
        let Some((is_counter, name, names)) = self.metrics.get(id) else {
            return NOT_FOUND;
        };
        if names.len() != labels.len() {
            return WRONG_LABELS;
        }
        assert_eq!(*is_counter, of_counter, "{name}");
        let series = [name.clone()].into_iter().chain(labels);
        let series = series.collect::<Vec<_>>().join(".");
        let value = self.values.entry(series).or_default();
        *value = to(*value);
        0
    }

    pub(super) fn scheduler(&mut self, target: Target) -> Scheduler {
        self.schedulers.fetch_add(1, Ordering::Relaxed);
        Scheduler {
            target,
            queue: Arc::clone(&self.queue),
            alive: Arc::clone(&self.schedulers),
        }
    }
}

fn is_one_line(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()))
        .collect()
}

/// The values of a header.
pub(super) fn values(fields: &Fields, name: &str) -> Vec<String> {
    let values = fields
        .iter()
        .filter(|(present, _)| present == name.as_bytes());
    values
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}
