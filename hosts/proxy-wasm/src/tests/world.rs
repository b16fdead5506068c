//! The proxy around the filter: streams, shared data, the clock, and the faults of each.

use std::cell::RefCell;
use std::collections::{BTreeMap, VecDeque};

use super::abi::Returned;
pub(super) use super::fault::{Call, Failure, Fault, Phase};
use super::fields::deserialised;
pub(super) use super::fields::{Fields, fields, serialised, values};
use super::verifier;

/// 2026-01-01T00:00:00Z in seconds.
pub(super) const START: u64 = 1_767_225_600;

/// What the proxy does for a call of the filter once the callback has returned.
#[derive(Clone, Copy, Debug)]
pub(super) enum Action {
    Resume(u32),
    Reply(u32),
}

/// A reply of the filter, as the client gets it.
#[derive(Clone, Debug, Default)]
pub(super) struct Reply {
    pub(super) status: u32,
    pub(super) details: String,
    pub(super) body: String,
    pub(super) headers: Fields,
}

/// A request.
#[derive(Debug, Default)]
pub(super) struct Stream {
    pub(super) request: Fields,
    pub(super) trailers: Fields,
    pub(super) response: Fields,
    /// The headers that the upstream got.
    pub(super) forwarded: Option<Fields>,
    pub(super) reply: Option<Reply>,
    /// Whether the reply went through the filter's response callback.
    pub(super) reply_shown: bool,
    pub(super) reset: bool,
    pub(super) filter_state: BTreeMap<String, String>,
}

/// The result of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The upstream got it, with these headers.
    Forwarded(Fields),
    /// The client got this.
    Answered(Reply),
    Waits,
    Reset,
}

/// A request of the filter to a cluster.
#[derive(Clone, Debug)]
pub(super) struct Sent {
    pub(super) token: u32,
    pub(super) cluster: String,
    pub(super) headers: Fields,
    pub(super) timeout: u32,
    pub(super) root: u32,
}

#[derive(Debug, Default)]
pub(super) struct World {
    pub(super) nanos: u64,
    /// The last random byte.
    pub(super) random: u8,
    pub(super) log: Vec<(u32, String)>,
    pub(super) log_level: u32,
    pub(super) tick_period: u32,
    pub(super) shared: BTreeMap<String, (Vec<u8>, u32)>,
    pub(super) streams: BTreeMap<u32, Stream>,
    pub(super) sent: Vec<Sent>,
    pub(super) fault: Option<Fault>,
    /// If false, the host has no `verify_signature`.
    pub(super) verifies: bool,
    pub(super) verifications: usize,
    pub(super) configuration: Vec<u8>,
    /// The plugin name of the configurations.
    pub(super) plugin: &'static str,
    /// What the host reports about the client's certificate.
    pub(super) certificate_digest: Option<&'static str>,
    pub(super) answer: Option<(Fields, Vec<u8>)>,
    /// Kinds and names of the metrics. The index is the id minus one. A host makes a new
    /// id for each call, and never frees one.
    pub(super) metrics: Vec<(u32, String)>,
    pub(super) values: BTreeMap<String, i64>,
    changes: u32,
    pub(super) next_id: u32,
    pub(super) current: u32,
    pub(super) effective: u32,
    pub(super) phase: Option<Phase>,
    /// Pending actions, in order.
    pub(super) actions: VecDeque<Action>,
    /// The requests of the actions that were performed, in order.
    pub(super) acted: Vec<u32>,
    /// The number of nested actions in progress, and its maximum so far.
    pub(super) depth: usize,
    pub(super) deepest: usize,
    /// Whether the proxy itself answers requests that continue, at once.
    pub(super) answers_itself: bool,
    /// How often each call was made in the current callback.
    pub(super) calls: BTreeMap<Call, usize>,
    /// The maximum number of times that a call was made in one callback of a phase.
    pub(super) made: BTreeMap<(Phase, Call), usize>,
}

thread_local! {
    static WORLD: RefCell<World> = RefCell::default();
}

pub(super) fn with_world<T>(act: impl FnOnce(&mut World) -> T) -> T {
    WORLD.with(|world| act(&mut world.borrow_mut()))
}

/// Runs a test in its own worker, because the SDK's state belongs to a thread.
pub(super) fn in_worker<T: Send>(test: impl FnOnce() -> T + Send) -> T {
    let worker = || {
        // The world is created before the filter, and so outlives it.
        with_world(|world| {
            world.nanos = START * 1_000_000_000;
            world.log_level = 1;
            world.verifies = true;
            world.next_id = 100;
        });
        crate::entry::_initialize();
        test()
    };
    match std::thread::scope(|scope| scope.spawn(worker).join()) {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic),
    }
}

const BAD_ARGUMENT: u32 = 2;

impl World {
    /// Whether a call fails, and how if not by its status.
    pub(super) fn status(&mut self, call: Call) -> Returned<Option<Failure>> {
        match self.fault_of(call) {
            Some(Failure::Status(status)) => Err(status),
            failure => Ok(failure),
        }
    }

    fn fault_of(&mut self, call: Call) -> Option<Failure> {
        let phase = self.phase?;
        let count = self.calls.entry(call).or_default();
        *count += 1;
        let most = self.made.entry((phase, call)).or_default();
        *most = (*most).max(*count);
        let fault = self.fault?;
        (fault.call == call && fault.phase == phase && *count > fault.after)
            .then_some(fault.failure)
    }

    /// The data that the module gets. `None` means a size without a pointer.
    pub(super) fn garble(failure: Option<Failure>, bytes: Vec<u8>) -> Option<Vec<u8>> {
        match failure {
            None | Some(Failure::Status(_)) => Some(bytes),
            Some(Failure::NoMemory) => None,
            Some(Failure::Half) => Some(bytes[..bytes.len() / 2].to_vec()),
            Some(Failure::Noise) => Some(vec![0xff; bytes.len()]),
            Some(Failure::Nothing) => Some(Vec::new()),
        }
    }

    fn context(&self) -> u32 {
        if self.effective == 0 {
            self.current
        } else {
            self.effective
        }
    }

    pub(super) fn set_effective(&mut self, context: u32) -> Returned<()> {
        if context >= 100 && !self.streams.contains_key(&context) {
            return Err(BAD_ARGUMENT);
        }
        self.effective = context;
        Ok(())
    }

    pub(super) fn buffer(&self, buffer: u32, start: usize, max: usize) -> Returned<Vec<u8>> {
        let bytes = match buffer {
            4 => &self.answer.as_ref().ok_or(1_u32)?.1,
            7 => &self.configuration,
            other => panic!("no buffer {other}"),
        };
        Ok(bytes[start..bytes.len().min(start + max)].to_vec())
    }

    /// The fields of a list. A request's fields are available until it continues.
    pub(super) fn fields(&mut self, map: u32, write: bool) -> Returned<&mut Fields> {
        if map == 6 {
            assert!(!write);
            assert!(self.answer.is_some(), "a missing answer is read");
            return self
                .answer
                .as_mut()
                .map(|(fields, _)| fields)
                .ok_or(BAD_ARGUMENT);
        }
        let (context, phase) = (self.context(), self.phase);
        let stream = self.streams.get_mut(&context).ok_or(BAD_ARGUMENT)?;
        match map {
            0 => {
                assert!(
                    stream.forwarded.is_none(),
                    "a request is read after it was forwarded"
                );
                Ok(&mut stream.request)
            }
            1 => Ok(&mut stream.trailers),
            2 if phase == Some(Phase::ResponseHeaders) => Ok(&mut stream.response),
            other => panic!("no map {other} in {phase:?}"),
        }
    }

    pub(super) fn resume(&mut self) -> Returned<()> {
        let context = self.context();
        let stream = self.streams.get_mut(&context).ok_or(BAD_ARGUMENT)?;
        assert!(
            stream.reply.is_none() && !stream.reset,
            "an answered request is not forwarded"
        );
        assert!(stream.forwarded.is_none(), "a request is forwarded once");
        stream.forwarded = Some(stream.request.clone());
        self.actions.push_back(Action::Resume(context));
        Ok(())
    }

    pub(super) fn close(&mut self) -> Returned<()> {
        let context = self.context();
        self.streams.get_mut(&context).ok_or(BAD_ARGUMENT)?.reset = true;
        Ok(())
    }

    pub(super) fn reply(
        &mut self,
        status: u32,
        details: String,
        body: Vec<u8>,
        headers: &[u8],
    ) -> Returned<()> {
        let context = self.context();
        let stream = self.streams.get_mut(&context).ok_or(BAD_ARGUMENT)?;
        assert!((200..600).contains(&status), "status {status}");
        let safe = |byte: &u8| matches!(byte, 0x20..=0x7e);
        let headers = deserialised(headers);
        assert!(
            headers
                .iter()
                .all(|(name, value)| name.iter().chain(value).all(safe))
        );
        // As in Envoy, the first of two replies counts.
        stream.reply.get_or_insert(Reply {
            status,
            details,
            body: String::from_utf8(body).unwrap(),
            headers,
        });
        self.actions.push_back(Action::Reply(context));
        Ok(())
    }

    pub(super) fn set_filter_state(&mut self, path: String, value: String) -> Returned<()> {
        let context = self.context();
        let stream = self.streams.get_mut(&context).ok_or(1_u32)?;
        stream.filter_state.insert(path, value);
        Ok(())
    }

    pub(super) fn set_shared(&mut self, key: String, value: Vec<u8>, cas: u32) -> Returned<()> {
        let known = self.shared.get(&key).map(|(_, change)| *change);
        if cas != 0 && known.is_some_and(|known| known != cas) {
            return Err(8);
        }
        self.changes += 1;
        self.shared.insert(key, (value, self.changes));
        Ok(())
    }

    pub(super) fn define_metric(&mut self, kind: u32, name: String) -> u32 {
        self.metrics.push((kind, name));
        u32::try_from(self.metrics.len()).unwrap()
    }

    fn metric(&self, id: u32) -> Returned<&(u32, String)> {
        self.metrics.get(usize::try_from(id).unwrap() - 1).ok_or(1)
    }

    pub(super) fn record_metric(&mut self, id: u32, value: u64) -> Returned<()> {
        let (kind, name) = self.metric(id)?.clone();
        assert_eq!(kind, 1, "only gauges are set");
        self.values.insert(name, i64::try_from(value).unwrap());
        Ok(())
    }

    pub(super) fn increment_metric(&mut self, id: u32, offset: i64) -> Returned<()> {
        let (kind, name) = self.metric(id)?.clone();
        if kind == 0 && offset <= 0 {
            return Err(BAD_ARGUMENT);
        }
        *self.values.entry(name).or_default() += offset;
        Ok(())
    }

    pub(super) fn foreign(&mut self, name: &str, arguments: &[u8]) -> Returned<Vec<u8>> {
        self.verifications += 1;
        if !self.verifies || name != "verify_signature" {
            return Err(1);
        }
        Ok(verifier::verify(arguments))
    }

    pub(super) fn http_call(&mut self, cluster: String, headers: &[u8], timeout: u32) -> u32 {
        let root = self.context();
        assert!(root < 100, "only the root context outlives what it asks");
        assert!(timeout > 0);
        self.next_id += 1;
        let token = self.next_id;
        self.sent.push(Sent {
            token,
            cluster,
            headers: deserialised(headers),
            timeout,
            root,
        });
        token
    }
}
