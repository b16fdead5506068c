//! A host with threads: one key service, and in this test one judge, without a driver.

use std::rc::Rc;
use std::sync::Arc;

use super::exchange::Handle;
use super::issuer::{Issuer, fetched};
use super::proxy::{fields, values};
use super::world::{Fake, Held, Phase, START, World};
use crate::cors::ResponseCors;
use crate::engine::{
    Answer, Effect, Env, Exchange, FetchCall, Judge, KeyService, NoSharedData, StreamId,
};
use crate::host::{At, HeaderList, Host, HostError, HttpExchange, Passage, Settler, Stream};
use crate::http::{HeaderEdit, HeaderMap, LocalReply, RequestHead};
use crate::keys::answer::AnswerHead;
use crate::telemetry::FilterState;

/// A thread with a judge. It also plays the thread of the service.
struct Worker {
    host: Rc<Fake>,
    service: KeyService,
    exchange: Exchange,
    judge: Judge,
    settler: Settler<Fake>,
}

impl Worker {
    fn new() -> Self {
        let policy = Arc::new(crate::config::compile(fetched().as_bytes()).unwrap());
        let host = Rc::new(Fake(Rc::new(World::new().into())));
        let mut service = KeyService::new(&policy, 1);
        service.start(env(&host));
        let exchange = Exchange::new(&service, 1);
        Self {
            exchange,
            judge: Judge::new(Arc::clone(&policy), Arc::clone(service.snapshot())),
            settler: Settler::new(Rc::clone(&host), policy),
            service,
            host,
        }
    }

    /// Starts a request for `/private` with a body.
    fn request(&mut self, number: u32, token: &str) -> Rc<Stream> {
        let headers = [
            (":method", "POST"),
            (":path", "/private"),
            (":authority", "api.example"),
            ("origin", "https://app.example"),
            ("x-user-id", "mallory"),
            ("authorization", &format!("Bearer {token}")),
        ];
        let stream = Stream::new(StreamId(number));
        let request = Held {
            request: fields(&headers),
            ..Held::default()
        };
        let mut world = self.host.0.borrow_mut();
        world.streams.insert(stream.id(), request);
        drop(world);
        let head = RequestHead::new(HeaderMap::from_pairs(headers));
        let effects = self.judge.request(stream.id(), head, env(&self.host));
        for answer in self.done(effects).0 {
            self.settle(&stream, &answer, At::Headers);
        }
        stream
    }

    /// Applies the effects of an event. Returns the answers and the fetches.
    fn done(&self, effects: Vec<Effect>) -> (Vec<Answer>, Vec<FetchCall>) {
        let (mut answers, mut calls) = (Vec::new(), Vec::new());
        for effect in effects {
            match effect {
                Effect::Answer(answer) => answers.push(*answer),
                Effect::Fetch(call) => calls.push(*call),
                Effect::Measure(measurement) => self.settler.report().measure(measurement),
                Effect::Log(event) => self.settler.report().log(&event),
            }
        }
        (answers, calls)
    }

    fn settle(&self, stream: &Stream, answer: &Answer, at: At) {
        let exchange = self.host.exchange(stream.id());
        let exchange = Immediate(exchange, stream);
        self.settler.settle(&exchange, stream, answer, at);
    }

    /// Lets the service fetch, and answers as the issuer does.
    fn fetch(&mut self, issuer: &Issuer) {
        for _ in 0..3 {
            self.host.0.borrow_mut().nanos += 500_000_000;
            let demand = self.judge.demand();
            let effects = self.service.tick(&[demand], env(&self.host));
            for call in self.done(effects).1 {
                let body = issuer.jwks().to_string();
                let head = HeaderMap::from_pairs([(":status", "200")]);
                let head = AnswerHead::read(&head, body.len());
                let body = || Some(body.clone().into_bytes());
                let effects = self.service.fetched(call.id, &head, &body, env(&self.host));
                self.done(effects);
            }
            self.exchange.publish(&self.service);
        }
    }

    /// Adopts newer keys in the judge's thread, and answers the requests that waited for
    /// them.
    fn wake(&mut self, streams: &[Rc<Stream>]) {
        if let Some(newer) = self.exchange.newer_than(&self.judge) {
            self.judge.adopt(&newer, env(&self.host).now);
        }
        let effects = self.judge.tick(env(&self.host));
        for answer in self.done(effects).0 {
            let stream = streams.iter().find(|stream| stream.id() == answer.stream);
            self.settle(stream.expect("a request that waits"), &answer, At::Later);
        }
    }

    fn cors(&self, stream: &Stream) -> Option<ResponseCors> {
        self.judge.cors_of_waiting(stream.id()).cloned()
    }
}

/// A request whose host passes the body on while it resumes the request.
struct Immediate<'s>(Handle, &'s Stream);

impl HttpExchange for Immediate<'_> {
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError> {
        self.0.headers(list)
    }

    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError> {
        self.0.edit(list, edit)
    }

    fn resume(&self) -> Result<(), HostError> {
        assert_eq!(self.1.passage(), Passage::Continue, "the body continues");
        self.0.resume()
    }

    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError> {
        assert_eq!(self.1.passage(), Passage::Pause, "the body is held");
        self.0.reply(reply, cors)
    }

    fn reset(&self) -> Result<(), HostError> {
        self.0.reset()
    }

    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError> {
        self.0.set_filter_state(entry, value)
    }

    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError> {
        self.0.client_certificate_digest()
    }
}

fn env(host: &Fake) -> Env<'_> {
    Env {
        now: host.now().unwrap(),
        shared: &NoSharedData,
        host_signatures: host.signatures(),
        connection: &crate::engine::NoConnection,
    }
}

#[test]
fn answers_of_a_judge_are_settled_without_a_driver() {
    let (issuer, stranger) = (Issuer::new("k1"), Issuer::new("k1"));
    let mut worker = Worker::new();
    let waits = worker.request(1, &issuer.token(START));
    let refused = worker.request(2, &stranger.token(START));
    assert_eq!(waits.passage(), Passage::Pause);
    worker.fetch(&issuer);
    worker.wake(&[Rc::clone(&waits), Rc::clone(&refused)]);
    assert_eq!(waits.passage(), Passage::Continue);
    assert_eq!(refused.passage(), Passage::Pause);
    let at_once = worker.request(3, &issuer.token(START));
    assert_eq!(at_once.passage(), Passage::Continue);
    let world = worker.host.0.borrow();
    let upstream = world.streams[&waits.id()].forwarded.as_ref().unwrap();
    assert_eq!(values(upstream, "x-user-id"), ["alice"]);
    let reply = world.streams[&refused.id()].reply.as_ref().unwrap();
    assert_eq!(reply.status, 401);
}

#[test]
fn what_the_proxy_answers_itself_is_decorated_and_no_longer_decided() {
    let issuer = Issuer::new("k1");
    let mut worker = Worker::new();
    let waits = worker.request(1, &issuer.token(START));
    let cors = worker.cors(&waits);
    waits.overtaken(cors);
    worker.judge.forget(waits.id());
    {
        let mut world = worker.host.0.borrow_mut();
        world.phase = Some(Phase::ResponseHeaders);
        let held = world.streams.get_mut(&waits.id()).unwrap();
        held.response = fields(&[(":status", "504")]);
    }
    let exchange = worker.host.exchange(waits.id());
    let passage = worker.settler.response_headers(&exchange, &waits);
    assert_eq!(passage, Passage::Continue);
    let response = worker.host.0.borrow().streams[&waits.id()].response.clone();
    let allowed = values(&response, "access-control-allow-origin");
    assert_eq!(allowed, ["https://app.example"]);
    worker.fetch(&issuer);
    worker.wake(&[]);
    assert_eq!(waits.passage(), Passage::Pause);
}
