//! Requests that a second policy judges too: what the host gets for both.

use std::cell::RefCell;
use std::rc::Rc;
use std::sync::Arc;

use serde_json::json;

use super::proxy::fields;
use super::world::{Call, Fake, Held, Phase, START, World};
use crate::config;
use crate::engine::{Answer, Effect, Engine, Env, NoConnection, NoSharedData, StreamId};
use crate::host::stream::At;
use crate::host::{HeaderList, HttpExchange, Passage, Settler, Stream};
use crate::http::RequestHead;
use crate::policy::Policy;
use crate::time::UnixTime;

const STREAM: StreamId = StreamId(1);

/// A policy that sets this identity header and writes these entries of the filter state.
fn policy(header: &str, filter_state: &[&str]) -> Arc<Policy> {
    let document = json!({
        "upstream": {"claims": {header: "sub"}},
        "routes": [{"match": "$default", "access": "public"}],
        "telemetry": {"filter_state": filter_state},
    });
    Arc::new(config::compile(document.to_string().as_bytes()).unwrap())
}

/// A host with one request.
fn host() -> Rc<Fake> {
    let mut world = World::new();
    let held = Held {
        request: fields(&[(":method", "GET"), (":path", "/"), (":authority", "a")]),
        trailers: fields(&[("x-outer", "m"), ("x-inner", "m"), ("x-other", "kept")]),
        ..Held::default()
    };
    world.streams.insert(STREAM, held);
    Rc::new(Fake(Rc::new(RefCell::new(world))))
}

/// The answer of one policy to the request.
fn answer(host: &Fake, policy: &Arc<Policy>) -> Box<Answer> {
    let head = RequestHead::new(host.exchange(STREAM).headers(HeaderList::Request).unwrap());
    let env = Env {
        now: UnixTime::from_secs(i64::try_from(START).unwrap()),
        shared: &NoSharedData,
        host_signatures: host,
        connection: &NoConnection,
    };
    let effects = Engine::new(Arc::clone(policy), 1).request(STREAM, head, env);
    let mut answers = effects.into_iter().filter_map(Effect::answer);
    answers.next().expect("an answer")
}

#[test]
fn an_entry_of_both_policies_is_written_once() {
    let host = host();
    let listener = policy("x-outer", &["reason", "route"]);
    let narrower = policy("x-inner", &["route", "reason", "subject"]);
    let answer = answer(&host, &listener);
    let settler = Settler::narrowed(Rc::clone(&host), listener, narrower);
    let stream = Stream::new(STREAM);
    host.0.borrow_mut().phase = Some(Phase::RequestHeaders);
    settler.settle(&host.exchange(STREAM), &stream, &answer, At::Headers);
    let world = host.0.borrow();
    let written = &world.streams[&STREAM].filter_state;
    assert_eq!(written.len(), 2, "{written:?}");
    assert_eq!(written["edge_authz.reason"], "public");
    assert_eq!(world.calls[&Call::FilterState], 2);
}

#[test]
fn trailers_lose_the_identity_headers_of_both_policies() {
    let listener = policy("x-outer", &["issuer"]);
    let narrower = policy("x-inner", &["issuer"]);
    for trailers_come_first in [true, false] {
        let host = host();
        let answer = answer(&host, &listener);
        let settler = Settler::narrowed(
            Rc::clone(&host),
            Arc::clone(&listener),
            Arc::clone(&narrower),
        );
        let (exchange, stream) = (host.exchange(STREAM), Stream::new(STREAM));
        if trailers_come_first {
            let passage = settler.request_trailers(&exchange, &stream, true);
            assert_eq!(passage, Passage::Pause);
        }
        settler.settle(&exchange, &stream, &answer, At::Headers);
        if !trailers_come_first {
            let passage = settler.request_trailers(&exchange, &stream, true);
            assert_eq!(passage, Passage::Continue);
        }
        let world = host.0.borrow();
        let trailers = &world.streams[&STREAM].trailers;
        assert_eq!(*trailers, fields(&[("x-other", "kept")]));
    }
}

#[test]
fn a_request_that_no_judge_could_decide_is_answered_in_the_listener_s_format() {
    let host = host();
    let listener = policy("x-outer", &["reason"]);
    let settler = Settler::narrowed(Rc::clone(&host), listener, policy("x-inner", &["issuer"]));
    let refusal = settler.refusal(STREAM, None);
    let stream = Stream::new(STREAM);
    settler.settle(&host.exchange(STREAM), &stream, &refusal, At::Headers);
    let world = host.0.borrow();
    let held = &world.streams[&STREAM];
    assert!(held.forwarded.is_none());
    assert_eq!(held.reply.as_ref().map(|reply| reply.status), Some(503));
    assert_eq!(stream.passage(), Passage::Pause);
}
