//! The host: streams, shared data, the clock, and the faults of each.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use aws_lc_rs::signature::{ECDSA_P256_SHA256_ASN1, UnparsedPublicKey};

use super::super::{Host, HostError, Reporting};
use super::exchange::Handle;
use crate::crypto::{Algorithm, HostCheck, HostSignatures};
use crate::engine::{FetchCall, NoRandomness, NotSet, SharedData, StreamId, Unavailable};
use crate::telemetry::{Change, Level, Metric, MetricKind, NotSent};
use crate::time::UnixTime;

/// 2026-01-01T00:00:00Z in seconds.
pub(super) const START: u64 = 1_767_225_600;

pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The calls of the host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Call {
    Time,
    LogLevel,
    Log,
    DefineMetric,
    ChangeMetric,
    TickPeriod,
    Send,
    GetShared,
    SetShared,
    Verify,
    WithWaiting,
    Headers,
    SetHeader,
    AddHeader,
    RemoveHeader,
    Resume,
    Reply,
    Reset,
    FilterState,
    Certificate,
    AnswerHead,
    AnswerBody,
}

/// How a call fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    Error(HostError),
    NotSent(NotSent),
    NotSet(NotSet),
    /// Only the first half of the data.
    Half,
    /// Other bytes.
    Noise,
    /// No data.
    Nothing,
}

/// The callbacks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Phase {
    Start,
    RequestHeaders,
    RequestTrailers,
    Tick,
    Fetched,
    ResponseHeaders,
    Ended,
}

/// A fault.
#[derive(Clone, Copy, Debug)]
pub(super) struct Fault {
    pub(super) call: Call,
    pub(super) failure: Failure,
    pub(super) phase: Phase,
    /// The number of earlier calls in the callback that succeed.
    pub(super) after: usize,
}

/// A reply of the filter, as the client gets it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) details: String,
    pub(super) headers: Fields,
}

/// A request.
#[derive(Debug, Default)]
pub(super) struct Held {
    pub(super) request: Fields,
    pub(super) trailers: Fields,
    pub(super) response: Fields,
    /// The headers that the upstream got.
    pub(super) forwarded: Option<Fields>,
    /// The trailers that the upstream got with them, as they had arrived before.
    pub(super) forwarded_trailers: Fields,
    pub(super) reply: Option<Reply>,
    pub(super) reset: bool,
    pub(super) filter_state: BTreeMap<String, String>,
}

#[derive(Debug)]
pub(super) struct World {
    pub(super) nanos: u64,
    pub(super) log: Vec<(Level, String)>,
    pub(super) log_level: Option<Level>,
    pub(super) tick_period: Duration,
    pub(super) shared: BTreeMap<String, (Vec<u8>, u32)>,
    pub(super) streams: BTreeMap<StreamId, Held>,
    pub(super) sent: Vec<(u64, FetchCall)>,
    pub(super) answer: Option<(Fields, Vec<u8>)>,
    pub(super) fault: Option<Fault>,
    /// The digest of the client's certificate.
    pub(super) certificate: Option<[u8; 32]>,
    /// Whether the host has its own signature verification.
    pub(super) verifies: bool,
    pub(super) metrics: Vec<(MetricKind, String)>,
    pub(super) values: BTreeMap<String, i64>,
    changes: u32,
    pub(super) next_id: u32,
    pub(super) phase: Option<Phase>,
    /// Replies and resumptions since the callback began, in order.
    pub(super) acted: Vec<StreamId>,
    /// Whether the host passes its replies to the response callback.
    pub(super) shows_replies: bool,
    /// How often each call was made in the current callback.
    pub(super) calls: BTreeMap<Call, usize>,
    /// The maximum number of times that a call was made in one callback of a phase.
    pub(super) made: BTreeMap<(Phase, Call), usize>,
}

impl World {
    pub(super) fn new() -> Self {
        Self {
            nanos: START * 1_000_000_000,
            log: Vec::new(),
            log_level: Some(Level::Debug),
            tick_period: Duration::ZERO,
            shared: BTreeMap::new(),
            streams: BTreeMap::new(),
            sent: Vec::new(),
            answer: None,
            fault: None,
            certificate: None,
            verifies: true,
            metrics: Vec::new(),
            values: BTreeMap::new(),
            changes: 0,
            next_id: 100,
            phase: None,
            acted: Vec::new(),
            shows_replies: true,
            calls: BTreeMap::new(),
            made: BTreeMap::new(),
        }
    }

    /// Records a call, and returns how it fails, if it does.
    pub(super) fn failure(&mut self, call: Call) -> Option<Failure> {
        let phase = self.phase?;
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let most = self.made.entry((phase, call)).or_default();
        *most = (*most).max(*count);
        let fault = self.fault?;
        (fault.call == call && fault.phase == phase && *count > fault.after)
            .then_some(fault.failure)
    }

    /// Records a call that either fails with an error or succeeds.
    pub(super) fn check(&mut self, call: Call) -> Result<(), HostError> {
        match self.failure(call) {
            None => Ok(()),
            Some(Failure::Error(error)) => Err(error),
            Some(other) => panic!("{call:?} does not fail with {other:?}"),
        }
    }
}

/// The data that the filter gets.
fn garbled(failure: Option<Failure>, bytes: Vec<u8>) -> Option<Vec<u8>> {
    match failure {
        None => Some(bytes),
        Some(Failure::Half) => Some(bytes[..bytes.len() / 2].to_vec()),
        Some(Failure::Noise) => Some(vec![0xff; bytes.len()]),
        Some(Failure::Nothing) => Some(Vec::new()),
        Some(_) => None,
    }
}

thread_local! {
    /// The last random byte; `None` if the host has none.
    pub(super) static RANDOM: Cell<Option<u8>> = const { Cell::new(Some(0)) };
}

/// The host, as the driver sees it.
#[derive(Clone, Debug)]
pub(super) struct Fake(pub(super) Rc<RefCell<World>>);

impl Reporting for Fake {
    type MetricId = usize;

    fn log_level(&self) -> Result<Option<Level>, HostError> {
        let mut world = self.0.borrow_mut();
        world.check(Call::LogLevel)?;
        Ok(world.log_level)
    }

    fn log(&self, level: Level, line: &str) {
        let mut world = self.0.borrow_mut();
        if world.check(Call::Log).is_ok() {
            world.log.push((level, line.to_owned()));
        }
    }

    fn define_metric(&self, metric: &Metric) -> Result<usize, HostError> {
        let mut world = self.0.borrow_mut();
        world.check(Call::DefineMetric)?;
        world.metrics.push((metric.kind(), metric.name()));
        Ok(world.metrics.len() - 1)
    }

    fn change_metric(&self, id: usize, change: Change) -> Result<(), HostError> {
        let mut world = self.0.borrow_mut();
        world.check(Call::ChangeMetric)?;
        let (kind, name) = world.metrics[id].clone();
        let value = world.values.entry(name).or_default();
        match change {
            Change::Add(offset) => {
                assert!(
                    kind == MetricKind::Gauge || offset > 0,
                    "counters only increase"
                );
                *value += offset;
            }
            Change::Set(to) => {
                assert_eq!(kind, MetricKind::Gauge, "only gauges are set");
                *value = i64::try_from(to).unwrap();
            }
        }
        Ok(())
    }
}

impl Host for Fake {
    type Exchange = Handle;
    type CallId = u64;

    fn now(&self) -> Result<UnixTime, HostError> {
        let mut world = self.0.borrow_mut();
        world.check(Call::Time)?;
        Ok(UnixTime::from_nanos(i128::from(world.nanos)))
    }

    fn random(secret: &mut [u8; 32]) -> Result<(), NoRandomness> {
        let random = RANDOM.get().ok_or(NoRandomness)?.wrapping_add(1);
        RANDOM.set(Some(random));
        secret.fill(random);
        Ok(())
    }

    fn set_tick_period(&self, period: Duration) -> Result<(), HostError> {
        assert!(!period.is_zero());
        let mut world = self.0.borrow_mut();
        world.check(Call::TickPeriod)?;
        world.tick_period = period;
        Ok(())
    }

    fn send(&self, call: &FetchCall) -> Result<u64, NotSent> {
        let mut world = self.0.borrow_mut();
        match world.failure(Call::Send) {
            None => {}
            Some(Failure::NotSent(why)) => return Err(why),
            Some(other) => panic!("{other:?}"),
        }
        world.next_id += 1;
        let number = u64::from(world.next_id);
        world.sent.push((number, call.clone()));
        Ok(number)
    }

    fn shared_data(&self) -> &dyn SharedData {
        self
    }

    fn signatures(&self) -> &dyn HostSignatures {
        self
    }

    fn with_waiting(
        &self,
        stream: StreamId,
        act: &mut dyn FnMut(&Handle),
    ) -> Result<(), HostError> {
        self.0.borrow_mut().check(Call::WithWaiting)?;
        if !self.0.borrow().streams.contains_key(&stream) {
            return Err(HostError::NotFound);
        }
        act(&self.exchange(stream));
        Ok(())
    }
}

impl Fake {
    pub(super) fn exchange(&self, stream: StreamId) -> Handle {
        Handle {
            world: Rc::clone(&self.0),
            stream,
        }
    }
}

impl SharedData for Fake {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        let mut world = self.0.borrow_mut();
        let failure = world.failure(Call::GetShared);
        let Some((bytes, change)) = world.shared.get(key).cloned() else {
            return match failure {
                Some(Failure::Error(_)) => Err(Unavailable),
                _ => Ok(None),
            };
        };
        let bytes = garbled(failure, bytes).ok_or(Unavailable)?;
        Ok(Some((bytes, change)))
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        let mut world = self.0.borrow_mut();
        if let Some(Failure::NotSet(why)) = world.failure(Call::SetShared) {
            return Err(why);
        }
        let known = world.shared.get(key).map(|(_, change)| *change);
        if last_change.is_some() && known.is_some() && known != last_change {
            return Err(NotSet::Changed);
        }
        world.changes += 1;
        let entry = (value.to_vec(), world.changes);
        world.shared.insert(key.to_owned(), entry);
        Ok(())
    }
}

impl HostSignatures for Fake {
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let mut world = self.0.borrow_mut();
        if world.failure(Call::Verify).is_some() || !world.verifies {
            return None;
        }
        assert_eq!(check.algorithm(), Algorithm::Es256);
        let spki = check.spki_der();
        let point = &spki[spki.len() - 65..];
        let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, point);
        Some(key.verify(check.message(), check.signature()).is_ok())
    }
}

impl World {
    /// The answer's body, for the callback that brings it.
    pub(super) fn answer_body(&mut self) -> Option<Vec<u8>> {
        let failure = self.failure(Call::AnswerBody);
        let (_, body) = self.answer.as_ref().expect("an answer that came");
        garbled(failure, body.clone())
    }
}
