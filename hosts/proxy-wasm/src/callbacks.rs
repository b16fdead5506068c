//! The exports of the module: the callbacks of the ABI 0.2.1, and the memory for the host's
//! data.
//!
//! A callback for an unknown context can only come from a faulty host. No part of a request
//! continues then.

#![expect(
    unsafe_code,
    reason = "the ABI defines the names of the exports, and one function of the linker is called"
)]

use std::ptr;

use super::contexts;
use super::root::Root;
use edge_authz::host::Passage;

/// Marks the version of the ABI.
#[unsafe(no_mangle)]
extern "C" fn proxy_abi_version_0_2_1() {}

/// Is called once, before all others.
#[cfg(target_os = "wasi")]
#[unsafe(no_mangle)]
extern "C" fn _initialize() {
    unsafe extern "C" {
        fn __wasm_call_ctors();
    }
    // SAFETY: the linker defines it. It must be called once, before any other code.
    unsafe { __wasm_call_ctors() }
}

/// Memory for data that the host returns, for hosts that do not call `malloc`. Null if there
/// is none.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_memory_allocate(size: usize) -> *mut u8 {
    let mut memory = Vec::new();
    if memory.try_reserve_exact(size).is_err() {
        return ptr::null_mut();
    }
    memory.resize(size, 0);
    Box::into_raw(memory.into_boxed_slice()).cast()
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_context_create(context: u32, root: u32) {
    contexts::create(context, root);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_vm_start(_: u32, _: usize) -> bool {
    true
}

/// Returns true for an unknown root context: its requests are refused.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_configure(root: u32, size: usize) -> bool {
    contexts::with_root(root, |root| root.configure(size)).unwrap_or(true)
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_tick(root: u32) {
    contexts::with_root(root, Root::tick);
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_headers(context: u32, _: usize, _: u32) -> u32 {
    let request = contexts::request(context);
    action(request.map(|request| request.headers()))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_body(context: u32, _: usize, _: u32) -> u32 {
    let request = contexts::request(context);
    action(request.map(|request| request.body()))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_request_trailers(context: u32, fields: usize) -> u32 {
    let request = contexts::request(context);
    action(request.map(|request| request.trailers(fields > 0)))
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_response_headers(context: u32, _: usize, _: u32) -> u32 {
    let request = contexts::request(context);
    action(request.map(|request| request.response_headers()))
}

/// The end of a request that a root context has sent.
#[unsafe(no_mangle)]
extern "C" fn proxy_on_http_call_response(
    root: u32,
    number: u32,
    fields: usize,
    body_size: usize,
    _: usize,
) {
    contexts::with_root(root, |root| root.fetched(number, fields, body_size));
}

#[unsafe(no_mangle)]
extern "C" fn proxy_on_delete(context: u32) {
    contexts::delete(context);
}

/// The ABI's number.
const fn action(passage: Option<Passage>) -> u32 {
    match passage {
        Some(Passage::Continue) => 0,
        Some(Passage::Pause) | None => 1,
    }
}
