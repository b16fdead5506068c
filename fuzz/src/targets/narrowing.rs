//! A request under the policy of a listener and a document of the proxy's route, which
//! narrows the policy. The document never opens a request that the policy refuses, and
//! never changes the identity that the upstream receives from the policy.
//!
//! The input is lines of header fields, as the module `request` reads them; an empty line;
//! and the document, in which `$K` stands for the keys of the issuer.

use std::sync::Arc;

use edge_authz::config;
use edge_authz::engine::{Action, Answer, Effect, Judge, KeyService, Pair, Side, StreamId};
use edge_authz::policy::{Narrowing, Policy};

use super::{request, request_headers};
use crate::reference::credentials::Headers;

pub(crate) fn target(data: &[u8]) {
    let Some(blank) = data.windows(2).position(|window| window == b"\n\n") else {
        return;
    };
    let headers = request::headers(&data[..blank]);
    let document = with_keys(&data[blank + 2..]);
    let policy = Arc::new(request_headers::policy());
    let Some(narrower) = narrower(&document, &policy) else {
        return;
    };
    let narrower = Arc::new(narrower);
    let alone = answer(&policy, &headers);
    let passes = |one: &Option<Box<Answer>>| {
        one.as_ref()
            .is_some_and(|answer| matches!(answer.action, Action::Forward(_)))
    };
    let both_pass = passes(&alone) && passes(&answer(&narrower, &headers));
    let decided = [true, false].map(|first| decided(&policy, &narrower, &headers, first));
    for decided in &decided {
        assert_eq!(passes(decided), both_pass, "both must let it pass");
        if let Some(answer) = decided.as_ref().filter(|_| both_pass) {
            request_headers::judge(&headers, answer, &policy);
        }
    }
    let reasons = decided.map(|decided| decided.map(|answer| answer.reason));
    assert_eq!(reasons[0], reasons[1], "the order of the decisions");
}

fn with_keys(document: &[u8]) -> Vec<u8> {
    let pieces = document.split(|byte| *byte == b'$').enumerate();
    let pieces = pieces.map(|(number, piece)| match (number, piece) {
        (0, piece) => piece.to_vec(),
        (_, [b'K', rest @ ..]) => [request::inline_keys().as_bytes(), rest].concat(),
        (_, rest) => [b"$", rest].concat(),
    });
    pieces.collect::<Vec<_>>().concat()
}

/// The policy of a route's document, if it narrows anything.
fn narrower(document: &[u8], policy: &Policy) -> Option<Policy> {
    let compiled = config::compile_narrowing(document);
    if let Ok(alone) = config::compile(document) {
        let Ok(Narrowing::By(policy)) = &compiled else {
            panic!("a document is a narrowing");
        };
        assert_eq!(policy.routes.len(), alone.routes.len());
    }
    match compiled.ok()? {
        Narrowing::Enforce => None,
        Narrowing::Denied => Some(config::denied(policy.responses.clone()).unwrap()),
        Narrowing::By(policy) => Some(*policy),
    }
}

/// The decision of one policy; `None` while the request waits for keys.
fn answer(policy: &Arc<Policy>, headers: &Headers) -> Option<Box<Answer>> {
    let service = KeyService::new(policy, 1);
    let mut judge = Judge::new(Arc::clone(policy), Arc::clone(service.snapshot()));
    let head = request::head(headers);
    let effects = judge.request(StreamId(1), head, request_headers::env(0));
    effects.into_iter().find_map(|effect| match effect {
        Effect::Answer(answer) => Some(answer),
        Effect::Fetch(_) | Effect::Measure(_) | Effect::Log(_) => None,
    })
}

/// The decision of both. That of the listener comes first or last.
fn decided(
    policy: &Arc<Policy>,
    narrower: &Arc<Policy>,
    headers: &Headers,
    first: bool,
) -> Option<Box<Answer>> {
    let mut sides = [(Side::Listener, policy), (Side::Narrower, narrower)];
    if !first {
        sides.reverse();
    }
    let mut pair = Pair::default();
    for (side, policy) in sides {
        if let Some(answer) = answer(policy, headers) {
            pair.decided(side, answer);
        }
    }
    pair.take(policy, None)
}
