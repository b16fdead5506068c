//! A proxy that uses the filter: requests arrive, clusters answer, and time passes. Tests
//! read the results here.

use std::time::Duration;

use super::abi;
use super::world::{Action, Fields, Outcome, Phase, Sent, Stream, fields, with_world};

/// A fourth of the nested calls that fit on Envoy's stack, because other filters need the
/// rest.
const MAX_NESTED: usize = 272 / 4;

/// Calls the module as the host does: within one phase, and without the effective context
/// of an earlier call. Requested actions are performed as soon as the call has returned.
fn callback<T>(phase: Phase, context: u32, call: impl FnOnce() -> T) -> T {
    with_world(|world| {
        world.phase = Some(phase);
        world.current = context;
        world.effective = 0;
        world.calls.clear();
    });
    let result = call();
    with_world(|world| world.phase = None);
    act();
    result
}

/// Performs the pending actions of callbacks, as Envoy does: each action may call the
/// module again, and the next action is then performed inside that call, on the same
/// stack.
fn act() {
    while let Some(action) = with_world(|world| world.actions.pop_front()) {
        with_world(|world| {
            world.depth += 1;
            world.deepest = world.deepest.max(world.depth);
            assert!(world.depth <= MAX_NESTED, "the stack is used up");
        });
        let (Action::Reply(id) | Action::Resume(id)) = action;
        with_world(|world| world.acted.push(id));
        match action {
            Action::Reply(id) => show_reply(id),
            Action::Resume(id) => answer_itself(id),
        }
        with_world(|world| world.depth -= 1);
    }
}

/// Passes a reply of the filter to its response callback.
fn show_reply(id: u32) {
    let is_new = with_world(|world| {
        let stream = world.streams.get_mut(&id)?;
        let reply = stream.reply.as_ref().filter(|_| !stream.reply_shown)?;
        stream.reply_shown = true;
        stream.response = fields(&[(":status", &reply.status.to_string())]);
        stream.response.extend(reply.headers.clone());
        Some(())
    });
    let shown = |id| abi::proxy_on_response_headers(id, 1, true);
    if is_new.is_some() && callback(Phase::ResponseHeaders, id, || shown(id)) == 0 {
        with_world(|world| {
            let stream = world.streams.get_mut(&id).unwrap();
            stream.reply.as_mut().unwrap().headers = stream.response.clone();
        });
    }
}

/// Answers a request that continues, if the proxy answers by itself, as with
/// `direct_response`.
fn answer_itself(id: u32) {
    let answers = with_world(|world| {
        let stream = world
            .streams
            .get_mut(&id)
            .filter(|_| world.answers_itself)?;
        stream.response = fields(&[(":status", "200")]);
        Some(())
    });
    if answers.is_some() {
        callback(Phase::ResponseHeaders, id, || {
            abi::proxy_on_response_headers(id, 1, true)
        });
    }
}

pub(super) fn configure(root: u32, configuration: &str) -> bool {
    with_world(|world| world.configuration = configuration.into());
    abi::proxy_on_context_create(root, 0);
    assert!(abi::proxy_on_vm_start(root, 0));
    configure_again(root, configuration)
}

pub(super) fn configure_again(root: u32, configuration: &str) -> bool {
    with_world(|world| world.configuration = configuration.into());
    let size = configuration.len();
    callback(Phase::Configure, root, || {
        abi::proxy_on_configure(root, size)
    })
}

/// Starts a request, without a body so far.
pub(super) fn request(root: u32, headers: &[(&str, &str)]) -> u32 {
    request_of(root, fields(headers))
}

pub(super) fn request_of(root: u32, headers: Fields) -> u32 {
    let id = with_world(|world| {
        world.next_id += 1;
        let stream = Stream {
            request: headers,
            ..Stream::default()
        };
        world.streams.insert(world.next_id, stream);
        world.next_id
    });
    abi::proxy_on_context_create(id, root);
    let action = callback(Phase::RequestHeaders, id, || {
        abi::proxy_on_request_headers(id, 1, false)
    });
    with_world(|world| {
        let stream = world.streams.get_mut(&id).unwrap();
        if action == 0 && stream.reply.is_none() && !stream.reset {
            stream.forwarded = Some(stream.request.clone());
        }
    });
    id
}

/// Sends a part of the body. Returns whether it continues.
pub(super) fn body(id: u32) -> bool {
    let action = callback(Phase::RequestBody, id, || {
        abi::proxy_on_request_body(id, 5, false)
    });
    part_of(id, action)
}

/// Sends trailers. Returns the fields that continue, if they do.
pub(super) fn trailers(id: u32, trailers: &[(&str, &str)]) -> Option<Fields> {
    let count = trailers.len();
    with_world(|world| world.streams.get_mut(&id).unwrap().trailers = fields(trailers));
    let action = callback(Phase::RequestTrailers, id, || {
        abi::proxy_on_request_trailers(id, count)
    });
    part_of(id, action).then(|| trailers_of(id))
}

pub(super) fn trailers_of(id: u32) -> Fields {
    with_world(|world| world.streams[&id].trailers.clone())
}

fn part_of(id: u32, action: u32) -> bool {
    with_world(|world| {
        let stream = world.streams.get_mut(&id).unwrap();
        let continues = action == 0 && stream.reply.is_none() && !stream.reset;
        // As in Envoy when headers do not hold the body back, a part that continues takes
        // the headers with it.
        if continues && stream.forwarded.is_none() {
            stream.forwarded = Some(stream.request.clone());
        }
        continues
    })
}

/// Sends a response of the upstream. Returns what the client gets.
pub(super) fn respond(id: u32, headers: &[(&str, &str)]) -> Option<Fields> {
    with_world(|world| world.streams.get_mut(&id).unwrap().response = fields(headers));
    let action = callback(Phase::ResponseHeaders, id, || {
        abi::proxy_on_response_headers(id, 1, false)
    });
    with_world(|world| {
        let stream = world.streams.get_mut(&id).unwrap();
        // A reply during this callback is sent unchanged.
        stream.reply_shown = true;
        (action == 0 && stream.reply.is_none()).then(|| stream.response.clone())
    })
}

/// Ends a request, for example because the client leaves.
pub(super) fn leave(id: u32) {
    callback(Phase::Done, id, || {
        abi::proxy_on_delete(id);
    });
    with_world(|world| world.streams.remove(&id));
}

pub(super) fn leave_root(root: u32) {
    callback(Phase::Done, root, || {
        abi::proxy_on_delete(root);
    });
}

/// Advances the time, with ticks at the requested period.
pub(super) fn pass(root: u32, time: Duration) {
    let end = with_world(|world| world.nanos) + u64::try_from(time.as_nanos()).unwrap();
    loop {
        let ticks = with_world(|world| {
            let period = u64::from(world.tick_period.max(1)) * 1_000_000;
            let ticks = world.nanos + period <= end;
            world.nanos = if ticks { world.nanos + period } else { end };
            ticks
        });
        if !ticks {
            return;
        }
        tick(root);
    }
}

pub(super) fn tick(root: u32) {
    callback(Phase::Tick, root, || abi::proxy_on_tick(root));
}

/// The unanswered requests to clusters.
pub(super) fn sent() -> Vec<Sent> {
    with_world(|world| world.sent.clone())
}

/// Runs ticks until the filter sends a request to a cluster, and returns that request.
pub(super) fn next_sent(root: u32) -> Sent {
    for _ in 0..100 {
        if let Some(sent) = sent().first() {
            return sent.clone();
        }
        pass(root, Duration::from_millis(500));
    }
    panic!("the filter sends no request");
}

/// Lets a cluster answer.
pub(super) fn answer(sent: &Sent, status: u16, headers: &[(&str, &str)], body: &str) {
    let mut all = fields(&[(":status", &status.to_string())]);
    all.extend(fields(headers));
    let (count, size) = (all.len(), body.len());
    with_world(|world| world.answer = Some((all, body.into())));
    finish(sent, count, size);
}

/// Ends a request without an answer, as after a reset.
pub(super) fn no_answer(sent: &Sent) {
    with_world(|world| world.answer = None);
    finish(sent, 0, 0);
}

fn finish(sent: &Sent, count: usize, size: usize) {
    let Sent { token, root, .. } = *sent;
    with_world(|world| world.sent.retain(|sent| sent.token != token));
    callback(Phase::Answer, root, || {
        abi::proxy_on_http_call_response(root, token, count, size, 0);
    });
    with_world(|world| world.answer = None);
    // The following ticks answer the requests that waited for it.
    pass(root, Duration::from_millis(2));
}

pub(super) fn outcome(id: u32) -> Outcome {
    with_world(|world| {
        let stream = &world.streams[&id];
        match (&stream.reply, &stream.forwarded) {
            _ if stream.reset => Outcome::Reset,
            (Some(reply), _) => Outcome::Answered(reply.clone()),
            (None, Some(headers)) => Outcome::Forwarded(headers.clone()),
            (None, None) => Outcome::Waits,
        }
    })
}

/// The status that the client got, if the filter has answered.
pub(super) fn status_of(id: u32) -> Option<u32> {
    match outcome(id) {
        Outcome::Answered(reply) => Some(reply.status),
        Outcome::Forwarded(_) | Outcome::Waits | Outcome::Reset => None,
    }
}

/// The headers that the upstream got.
pub(super) fn forwarded(id: u32) -> Option<Fields> {
    with_world(|world| world.streams[&id].forwarded.clone())
}

pub(super) fn filter_state(id: u32, name: &str) -> Option<String> {
    with_world(|world| world.streams[&id].filter_state.get(name).cloned())
}

/// A metric, after the filter has reported all measurements.
pub(super) fn metric(root: u32, name: &str) -> i64 {
    tick(root);
    reported(name)
}

/// A metric as the host has it now.
pub(super) fn reported(name: &str) -> i64 {
    with_world(|world| world.values.get(name).copied().unwrap_or_default())
}
