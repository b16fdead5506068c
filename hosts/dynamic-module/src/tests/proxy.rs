//! Plays Envoy's part: sends requests, answers of clusters and ticks to the module. Tests
//! read the results here.

#![expect(
    unsafe_code,
    reason = "a foreign interface: it calls the hooks as Envoy does"
)]

use std::ffi::{c_int, c_void};
use std::mem;
use std::ptr;
use std::sync::Arc;
use std::time::Duration;

use super::callbacks::Ptr;
use super::fault::Phase;
use super::passed::{Field, Text};
use super::world::{Fields, Part, Reply, Sent, Stream, Target, World, fields, with_world};
use crate::abi;
use crate::hooks;
use crate::listener::Listener;
use crate::ticker::Ticked;

const CONTINUE: c_int = 0;

/// A configuration that the module has accepted.
#[derive(Clone, Copy, Debug)]
pub(super) struct Config {
    pub(super) id: usize,
    pub(super) module: *mut c_void,
}

/// The result of a request.
#[derive(Debug)]
pub(super) enum Outcome {
    /// The upstream received the request with these headers.
    Forwarded(Fields),
    /// The client received this reply.
    Answered(Reply),
    Waits,
}

/// Calls a hook in its phase. Envoy may call another hook from within it.
fn hook<T>(phase: Phase, call: impl FnOnce() -> T) -> T {
    let outer = with_world(|world| (world.phase.replace(phase), mem::take(&mut world.calls)));
    let result = call();
    with_world(|world| (world.phase, world.calls) = outer);
    assert!(
        !with_world(|world| world.is_wrong),
        "the module did something wrong: see above"
    );
    result
}

/// Envoy's pointer to the object with this id.
fn pointer(id: usize) -> Ptr {
    ptr::without_provenance_mut(id)
}

/// Converts the bytes to the module's own type.
fn buffer(text: &[u8]) -> abi::Buffer {
    // SAFETY: both are a pointer and a size, as `abi.h` says.
    unsafe { mem::transmute::<Text, abi::Buffer>(Text::of(text)) }
}

/// Creates a configuration; `None` if the module refuses it.
pub(super) fn configure(text: &str) -> Option<Config> {
    let id = with_world(World::next);
    let (name, text) = (buffer(b"edge_authz"), buffer(text.as_bytes()));
    let module = hook(Phase::ConfigNew, || {
        // SAFETY: as Envoy calls it.
        unsafe { hooks::envoy_dynamic_module_on_http_filter_config_new(pointer(id), name, text) }
    });
    (!module.is_null()).then_some(Config { id, module })
}

/// Destroys a configuration that was replaced and has no requests left.
pub(super) fn destroy(config: Config) {
    hook(Phase::ConfigDestroy, || {
        // SAFETY: as Envoy calls it.
        unsafe { hooks::envoy_dynamic_module_on_http_filter_config_destroy(config.module) };
    });
}

/// Creates the configuration of a route, and returns its address.
pub(super) fn configure_route(text: &str) -> usize {
    try_route(text).expect("the module accepts it")
}

/// The same; `None` if the module refuses it.
pub(super) fn try_route(text: &str) -> Option<usize> {
    let (name, text) = (buffer(b"edge_authz"), buffer(text.as_bytes()));
    // SAFETY: as Envoy calls it.
    let route =
        unsafe { hooks::envoy_dynamic_module_on_http_filter_per_route_config_new(name, text) };
    (!route.is_null()).then_some(route.expose_provenance())
}

/// Destroys the configuration of a route.
pub(super) fn destroy_route(address: usize) {
    let route = ptr::with_exposed_provenance(address);
    // SAFETY: as Envoy calls it.
    unsafe { hooks::envoy_dynamic_module_on_http_filter_per_route_config_destroy(route) };
}

/// Sends the headers of a request.
pub(super) fn request(config: Config, headers: &[(&str, &str)]) -> usize {
    request_of(config, Stream::new(fields(headers)))
}

pub(super) fn request_of(config: Config, stream: Stream) -> usize {
    let id = with_world(|world| {
        let id = world.next();
        world.streams.insert(id, stream);
        id
    });
    let module = hook(Phase::New, || {
        // SAFETY: as Envoy calls it.
        unsafe { hooks::envoy_dynamic_module_on_http_filter_new(config.module, pointer(id)) }
    });
    // With a null pointer, Envoy would crash or let the request pass.
    assert!(!module.is_null());
    with_world(|world| world.streams.get_mut(&id).unwrap().module = module);
    let status = hook(Phase::RequestHeaders, || {
        // SAFETY: as Envoy calls it.
        unsafe {
            hooks::envoy_dynamic_module_on_http_filter_request_headers(pointer(id), module, false)
        }
    });
    with_world(|world| {
        let stream = world.streams.get_mut(&id).unwrap();
        if status == CONTINUE {
            assert!(stream.reply.is_none(), "an answered request is forwarded");
            stream.forwarded = Some(stream.request.clone());
        }
    });
    id
}

fn module_of(id: usize) -> Ptr {
    with_world(|world| world.streams[&id].module)
}

/// Sends the next part of a request. Returns whether it continues at once.
fn part(id: usize, part: Part) -> bool {
    let stopped = with_world(|world| {
        let stream = world.streams.get_mut(&id).unwrap();
        let stopped = stream.forwarded.is_none() || stream.reply.is_some() || stream.is_over;
        if stopped {
            stream.held.push(part);
        }
        stopped
    });
    !stopped && pass(id, part)
}

fn pass(id: usize, part: Part) -> bool {
    let (filter, module) = (pointer(id), module_of(id));
    // SAFETY: as Envoy calls them.
    let status = match part {
        Part::Body => hook(Phase::RequestBody, || unsafe {
            hooks::envoy_dynamic_module_on_http_filter_request_body(filter, module, false)
        }),
        Part::Trailers => hook(Phase::RequestTrailers, || unsafe {
            hooks::envoy_dynamic_module_on_http_filter_request_trailers(filter, module)
        }),
    };
    status == CONTINUE
}

/// Sends a part of the body. Returns whether it continues at once.
pub(super) fn body(id: usize) -> bool {
    part(id, Part::Body)
}

/// Sends trailers. Returns whether they continue at once.
pub(super) fn trailers(id: usize, trailers: &[(&str, &str)]) -> bool {
    with_world(|world| world.streams.get_mut(&id).unwrap().trailers = fields(trailers));
    part(id, Part::Trailers)
}

/// The trailers of a request that the upstream received.
pub(super) fn trailers_of(id: usize) -> Fields {
    with_world(|world| world.streams[&id].trailers.clone())
}

/// Lets a stopped request continue, as the module demands. Within this call, Envoy
/// forwards the parts that it has held.
pub(super) fn resume(id: usize) {
    let held = with_world(|world| {
        let stream = world.streams.get_mut(&id).expect("a stream");
        assert!(stream.reply.is_none(), "an answered request is forwarded");
        assert!(stream.forwarded.is_none(), "a request is forwarded once");
        stream.forwarded = Some(stream.request.clone());
        mem::take(&mut stream.held)
    });
    for part in held {
        pass(id, part);
    }
}

/// Sends an answer of the upstream, or of Envoy itself. Returns what the client receives.
pub(super) fn respond(id: usize, headers: &[(&str, &str)]) -> Option<Fields> {
    with_world(|world| world.streams.get_mut(&id).unwrap().response = fields(headers));
    let module = module_of(id);
    let status = hook(Phase::ResponseHeaders, || {
        // SAFETY: as Envoy calls it.
        unsafe {
            hooks::envoy_dynamic_module_on_http_filter_response_headers(pointer(id), module, true)
        }
    });
    with_world(|world| {
        let stream = &world.streams[&id];
        (status == CONTINUE && stream.reply.is_none()).then(|| stream.response.clone())
    })
}

/// The client disconnects, or the request ends.
pub(super) fn leave(id: usize) {
    end(id);
    with_world(|world| world.streams.remove(&id));
}

/// Calls the last hooks of a request, unless they have been called.
pub(super) fn end(id: usize) {
    let is_over = |world: &mut World| {
        let stream = world.streams.get_mut(&id).unwrap();
        mem::replace(&mut stream.is_over, true)
    };
    if with_world(is_over) {
        return;
    }
    let (filter, module) = (pointer(id), module_of(id));
    hook(Phase::StreamComplete, || {
        // SAFETY: as Envoy calls it.
        unsafe { hooks::envoy_dynamic_module_on_http_filter_stream_complete(filter, module) };
    });
    hook(Phase::Destroy, || {
        // SAFETY: as Envoy calls it.
        unsafe { hooks::envoy_dynamic_module_on_http_filter_destroy(module) };
    });
}

/// Runs the module's own thread once, and then every event that it has scheduled.
pub(super) fn tick(config: Config) {
    // SAFETY: the hook has returned it, and `destroy` was not called.
    let listener = unsafe { &*config.module.cast::<Arc<Listener>>() };
    hook(Phase::RequestTicks, || listener.request_ticks());
    events(config);
}

/// Runs the event loop until the queue is empty.
pub(super) fn events(config: Config) {
    let queue = with_world(|world| Arc::clone(&world.queue));
    for _ in 0..10_000 {
        let Some((target, event)) = queue.pop(Duration::ZERO) else {
            return;
        };
        deliver(config, target, event);
    }
    panic!("the module schedules events without end");
}

pub(super) fn deliver(config: Config, target: Target, event: u64) {
    match target {
        Target::Config(id) if id == config.id => hook(Phase::ConfigScheduled, || {
            // SAFETY: as Envoy calls it.
            unsafe {
                hooks::envoy_dynamic_module_on_http_filter_config_scheduled(
                    pointer(id),
                    config.module,
                    event,
                );
            }
        }),
        Target::Stream(id) if with_world(|world| is_present(world, id)) => {
            let module = module_of(id);
            hook(Phase::Scheduled, || {
                // SAFETY: as Envoy calls it.
                unsafe {
                    hooks::envoy_dynamic_module_on_http_filter_scheduled(
                        pointer(id),
                        module,
                        event,
                    );
                };
            });
        }
        // The target no longer exists.
        Target::Config(_) | Target::Stream(_) => {}
    }
}

fn is_present(world: &World, id: usize) -> bool {
    let stream = world.streams.get(&id);
    stream.is_some_and(|stream| !stream.is_over)
}

/// Lets time pass, with this many ticks.
pub(super) fn wait(config: Config, ticks: usize) {
    for _ in 0..ticks {
        with_world(|world| world.nanos += 250_000_000);
        tick(config);
    }
}

/// The module's requests to clusters that are not answered yet.
pub(super) fn sent() -> Vec<Sent> {
    with_world(|world| world.sent.clone())
}

/// Sends the answer of a cluster.
pub(super) fn answer(config: Config, sent: &Sent, status: u16, body: &str) {
    let headers = fields(&[(":status", &status.to_string())]);
    let headers: Vec<_> = headers.iter().map(Field::of).collect();
    let (first, second) = body.as_bytes().split_at(body.len() / 2);
    let chunks = [Text::of(first), Text::of(second)];
    finish(config, sent, 0, &headers, &chunks);
}

/// Reports that a request to a cluster has no answer.
pub(super) fn no_answer(config: Config, sent: &Sent, result: c_int) {
    finish(config, sent, result, &[], &[]);
}

fn finish(config: Config, sent: &Sent, result: c_int, headers: &[Field], chunks: &[Text]) {
    assert_eq!(sent.config, config.id);
    with_world(|world| world.sent.retain(|other| other.number != sent.number));
    let (fields, texts) = (headers.as_ptr().cast(), chunks.as_ptr().cast());
    hook(Phase::ConfigCalloutDone, || {
        // SAFETY: as Envoy calls it.
        unsafe {
            hooks::envoy_dynamic_module_on_http_filter_config_http_callout_done(
                pointer(config.id),
                config.module,
                sent.number,
                result,
                fields,
                headers.len(),
                texts,
                chunks.len(),
            );
        }
    });
    events(config);
}

pub(super) fn outcome(id: usize) -> Outcome {
    with_world(|world| {
        let stream = &world.streams[&id];
        match (&stream.reply, &stream.forwarded) {
            (Some(reply), _) => Outcome::Answered(reply.clone()),
            (None, Some(headers)) => Outcome::Forwarded(headers.clone()),
            (None, None) => Outcome::Waits,
        }
    })
}

/// The reply that the client received.
pub(super) fn answered(id: usize) -> Reply {
    match outcome(id) {
        Outcome::Answered(reply) => reply,
        other @ (Outcome::Forwarded(_) | Outcome::Waits) => panic!("{other:?}"),
    }
}

/// The headers that the upstream received.
pub(super) fn forwarded(id: usize) -> Option<Fields> {
    with_world(|world| world.streams[&id].forwarded.clone())
}

/// The current value of a metric in Envoy.
pub(super) fn metric(series: &str) -> i64 {
    with_world(|world| world.values.get(series).copied().unwrap_or_default())
}
