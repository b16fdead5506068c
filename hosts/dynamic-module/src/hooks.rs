//! The hooks that Envoy calls.
//!
//! Every hook catches panics, which would end the whole proxy. A request whose hook has
//! panicked is answered 503.

#![expect(
    unsafe_code,
    reason = "a foreign interface: each hook may be called by Envoy only, as `abi` says"
)]
#![expect(
    unreachable_pub,
    reason = "the crate exports symbols to Envoy and has no other users"
)]

use std::ffi::{c_char, c_int, c_void};
use std::panic::{self, AssertUnwindSafe};
use std::ptr;
use std::rc::Rc;
use std::sync::Arc;

use super::abi::{self, Buffer, Config, Field, Filter, LogLevel};
use super::listener::Listener;
use super::request::{self, Request};
use super::routes;
use edge_authz::host::Passage;
use edge_authz::http::HeaderMap;
use edge_authz::keys::answer::AnswerHead;

type Ptr = *mut c_void;

/// The headers continue.
const CONTINUE: c_int = 0;
/// The headers and everything after them are held back. Envoy buffers up to its limit,
/// and then stops reading.
const STOP_ALL: c_int = 4;
/// The body or the trailers are held back.
const STOP: c_int = 1;
/// The body is held back. Envoy buffers up to its limit, and then stops reading.
const STOP_BODY: c_int = 2;

/// The result of a hook without a request.
const NO_REQUEST: c_int = STOP_ALL;

/// Runs the body of a hook. `None` if it panics.
///
/// A panic can leave work incomplete, but not unsound: no state here has a safety
/// invariant. Caches contain complete values, locks ignore poisoning, and the caller
/// answers the request.
fn guarded<T>(act: impl FnOnce() -> T) -> Option<T> {
    panic::catch_unwind(AssertUnwindSafe(act)).ok()
}

/// Returns the request of a hook. The hook holds it until it returns, because Envoy may
/// end a request, and call `on_http_filter_destroy`, while a hook answers it.
///
/// # Safety
///
/// The pointer is null, or it is the pointer that Envoy passed to a hook of a request.
unsafe fn held(request: Ptr) -> Option<Rc<Request>> {
    if request.is_null() {
        return None;
    }
    let request = request.cast_const().cast::<Request>();
    // SAFETY: `on_http_filter_new` created it, and `on_http_filter_destroy` has not been
    // called. All hooks of a request are called on one thread.
    Some(unsafe {
        Rc::increment_strong_count(request);
        Rc::from_raw(request)
    })
}

/// Runs `act` as a hook of a request. If it panics, the request is answered 503 and the hook
/// returns `instead`.
///
/// # Safety
///
/// The pointers must be the arguments of a hook of a request.
unsafe fn with_request<T>(
    filter: Ptr,
    request: Ptr,
    instead: T,
    act: impl FnOnce(&Request, Filter<'_>) -> T,
) -> T {
    // SAFETY: the pointer belongs to Envoy, and is not used after the hook.
    let Some(filter) = (unsafe { Filter::new(filter) }) else {
        return instead;
    };
    // SAFETY: the pointer is this hook's.
    let Some(request) = (unsafe { held(request) }) else {
        let _ = guarded(|| request::refuse(filter));
        return instead;
    };
    let result = guarded(|| act(&request, filter)).unwrap_or_else(|| {
        let _ = guarded(|| request.give_up(filter));
        let _ = guarded(|| request.count_panic(filter));
        instead
    });
    // This may drop the last reference.
    let _ = guarded(|| drop(request));
    result
}

/// Runs `act` as a hook of a configuration. If it panics, the next tick continues with
/// the previous state. The safety requirements are those of `with_request`.
unsafe fn with_listener(config: Ptr, listener: Ptr, act: impl FnOnce(&Listener, Config<'_>)) {
    // SAFETY: the pointer belongs to Envoy, and is not used after the hook.
    let config = unsafe { Config::new(config) };
    // SAFETY: it was made by `on_http_filter_config_new`, and exists until
    // `on_http_filter_config_destroy`.
    let listener = unsafe { listener.cast::<Arc<Listener>>().as_ref() };
    if let (Some(config), Some(listener)) = (config, listener) {
        let done = guarded(|| act(listener, config));
        if done.is_none() {
            let _ = guarded(|| listener.metrics().count_panic_in_config(config));
        }
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_program_init() -> *const c_char {
    let loaded = guarded(|| {
        // Only the location is logged, because the message of a panic may contain parts
        // of a request.
        panic::set_hook(Box::new(|info| {
            let place = info.location().map(ToString::to_string).unwrap_or_default();
            abi::log(LogLevel::Error, &format!("edge_authz panicked at {place}"));
        }));
        abi::load()
    });
    match loaded {
        Some(Ok(version)) => version.as_ptr(),
        Some(Err(_)) | None => ptr::null(),
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_new(
    config: Ptr,
    _name: Buffer,
    text: Buffer,
) -> Ptr {
    // SAFETY: the pointer belongs to Envoy, and is not used after the hook.
    let Some(config) = (unsafe { Config::new(config) }) else {
        return ptr::null_mut();
    };
    // SAFETY: Envoy passed it to this hook, and nothing changes it.
    let text = unsafe { text.bytes() };
    let listener = guarded(|| Listener::new(config, text)).flatten();
    listener.map_or(ptr::null_mut(), |listener| {
        Box::into_raw(Box::new(listener)).cast()
    })
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_destroy(listener: Ptr) {
    if listener.is_null() {
        return;
    }
    // SAFETY: it was made by `on_http_filter_config_new`, and this is its last hook.
    let listener = unsafe { Box::from_raw(listener.cast::<Arc<Listener>>()) };
    let _ = guarded(|| {
        listener.close();
        drop(listener);
    });
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_new(
    _name: Buffer,
    text: Buffer,
) -> *const c_void {
    // SAFETY: Envoy passed it to this hook, and nothing changes it.
    let text = unsafe { text.bytes() };
    let ticket = guarded(|| routes::open(text)).flatten();
    ticket.map_or(ptr::null(), |ticket| ticket.into_raw().cast_const().cast())
}

/// Envoy calls this hook on any thread.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_per_route_config_destroy(
    ticket: *const c_void,
) {
    if guarded(|| routes::close(ticket.addr())) == Some(true) {
        // SAFETY: the address is known, so it was made by
        // `on_http_filter_per_route_config_new`. This is its last hook.
        let ticket = unsafe { Box::from_raw(ticket.cast_mut().cast::<u64>()) };
        drop(ticket);
    }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_scheduled(
    config: Ptr,
    listener: Ptr,
    _event: u64,
) {
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_listener(config, listener, Listener::tick) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_config_http_callout_done(
    config: Ptr,
    listener: Ptr,
    number: u64,
    result: c_int,
    headers: *const Field,
    headers_count: usize,
    chunks: *const Buffer,
    chunks_count: usize,
) {
    let act = |listener: &Listener, config: Config<'_>| {
        if result != 0 {
            listener.fetched(config, number, &AnswerHead::default(), &|| None);
            return;
        }
        // SAFETY: they are arguments of this hook, and nothing changes them before it
        // ends.
        let fields = unsafe { abi::fields(headers, headers_count) };
        // SAFETY: as above.
        let chunks = unsafe { abi::chunks(chunks, chunks_count) };
        let size = chunks
            .clone()
            .map(<[u8]>::len)
            .fold(0, usize::saturating_add);
        let head = AnswerHead::read(&HeaderMap::from_pairs(fields), size);
        let body = || Some(chunks.clone().flatten().copied().collect());
        listener.fetched(config, number, &head, &body);
    };
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_listener(config, listener, act) };
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_new(
    listener: Ptr,
    filter: Ptr,
) -> Ptr {
    // SAFETY: it was made by `on_http_filter_config_new`, and exists until
    // `on_http_filter_config_destroy`.
    let listener = unsafe { listener.cast::<Arc<Listener>>().as_ref() };
    // SAFETY: the pointer belongs to Envoy, and is not used after the hook.
    let filter = unsafe { Filter::new(filter) };
    let made = listener.zip(filter).and_then(|(listener, filter)| {
        let made = guarded(|| Request::new(listener, filter));
        if made.is_none() {
            let _ = guarded(|| listener.metrics().count_panic(filter));
        }
        made
    });
    // Without a filter, Envoy would crash, or serve the request unchecked.
    let made = Rc::new(made.unwrap_or(Request::Refused));
    Rc::into_raw(made).cast_mut().cast()
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_destroy(request: Ptr) {
    if request.is_null() {
        return;
    }
    // SAFETY: it was made by `on_http_filter_new`, and this is its last hook.
    let request = unsafe { Rc::from_raw(request.cast_const().cast::<Request>()) };
    let _ = guarded(|| drop(request));
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_headers(
    filter: Ptr,
    request: Ptr,
    _end_stream: bool,
) -> c_int {
    let act = |request: &Request, filter: Filter<'_>| match request.headers(filter) {
        Passage::Continue => CONTINUE,
        Passage::Pause => STOP_ALL,
    };
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_request(filter, request, NO_REQUEST, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_body(
    filter: Ptr,
    request: Ptr,
    _end_stream: bool,
) -> c_int {
    let act = |request: &Request, _: Filter<'_>| match request.body() {
        Passage::Continue => CONTINUE,
        Passage::Pause => STOP_BODY,
    };
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_request(filter, request, STOP_BODY, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_request_trailers(
    filter: Ptr,
    request: Ptr,
) -> c_int {
    let act = |request: &Request, filter: Filter<'_>| {
        let has_fields = filter.count(abi::List::RequestTrailers) > 0;
        match request.trailers(filter, has_fields) {
            Passage::Continue => CONTINUE,
            Passage::Pause => STOP,
        }
    };
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_request(filter, request, STOP, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_response_headers(
    filter: Ptr,
    request: Ptr,
    _end_stream: bool,
) -> c_int {
    let act = |request: &Request, filter: Filter<'_>| match request.response_headers(filter) {
        Passage::Continue => CONTINUE,
        Passage::Pause => STOP,
    };
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_request(filter, request, STOP, act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_scheduled(
    filter: Ptr,
    request: Ptr,
    event: u64,
) {
    let act = |request: &Request, filter: Filter<'_>| request.scheduled(filter, event);
    // SAFETY: the pointers are arguments of this hook.
    unsafe { with_request(filter, request, (), act) }
}

#[unsafe(no_mangle)]
pub unsafe extern "C" fn envoy_dynamic_module_on_http_filter_stream_complete(
    filter: Ptr,
    request: Ptr,
) {
    // SAFETY: the pointer belongs to Envoy, and is not used after the hook.
    let filter = unsafe { Filter::new(filter) };
    // SAFETY: the pointer is this hook's. The request can no longer be answered.
    let request = unsafe { held(request) };
    if let (Some(filter), Some(request)) = (filter, request) {
        if guarded(|| request.ended(filter)).is_none() {
            let _ = guarded(|| request.count_panic(filter));
        }
        let _ = guarded(|| drop(request));
    }
}

/// Defines hooks that Envoy requires and in which this module does nothing.
macro_rules! nothing {
    ($($name:ident($($type:ty),*) $(-> $result:ty = $value:expr)?;)*) => {
        $(
            #[unsafe(no_mangle)]
            pub extern "C" fn $name($(_: $type),*) $(-> $result)? {
                $($value)?
            }
        )*
    };
}

nothing! {
    envoy_dynamic_module_on_http_filter_response_body(Ptr, Ptr, bool) -> c_int = CONTINUE;
    envoy_dynamic_module_on_http_filter_response_trailers(Ptr, Ptr) -> c_int = CONTINUE;
    envoy_dynamic_module_on_http_filter_http_callout_done(
        Ptr, Ptr, u64, c_int, *const Field, usize, *const Buffer, usize
    );
    envoy_dynamic_module_on_http_filter_http_stream_headers(
        Ptr, Ptr, u64, *const Field, usize, bool
    );
    envoy_dynamic_module_on_http_filter_http_stream_data(
        Ptr, Ptr, u64, *const Buffer, usize, bool
    );
    envoy_dynamic_module_on_http_filter_http_stream_trailers(Ptr, Ptr, u64, *const Field, usize);
    envoy_dynamic_module_on_http_filter_http_stream_complete(Ptr, Ptr, u64);
    envoy_dynamic_module_on_http_filter_http_stream_reset(Ptr, Ptr, u64, c_int);
    envoy_dynamic_module_on_http_filter_downstream_above_write_buffer_high_watermark(Ptr, Ptr);
    envoy_dynamic_module_on_http_filter_downstream_below_write_buffer_low_watermark(Ptr, Ptr);
}
