//! Tests hooks with null pointers, an Envoy that lacks a function, and replies that are
//! not lines of text.

#![expect(
    unsafe_code,
    reason = "a foreign interface: it calls the hooks as Envoy does"
)]

use std::ptr;

use serde_json::json;

use super::callbacks::{NAMES, find};
use super::issuer::{Issuer, configuration, inline};
use super::proxy::{answer, answered, configure, forwarded, no_answer, request, sent, wait};
use super::world::{START, Stream, fields, in_worker, values, with_world};
use crate::{abi, hooks};

/// Functions that an Envoy may lack, because a version after the oldest supported one
/// added them.
const OPTIONAL: [&str; 2] = [
    "http_filter_config_increment_counter",
    "http_filter_config_set_gauge",
];

#[test]
fn an_envoy_that_lacks_a_function_of_its_version_does_not_load_the_module() {
    for name in NAMES {
        let without = |asked: &'static str| find(asked).filter(|_| asked != *name);
        let short = name
            .strip_prefix("envoy_dynamic_module_callback_")
            .and_then(|name| name.strip_suffix('\0'))
            .unwrap();
        let expected = if OPTIONAL.contains(&short) {
            Ok(c"v0.1.0")
        } else {
            Err(short)
        };
        assert_eq!(abi::load_from(without), expected);
    }
}

#[test]
fn the_module_speaks_the_version_of_the_interface_that_its_envoy_has() {
    const NEW: &str = "envoy_dynamic_module_callback_log_v2\0";
    let with_new = |name: &'static str| {
        // It is never called.
        let other = if name == NEW { NAMES[0] } else { name };
        find(other)
    };
    assert_eq!(abi::load_from(find), Ok(c"v0.1.0"));
    assert_eq!(abi::load_from(with_new), Ok(c"v0.2.0"));
}

#[test]
fn hooks_without_their_pointers_let_nothing_pass_and_do_not_crash() {
    in_worker(|| {
        let none = ptr::null_mut;
        let id = 7;
        with_world(|world| {
            world
                .streams
                .insert(id, Stream::new(fields(&[(":path", "/")])))
        });
        let filter = ptr::without_provenance_mut(id);
        // SAFETY: the hooks accept null pointers.
        unsafe {
            let request = hooks::envoy_dynamic_module_on_http_filter_new(none(), filter);
            assert!(!request.is_null());
            let status =
                hooks::envoy_dynamic_module_on_http_filter_request_headers(filter, request, true);
            assert_ne!(status, 0);
            assert_eq!(answered(id).status, 503);
            for (filter, request) in [(none(), request), (none(), none())] {
                let (headers, body) = (
                    hooks::envoy_dynamic_module_on_http_filter_request_headers,
                    hooks::envoy_dynamic_module_on_http_filter_request_body,
                );
                assert_ne!(headers(filter, request, true), 0);
                assert_ne!(body(filter, request, true), 0);
                let trailers = hooks::envoy_dynamic_module_on_http_filter_request_trailers;
                assert_ne!(trailers(filter, request), 0);
                hooks::envoy_dynamic_module_on_http_filter_scheduled(filter, request, 1);
                hooks::envoy_dynamic_module_on_http_filter_stream_complete(filter, request);
            }
            hooks::envoy_dynamic_module_on_http_filter_destroy(request);
            hooks::envoy_dynamic_module_on_http_filter_destroy(none());
            hooks::envoy_dynamic_module_on_http_filter_config_destroy(none());
            hooks::envoy_dynamic_module_on_http_filter_config_scheduled(none(), none(), 1);
            hooks::envoy_dynamic_module_on_http_filter_config_http_callout_done(
                none(),
                none(),
                1,
                0,
                ptr::null(),
                0,
                ptr::null(),
                0,
            );
        }
    });
}

#[test]
fn a_request_whose_own_state_is_missing_is_answered_503() {
    in_worker(|| {
        let id = 7;
        with_world(|world| {
            world
                .streams
                .insert(id, Stream::new(fields(&[(":path", "/")])))
        });
        let filter = ptr::without_provenance_mut(id);
        // SAFETY: the hook accepts null pointers.
        let status = unsafe {
            hooks::envoy_dynamic_module_on_http_filter_request_headers(
                filter,
                ptr::null_mut(),
                true,
            )
        };
        assert_ne!(status, 0);
        assert_eq!(answered(id).status, 503);
    });
}

#[test]
fn a_fetch_that_envoy_does_not_send_or_finish_is_tried_again() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let uri = "https://issuer.example/refusals/fetch";
        let text = configuration(&json!({"cluster": "idp", "uri": uri})).to_string();
        let config = configure(&text).unwrap();
        let token = format!("Bearer {}", issuer.token(START));
        let head = [
            (":method", "GET"),
            (":path", "/private"),
            (":authority", "api.example"),
            ("authorization", &*token),
        ];
        for result in [1, 2, 7, -1] {
            let waits = request(config, &head);
            for _ in 0..200 {
                if !sent().is_empty() {
                    break;
                }
                wait(config, 1);
            }
            no_answer(config, &sent()[0], result);
            wait(config, 60);
            assert_eq!(answered(waits).status, 503, "result {result}");
        }
        let waits = request(config, &head);
        for _ in 0..200 {
            for sent in sent() {
                answer(config, &sent, 200, &issuer.jwks().to_string());
            }
            wait(config, 1);
        }
        assert!(forwarded(request(config, &head)).is_some());
        assert!(forwarded(waits).is_some());
    });
}

#[test]
fn no_value_of_a_claim_ends_a_line() {
    in_worker(|| {
        let issuer = Issuer::new("k1");
        let config = configure(&inline(&issuer)).unwrap();
        for bad in ["a\r\nx-admin: 1", "a\n", "\r", "a\u{0}b"] {
            let token = issuer.token_with(START, &json!({"sub": bad}));
            let token = format!("Bearer {token}");
            let id = request(
                config,
                &[
                    (":method", "GET"),
                    (":path", "/private"),
                    (":authority", "api.example"),
                    ("authorization", &token),
                ],
            );
            // The fake asserts that no call has such a value.
            if let Some(upstream) = forwarded(id) {
                assert_eq!(values(&upstream, "x-admin"), [""; 0]);
            }
        }
    });
}
