//! A fake of the functions that Envoy offers to modules, with the signatures of its
//! `abi.h`.

#![expect(unsafe_code, reason = "a foreign interface")]

use std::ffi::{c_int, c_void};
use std::panic::catch_unwind;
use std::ptr::{self, NonNull};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use super::fault::Phase;
use super::passed::{Field, Text, fields, texts};
use super::world::{Edit, Scheduler, Sent, Target, with_world};

pub(super) type Ptr = *mut c_void;

/// How this call fails now; `None` if it succeeds.
fn fault(call: &'static str) -> Option<i32> {
    with_world(|world| world.fault_of(call))
}

macro_rules! callbacks {
    ($(fn $name:ident($($argument:ident: $type:ty),*) $(-> $result:ty)? $body:block)*) => {
        $(
            extern "C" fn $name($($argument: $type),*) $(-> $result)? {
                // A failed assertion ends the test after the hook has returned.
                catch_unwind(|| $body).unwrap_or_else(|_| {
                    with_world(|world| world.is_wrong = true);
                    // SAFETY: 0 is a valid value of every returned type.
                    unsafe { std::mem::zeroed() }
                })
            }
        )*

        /// The names of all functions, with the prefix and a final zero byte.
        pub(super) const NAMES: &[&str] = &[
            $(concat!("envoy_dynamic_module_callback_", stringify!($name), "\0")),*
        ];

        /// The function with this name.
        pub(super) fn find(name: &str) -> Option<NonNull<c_void>> {
            $(
                if name == concat!("envoy_dynamic_module_callback_", stringify!($name), "\0") {
                    return NonNull::new($name as *mut c_void);
                }
            )*
            None
        }
    };
}

callbacks! {
    fn log(level: c_int, line: Text) {
        if fault("log").is_none() {
            with_world(|world| world.log.push((level, line.text())));
        }
    }

    fn log_enabled(level: c_int) -> bool {
        fault("log_enabled").is_none() && with_world(|world| level >= world.log_level)
    }

    fn get_concurrency() -> u32 {
        match fault("get_concurrency") {
            None => with_world(|world| world.workers),
            Some(_) => 0,
        }
    }

    fn is_validation_mode() -> bool {
        with_world(|world| world.is_validation)
    }

    fn http_filter_config_define_counter(
        _config: Ptr, name: Text, labels: *const Text, count: usize, id: *mut usize
    ) -> c_int {
        define("http_filter_config_define_counter", (true, name), (labels, count), id)
    }

    fn http_filter_config_define_gauge(
        _config: Ptr, name: Text, labels: *const Text, count: usize, id: *mut usize
    ) -> c_int {
        define("http_filter_config_define_gauge", (false, name), (labels, count), id)
    }

    fn http_filter_increment_counter(
        _filter: Ptr, id: usize, labels: *const Text, count: usize, by: u64
    ) -> c_int {
        change("http_filter_increment_counter", id, (labels, count), |value| value + signed(by))
    }

    fn http_filter_increment_gauge(
        _filter: Ptr, id: usize, labels: *const Text, count: usize, by: u64
    ) -> c_int {
        change("http_filter_increment_gauge", id, (labels, count), |value| value + signed(by))
    }

    fn http_filter_decrement_gauge(
        _filter: Ptr, id: usize, labels: *const Text, count: usize, by: u64
    ) -> c_int {
        change("http_filter_decrement_gauge", id, (labels, count), |value| value - signed(by))
    }

    fn http_filter_set_gauge(
        _filter: Ptr, id: usize, labels: *const Text, count: usize, to: u64
    ) -> c_int {
        change("http_filter_set_gauge", id, (labels, count), |_| signed(to))
    }

    fn http_filter_config_increment_counter(
        _config: Ptr, id: usize, labels: *const Text, count: usize, by: u64
    ) -> c_int {
        let call = "http_filter_config_increment_counter";
        change(call, id, (labels, count), |value| value + signed(by))
    }

    fn http_filter_config_set_gauge(
        _config: Ptr, id: usize, labels: *const Text, count: usize, to: u64
    ) -> c_int {
        change("http_filter_config_set_gauge", id, (labels, count), |_| signed(to))
    }

    fn http_get_headers_size(filter: Ptr, list: c_int) -> usize {
        match fault("http_get_headers_size") {
            None => with_world(|world| world.list(filter as usize, list).map_or(0, |it| it.len())),
            Some(_) => 0,
        }
    }

    fn http_get_headers(filter: Ptr, list: c_int, to: *mut Field) -> bool {
        let way = fault("http_get_headers");
        if way == Some(1) {
            return false;
        }
        with_world(|world| {
            let Some(list) = world.list(filter as usize, list) else {
                return false;
            };
            for (place, field) in list.iter().enumerate() {
                let field = match way {
                    None => Field::of(field),
                    Some(2) => Field::NONE,
                    Some(_) => Field::without_value(field),
                };
                // SAFETY: the module allocated an element for each field of the list.
                unsafe { to.add(place).write(field) };
            }
            true
        })
    }

    fn http_set_header(filter: Ptr, list: c_int, name: Text, value: Text) -> bool {
        let edit = if value.is_none() {
            Edit::Remove
        } else {
            Edit::Set(value.bytes())
        };
        fault("http_set_header").is_none()
            && with_world(|world| world.edit(filter as usize, list, name.bytes(), edit))
    }

    fn http_add_header(filter: Ptr, list: c_int, name: Text, value: Text) -> bool {
        let edit = Edit::Add(value.bytes());
        fault("http_add_header").is_none()
            && with_world(|world| world.edit(filter as usize, list, name.bytes(), edit))
    }

    fn http_send_response(
        filter: Ptr, status: u32, headers: *const Field, count: usize, body: Text, details: Text
    ) {
        if fault("http_send_response").is_none() {
            let headers = fields(headers, count);
            let (body, details) = (body.text(), details.text());
            let phase = with_world(|world| {
                world.reply(filter as usize, status, headers, body, details);
                world.phase
            });
            // In other hooks, Envoy delays the answer until the hook has returned.
            if phase == Some(Phase::Scheduled) {
                super::proxy::end(filter as usize);
            }
        }
    }

    fn http_filter_get_attribute_string(filter: Ptr, attribute: c_int, to: *mut Text) -> bool {
        const PEER_CERTIFICATE_DIGEST: c_int = 38;
        assert_eq!(attribute, PEER_CERTIFICATE_DIGEST);
        let known = with_world(|world| world.stream(filter as usize)?.certificate);
        let way = fault("http_filter_get_attribute_string");
        let text = match (known, way) {
            (_, Some(1)) | (None, None) => return false,
            (_, Some(2)) => "",
            (known, Some(3)) => known.map_or("ab", |known| known.split_at(known.len() / 2).0),
            (_, Some(_)) => "\u{fffd}",
            (Some(known), None) => known,
        };
        // SAFETY: the module passed a pointer for it.
        unsafe { to.write(Text::of(text.as_bytes())) };
        true
    }

    fn http_set_dynamic_metadata_string(filter: Ptr, namespace: Text, name: Text, value: Text) {
        if fault("http_set_dynamic_metadata_string").is_none() {
            let name = format!("{}.{}", namespace.text(), name.text());
            with_world(|world| {
                if let Some(stream) = world.stream(filter as usize) {
                    stream.metadata.insert(name, value.text());
                }
            });
        }
    }

    fn http_set_filter_state_bytes(filter: Ptr, name: Text, value: Text) -> bool {
        fault("http_set_filter_state_bytes").is_none() && with_world(|world| {
            let stream = world.stream(filter as usize);
            let set = stream.map(|stream| stream.filter_state.insert(name.text(), value.text()));
            set.is_some()
        })
    }

    fn http_filter_get_worker_index(_filter: Ptr) -> u32 {
        match fault("http_filter_get_worker_index") {
            None => with_world(|world| world.worker),
            Some(_) => u32::MAX,
        }
    }

    fn get_most_specific_route_config(filter: Ptr) -> *const c_void {
        let route = with_world(|world| world.stream(filter as usize).map(|stream| stream.route));
        match fault("get_most_specific_route_config") {
            None => ptr::without_provenance(route.unwrap_or(0)),
            Some(_) => ptr::null(),
        }
    }

    fn http_filter_continue_decoding(filter: Ptr) {
        if fault("http_filter_continue_decoding").is_none() {
            super::proxy::resume(filter as usize);
        }
    }

    fn http_filter_scheduler_new(filter: Ptr) -> Ptr {
        scheduler("http_filter_scheduler_new", Target::Stream(filter as usize))
    }

    fn http_filter_scheduler_commit(scheduler: Ptr, event: u64) {
        commit("http_filter_scheduler_commit", scheduler, event);
    }

    fn http_filter_scheduler_delete(scheduler: Ptr) {
        delete(scheduler);
    }

    fn http_filter_config_scheduler_new(config: Ptr) -> Ptr {
        scheduler("http_filter_config_scheduler_new", Target::Config(config as usize))
    }

    fn http_filter_config_scheduler_commit(scheduler: Ptr, event: u64) {
        commit("http_filter_config_scheduler_commit", scheduler, event);
    }

    fn http_filter_config_scheduler_delete(scheduler: Ptr) {
        delete(scheduler);
    }

    fn http_filter_config_http_callout(
        config: Ptr, id: *mut u64, cluster: Text, headers: *const Field, count: usize,
        body: Text, timeout: u64
    ) -> c_int {
        if let Some(way) = fault("http_filter_config_http_callout") {
            return way;
        }
        assert!(body.bytes().is_empty() && timeout > 0);
        let number = with_world(|world| {
            let number = world.next();
            let (config, number) = (config as usize, u64::try_from(number).unwrap());
            let headers = fields(headers, count);
            for needed in [":method", ":path", ":authority"] {
                assert!(headers.iter().any(|(name, _)| name == needed.as_bytes()));
            }
            world.sent.push(Sent { config, number, cluster: cluster.text(), headers });
            number
        });
        // SAFETY: the module passed a pointer for it.
        unsafe { id.write(number) };
        0
    }
}

fn signed(value: u64) -> i64 {
    i64::try_from(value).unwrap()
}

fn define(
    call: &'static str,
    (is_counter, name): (bool, Text),
    (labels, count): (*const Text, usize),
    id: *mut usize,
) -> c_int {
    if let Some(way) = fault(call) {
        return way;
    }
    let labels = texts(labels, count);
    let number = with_world(|world| world.define(is_counter, name.text(), labels));
    // SAFETY: the module passed a pointer for it.
    unsafe { id.write(number) };
    0
}

fn change(
    call: &'static str,
    id: usize,
    (labels, count): (*const Text, usize),
    to: impl FnOnce(i64) -> i64,
) -> c_int {
    if let Some(way) = fault(call) {
        return way;
    }
    let labels = texts(labels, count);
    with_world(|world| world.change(id, labels, call.contains("counter"), to))
}

fn scheduler(call: &'static str, target: Target) -> Ptr {
    if fault(call).is_some() {
        return ptr::null_mut();
    }
    Box::into_raw(Box::new(with_world(|world| world.scheduler(target)))).cast()
}

/// May be called on any thread.
fn commit(call: &'static str, scheduler: Ptr, event: u64) {
    // SAFETY: `scheduler` created it, and `delete` is its last call.
    let scheduler = unsafe { &*scheduler.cast::<Scheduler>() };
    if fault(call).is_none() {
        scheduler.queue.push(scheduler.target, event);
    }
}

/// May be called on any thread.
fn delete(scheduler: Ptr) {
    // SAFETY: as above.
    let scheduler = unsafe { Box::from_raw(scheduler.cast::<Scheduler>()) };
    let Scheduler { alive, .. } = *scheduler;
    Arc::clone(&alive).fetch_sub(1, Ordering::Relaxed);
}
