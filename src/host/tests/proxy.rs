//! A proxy that uses the filter: requests arrive, issuers answer, and time passes. Tests
//! read the results here.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::rc::Rc;
use std::time::Duration;

use super::super::{Driver, MAX_ANSWERS, Passage, Room, Stream, Ticks};
use super::exchange::Handle;
use super::world::{Call, Fake, Fields, Held, Phase, Reply, World};
use crate::engine::{Answer, Effect, FetchCall, StreamId};
use crate::http::HeaderMap;
use crate::keys::answer::AnswerHead;

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

/// A worker of a proxy, with one listener.
pub(super) struct Proxy {
    pub(super) host: Rc<Fake>,
    ticks: Rc<Ticks>,
    in_force: Option<Rc<Driver<Fake>>>,
    leaving: Vec<Rc<Driver<Fake>>>,
    streams: BTreeMap<StreamId, (Rc<Driver<Fake>>, Rc<Stream>)>,
    configurations: u32,
}

impl Proxy {
    /// A worker without a configuration.
    pub(super) fn new() -> Self {
        Self {
            host: Rc::new(Fake(Rc::new(RefCell::new(World::new())))),
            ticks: Rc::default(),
            in_force: None,
            leaving: Vec::new(),
            streams: BTreeMap::new(),
            configurations: 0,
        }
    }

    /// A worker with this configuration active.
    pub(super) fn with(configuration: &str) -> Self {
        let mut proxy = Self::new();
        assert!(proxy.configure(configuration));
        proxy
    }

    pub(super) fn world(&self) -> RefMut<'_, World> {
        self.host.0.borrow_mut()
    }

    fn begin(&self, phase: Phase) {
        let mut world = self.world();
        world.phase = Some(phase);
        world.calls.clear();
        world.acted.clear();
    }

    /// Ends a callback. The host acts at this point: it passes replies to the response
    /// callback.
    fn end(&mut self) {
        self.world().phase = None;
        let acted = std::mem::take(&mut self.world().acted);
        assert!(
            acted.len() <= MAX_ANSWERS,
            "{} in one callback",
            acted.len()
        );
        for id in &acted {
            self.show_reply(*id);
        }
        self.world().acted = acted;
    }

    fn show_reply(&mut self, id: StreamId) {
        let (driver, stream) = self.streams[&id].clone();
        {
            let mut world = self.world();
            let shows_replies = world.shows_replies;
            let held = world.streams.get_mut(&id).unwrap();
            let Some(reply) = held.reply.as_ref().filter(|_| shows_replies) else {
                return;
            };
            held.response = vec![(b":status".to_vec(), reply.status.to_string().into())];
            held.response.extend(reply.headers.clone());
        }
        self.begin(Phase::ResponseHeaders);
        let passage = driver.response_headers(&self.host.exchange(id), &stream);
        let mut world = self.world();
        world.phase = None;
        let held = world.streams.get_mut(&id).unwrap();
        if passage == Passage::Continue {
            held.reply.as_mut().unwrap().headers = held.response.clone();
        }
    }

    /// Activates a configuration. Returns false if the host cannot support one.
    pub(super) fn configure(&mut self, configuration: &str) -> bool {
        let policy = crate::config::compile(configuration.as_bytes()).expect("a configuration");
        self.configurations += 1;
        self.begin(Phase::Start);
        let driver = Driver::start(&self.host, &self.ticks, policy, self.configurations);
        let is_in_force = driver.is_some();
        let former = std::mem::replace(&mut self.in_force, driver);
        self.leaving.extend(former);
        self.answer_superseded(&Room::new());
        self.end();
        is_in_force
    }

    fn answer_superseded(&mut self, room: &Room) {
        self.leaving.retain(|driver| driver.leave(room));
        self.ticks
            .set_hurried(&*self.host, !self.leaving.is_empty());
    }

    /// The driver of the active configuration.
    pub(super) fn driver(&self) -> Rc<Driver<Fake>> {
        Rc::clone(self.in_force.as_ref().expect("a configuration"))
    }

    /// Starts a request, without a body so far.
    pub(super) fn request(&mut self, headers: &[(&str, &str)]) -> StreamId {
        let driver = self.driver();
        self.request_of(&driver, headers)
    }

    /// Starts a request at a certain driver.
    pub(super) fn request_to(
        &mut self,
        driver: &Rc<Driver<Fake>>,
        path: &str,
        token: &str,
    ) -> StreamId {
        let headers = [
            (":method", "GET"),
            (":path", path),
            (":authority", "api.example"),
            ("authorization", &format!("Bearer {token}")),
        ];
        self.request_of(driver, &headers)
    }

    fn request_of(&mut self, driver: &Rc<Driver<Fake>>, headers: &[(&str, &str)]) -> StreamId {
        let mut world = self.world();
        world.next_id += 1;
        let id = StreamId(world.next_id);
        let held = Held {
            request: fields(headers),
            ..Held::default()
        };
        world.streams.insert(id, held);
        drop(world);
        let stream = Stream::new(id);
        self.streams
            .insert(id, (Rc::clone(driver), Rc::clone(&stream)));
        self.begin(Phase::RequestHeaders);
        let passage = driver.request_headers(&self.exchange(id), &stream);
        self.continues(id, passage);
        self.end();
        id
    }

    fn exchange(&self, id: StreamId) -> Handle {
        self.host.exchange(id)
    }

    /// Whether a part continues. As in Envoy when headers do not hold the body back, the
    /// part takes the headers with it.
    fn continues(&self, id: StreamId, passage: Passage) -> bool {
        let mut world = self.world();
        let held = world.streams.get_mut(&id).unwrap();
        let continues = passage == Passage::Continue && held.reply.is_none() && !held.reset;
        if continues && held.forwarded.is_none() {
            held.forwarded = Some(held.request.clone());
        }
        continues
    }

    /// Sends a part of the body. Returns whether it continues.
    pub(super) fn body(&self, id: StreamId) -> bool {
        let (_, stream) = &self.streams[&id];
        self.continues(id, stream.passage())
    }

    /// Sends trailers. Returns the fields that continue, if they do.
    pub(super) fn trailers(&mut self, id: StreamId, trailers: &[(&str, &str)]) -> Option<Fields> {
        self.held(id, |held| held.trailers = fields(trailers));
        let (driver, stream) = self.streams[&id].clone();
        self.begin(Phase::RequestTrailers);
        let has_fields = !trailers.is_empty();
        let passage = driver.request_trailers(&self.exchange(id), &stream, has_fields);
        let continues = self.continues(id, passage);
        self.end();
        continues.then(|| self.trailers_of(id))
    }

    pub(super) fn trailers_of(&self, id: StreamId) -> Fields {
        self.held(id, |held| held.trailers.clone())
    }

    pub(super) fn held<T>(&self, id: StreamId, act: impl FnOnce(&mut Held) -> T) -> T {
        act(self.world().streams.get_mut(&id).unwrap())
    }

    /// Sends a response of the upstream or of the proxy itself. Returns what the client
    /// gets.
    pub(super) fn respond(&mut self, id: StreamId, headers: &[(&str, &str)]) -> Option<Fields> {
        let was_answered = self.held(id, |held| {
            held.response = fields(headers);
            held.reply.is_some()
        });
        let (driver, stream) = self.streams[&id].clone();
        self.begin(Phase::ResponseHeaders);
        let passage = driver.response_headers(&self.exchange(id), &stream);
        // A reply during this callback is sent unchanged.
        self.world().phase = None;
        let continues = passage == Passage::Continue;
        self.held(id, |held| {
            let is_replaced = held.reply.is_some() && !was_answered;
            assert!(
                !(continues && is_replaced),
                "a response that was replaced is forwarded"
            );
            (continues && held.reply.is_none()).then(|| held.response.clone())
        })
    }

    /// Applies an answer in the callback that brings the headers of a request.
    pub(super) fn apply_while_headers_arrive(&mut self, id: StreamId, answer: Box<Answer>) {
        let (driver, stream) = self.streams[&id].clone();
        self.begin(Phase::RequestHeaders);
        driver.apply(
            vec![Effect::Answer(answer)],
            Some((&self.exchange(id), &stream)),
        );
        self.end();
    }

    /// Ends a request, for example because the client leaves.
    pub(super) fn leave(&mut self, id: StreamId) {
        let (driver, stream) = self.streams.remove(&id).expect("a request");
        self.begin(Phase::Ended);
        driver.ended(&stream);
        drop((driver, stream));
        self.end();
        self.world().streams.remove(&id);
    }

    /// Drains the listener.
    pub(super) fn drain(&mut self) {
        self.begin(Phase::Ended);
        self.leaving.extend(self.in_force.take());
        self.answer_superseded(&Room::new());
        self.leaving.clear();
        self.end();
    }

    pub(super) fn tick(&mut self) {
        self.begin(Phase::Tick);
        let room = Room::new();
        self.answer_superseded(&room);
        if let Some(driver) = self.in_force.clone() {
            driver.tick(&room);
        }
        self.end();
    }

    /// Advances the time, with ticks at the requested period.
    pub(super) fn pass(&mut self, time: Duration) {
        let end = self.world().nanos + u64::try_from(time.as_nanos()).unwrap();
        loop {
            let mut world = self.world();
            let period = u64::try_from(world.tick_period.as_nanos()).unwrap();
            let next = world.nanos + period.max(1_000_000);
            world.nanos = next.min(end);
            drop(world);
            if next > end {
                return;
            }
            self.tick();
        }
    }

    /// The unanswered requests to issuers.
    pub(super) fn sent(&self) -> Vec<(u64, FetchCall)> {
        self.world().sent.clone()
    }

    /// Runs ticks until the filter sends a request to an issuer, and returns that
    /// request.
    pub(super) fn next_sent(&mut self) -> u64 {
        for _ in 0..100 {
            if let Some((number, _)) = self.sent().first() {
                return *number;
            }
            self.pass(Duration::from_millis(500));
        }
        panic!("the filter sends no request");
    }

    /// Lets an issuer answer 200 with this body.
    pub(super) fn answer(&mut self, number: u64, body: &str) {
        let head = fields(&[(":status", "200")]);
        let mut world = self.world();
        world.sent.retain(|(sent, _)| *sent != number);
        world.answer = Some((head.clone(), body.into()));
        drop(world);
        self.begin(Phase::Fetched);
        let drivers = self.in_force.iter().chain(&self.leaving);
        for driver in drivers.cloned().collect::<Vec<_>>() {
            let head = || {
                self.world().check(Call::AnswerHead)?;
                Ok(AnswerHead::read(
                    &HeaderMap::from_pairs(head.clone()),
                    body.len(),
                ))
            };
            driver.fetched(number, &head, &|| self.world().answer_body());
        }
        self.world().answer = None;
        self.end();
        // The following ticks answer the requests that waited for it.
        self.pass(Duration::from_millis(2));
    }

    pub(super) fn outcome(&self, id: StreamId) -> Outcome {
        self.held(id, |held| match (&held.reply, &held.forwarded) {
            _ if held.reset => Outcome::Reset,
            (Some(reply), _) => Outcome::Answered(reply.clone()),
            (None, Some(headers)) => Outcome::Forwarded(headers.clone()),
            (None, None) => Outcome::Waits,
        })
    }

    pub(super) fn waits(&self, id: StreamId) -> bool {
        matches!(self.outcome(id), Outcome::Waits)
    }

    /// The status that the client got, if the filter has answered.
    pub(super) fn status_of(&self, id: StreamId) -> Option<u16> {
        self.held(id, |held| held.reply.as_ref().map(|reply| reply.status))
    }

    /// The headers that the upstream got.
    pub(super) fn forwarded(&self, id: StreamId) -> Option<Fields> {
        self.held(id, |held| held.forwarded.clone())
    }

    /// A metric, after the filter has reported all measurements.
    pub(super) fn metric(&mut self, name: &str) -> i64 {
        self.tick();
        self.reported(name)
    }

    /// A metric as the host has it now.
    pub(super) fn reported(&self, name: &str) -> i64 {
        self.world().values.get(name).copied().unwrap_or_default()
    }
}

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    let pairs = pairs.iter();
    pairs
        .map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()))
        .collect()
}

/// The values of a header.
pub(super) fn values(fields: &Fields, name: &str) -> Vec<String> {
    let fields = fields.iter();
    fields
        .filter(|(present, _)| present == name.as_bytes())
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}
