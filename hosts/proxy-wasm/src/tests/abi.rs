//! The symbols of the host's functions, implemented by the [`World`] of the current
//! thread.

#![expect(
    unsafe_code,
    reason = "the other side of the ABI: symbols, and pointers into the module's memory"
)]

use std::{ptr, slice};

use super::world::{Call, World, with_world};

/// The result of a fake function: data, a number, or a status.
pub(super) type Returned<T> = Result<T, u32>;

unsafe extern "C" {
    fn proxy_on_memory_allocate(size: usize) -> *mut u8;
    pub(super) safe fn proxy_on_context_create(context: u32, root: u32);
    pub(super) safe fn proxy_on_vm_start(context: u32, size: usize) -> bool;
    pub(super) safe fn proxy_on_configure(context: u32, size: usize) -> bool;
    pub(super) safe fn proxy_on_tick(context: u32);
    pub(super) safe fn proxy_on_request_headers(context: u32, count: usize, end: bool) -> u32;
    pub(super) safe fn proxy_on_request_body(context: u32, size: usize, end: bool) -> u32;
    pub(super) safe fn proxy_on_request_trailers(context: u32, count: usize) -> u32;
    pub(super) safe fn proxy_on_response_headers(context: u32, count: usize, end: bool) -> u32;
    pub(super) safe fn proxy_on_http_call_response(
        context: u32,
        token: u32,
        headers: usize,
        body_size: usize,
        trailers: usize,
    );
    pub(super) safe fn proxy_on_delete(context: u32);
}

/// Copies the bytes that the module passes. They are valid during the call, as the ABI
/// requires.
fn bytes(data: *const u8, size: usize) -> Vec<u8> {
    if size == 0 {
        return Vec::new();
    }
    // SAFETY: the module passes the address and the size of its own memory.
    unsafe { slice::from_raw_parts(data, size) }.to_vec()
}

fn text(data: *const u8, size: usize) -> String {
    String::from_utf8(bytes(data, size)).expect("names are UTF-8")
}

/// Answers a call with only a status.
fn status(call: Call, act: impl FnOnce(&mut World) -> Returned<()>) -> u32 {
    with_world(|world| {
        world
            .status(call)
            .and_then(|_| act(world))
            .err()
            .unwrap_or(0)
    })
}

/// Answers a call with a value, written to the module's pointer.
fn value<T>(call: Call, place: *mut T, act: impl FnOnce(&mut World) -> Returned<T>) -> u32 {
    match with_world(|world| world.status(call).and_then(|_| act(world))) {
        Ok(value) => {
            // SAFETY: the module passes a pointer to a value of this type.
            unsafe { place.write(value) };
            0
        }
        Err(status) => status,
    }
}

/// Answers a call with data, in memory from the module's allocator.
fn data(
    call: Call,
    place: *mut *mut u8,
    size: *mut usize,
    act: impl FnOnce(&mut World) -> Returned<Vec<u8>>,
) -> u32 {
    let answer = with_world(|world| {
        let failure = world.status(call)?;
        Ok(World::garble(failure, act(world)?))
    });
    match answer {
        Ok(Some(bytes)) => {
            // SAFETY: the allocator returns memory of this size, and the module passes
            // pointers to a pointer and a size.
            unsafe {
                let memory = proxy_on_memory_allocate(bytes.len());
                ptr::copy_nonoverlapping(bytes.as_ptr(), memory, bytes.len());
                place.write(memory);
                size.write(bytes.len());
            }
            0
        }
        Ok(None) => {
            // SAFETY: as above. A size without a pointer means that allocation failed.
            unsafe {
                place.write(ptr::null_mut());
                size.write(64);
            }
            0
        }
        Err(status) => status,
    }
}

#[unsafe(no_mangle)]
extern "C" fn proxy_log(level: u32, message: *const u8, size: usize) -> u32 {
    let line = text(message, size);
    status(Call::Log, |world| {
        world.log.push((level, line));
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_log_level(level: *mut u32) -> u32 {
    value(Call::LogLevel, level, |world| Ok(world.log_level))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_current_time_nanoseconds(time: *mut u64) -> u32 {
    value(Call::Time, time, |world| Ok(world.nanos))
}

#[unsafe(no_mangle)]
extern "C" fn random_get(data: *mut u8, size: usize) -> u32 {
    with_world(|world| match world.status(Call::Random) {
        Ok(_) => {
            world.random = world.random.wrapping_add(1);
            // SAFETY: the module passes the address and the size of its own memory.
            unsafe { slice::from_raw_parts_mut(data, size) }.fill(world.random);
            0
        }
        Err(status) => status,
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_set_tick_period_milliseconds(period: u32) -> u32 {
    status(Call::TickPeriod, |world| {
        world.tick_period = period;
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_set_effective_context(context: u32) -> u32 {
    status(Call::EffectiveContext, |world| world.set_effective(context))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_buffer_bytes(
    buffer: u32,
    start: usize,
    max_size: usize,
    place: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    data(Call::Buffer, place, size, |world| {
        world.buffer(buffer, start, max_size)
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_header_map_pairs(map: u32, place: *mut *mut u8, size: *mut usize) -> u32 {
    data(Call::Headers, place, size, |world| {
        world
            .fields(map, false)
            .map(|fields| super::world::serialised(fields))
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_replace_header_map_value(
    map: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (name, value) = (bytes(name, name_size), bytes(value, value_size));
    status(Call::SetHeader, |world| {
        let fields = world.fields(map, true)?;
        fields.retain(|(present, _)| *present != name);
        fields.push((name, value));
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_add_header_map_value(
    map: u32,
    name: *const u8,
    name_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let field = (bytes(name, name_size), bytes(value, value_size));
    status(Call::AddHeader, |world| {
        world.fields(map, true)?.push(field);
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_remove_header_map_value(map: u32, name: *const u8, size: usize) -> u32 {
    let name = bytes(name, size);
    status(Call::RemoveHeader, |world| {
        world
            .fields(map, true)?
            .retain(|(present, _)| *present != name);
        Ok(())
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_continue_stream(stream: u32) -> u32 {
    assert_eq!(stream, 0, "only requests are resumed");
    status(Call::Continue, World::resume)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_close_stream(stream: u32) -> u32 {
    assert_eq!(stream, 0, "only requests are reset");
    status(Call::Close, World::close)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_send_local_response(
    code: u32,
    details: *const u8,
    details_size: usize,
    body: *const u8,
    body_size: usize,
    headers: *const u8,
    headers_size: usize,
    grpc_status: i32,
) -> u32 {
    let details = text(details, details_size);
    let (body, headers) = (bytes(body, body_size), bytes(headers, headers_size));
    assert_eq!(grpc_status, -1, "gRPC statuses are the host's matter");
    status(Call::Reply, |world| {
        world.reply(code, details, body, &headers)
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_property(
    path: *const u8,
    path_size: usize,
    place: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let path = text(path, path_size);
    data(Call::GetProperty, place, size, |world| match &*path {
        "plugin_name" => Ok(world.plugin.into()),
        "plugin_root_id" => Ok(Vec::new()),
        "connection\0sha256_peer_certificate_digest" => {
            let digest = world.certificate_digest.ok_or(1_u32)?;
            Ok(digest.into())
        }
        other => panic!("the filter asks for {other}"),
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_set_property(
    path: *const u8,
    path_size: usize,
    value: *const u8,
    value_size: usize,
) -> u32 {
    let (path, value) = (text(path, path_size), text(value, value_size));
    status(Call::SetProperty, |world| {
        world.set_filter_state(path, value)
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_get_shared_data(
    key: *const u8,
    key_size: usize,
    place: *mut *mut u8,
    size: *mut usize,
    cas: *mut u32,
) -> u32 {
    let key = text(key, key_size);
    let mut change = 0;
    let answer = data(Call::GetShared, place, size, |world| {
        let (bytes, last_change) = world.shared.get(&key).ok_or(1_u32)?;
        change = *last_change;
        Ok(bytes.clone())
    });
    // SAFETY: the module passes a pointer to the number.
    unsafe { cas.write(change) };
    answer
}

#[unsafe(no_mangle)]
extern "C" fn proxy_set_shared_data(
    key: *const u8,
    key_size: usize,
    value: *const u8,
    value_size: usize,
    cas: u32,
) -> u32 {
    let (key, value) = (text(key, key_size), bytes(value, value_size));
    status(Call::SetShared, |world| world.set_shared(key, value, cas))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_define_metric(kind: u32, name: *const u8, size: usize, id: *mut u32) -> u32 {
    let name = text(name, size);
    value(Call::DefineMetric, id, |world| {
        Ok(world.define_metric(kind, name))
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_record_metric(id: u32, value: u64) -> u32 {
    status(Call::RecordMetric, |world| world.record_metric(id, value))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_increment_metric(id: u32, offset: i64) -> u32 {
    status(Call::IncrementMetric, |world| {
        world.increment_metric(id, offset)
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_call_foreign_function(
    name: *const u8,
    name_size: usize,
    arguments: *const u8,
    arguments_size: usize,
    place: *mut *mut u8,
    size: *mut usize,
) -> u32 {
    let (name, arguments) = (text(name, name_size), bytes(arguments, arguments_size));
    data(Call::Foreign, place, size, |world| {
        world.foreign(&name, &arguments)
    })
}

#[unsafe(no_mangle)]
extern "C" fn proxy_http_call(
    upstream: *const u8,
    upstream_size: usize,
    headers: *const u8,
    headers_size: usize,
    _body: *const u8,
    body_size: usize,
    _trailers: *const u8,
    _trailers_size: usize,
    timeout: u32,
    token: *mut u32,
) -> u32 {
    let (cluster, headers) = (text(upstream, upstream_size), bytes(headers, headers_size));
    assert_eq!(body_size, 0, "a GET has no body");
    value(Call::Fetch, token, |world| {
        Ok(world.http_call(cluster, &headers, timeout))
    })
}

/// Defines functions that the SDK declares but this filter never calls. A call ends the
/// test.
macro_rules! never_called {
    ($($name:ident),* $(,)?) => {$(
        #[unsafe(no_mangle)]
        extern "C" fn $name() -> u32 {
            panic!(concat!("the filter has called ", stringify!($name)))
        }
    )*};
}

never_called!(
    proxy_dequeue_shared_queue,
    proxy_done,
    proxy_enqueue_shared_queue,
    proxy_get_header_map_value,
    proxy_get_metric,
    proxy_get_status,
    proxy_grpc_call,
    proxy_grpc_cancel,
    proxy_grpc_close,
    proxy_grpc_send,
    proxy_grpc_stream,
    proxy_register_shared_queue,
    proxy_resolve_shared_queue,
    proxy_set_buffer_bytes,
    proxy_set_header_map_pairs,
);
