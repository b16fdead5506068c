//! Callbacks for contexts that the host has not created, or creates twice.

use super::abi;
use super::issuer::fetched;
use super::proxy::{configure, forwarded, leave, request, status_of};
use super::world::in_worker;

const ROOT: u32 = 1;
const UNKNOWN: u32 = 7;

#[test]
fn nothing_of_an_unknown_context_passes() {
    in_worker(|| {
        for context in [UNKNOWN, 0, u32::MAX] {
            assert_eq!(abi::proxy_on_request_headers(context, 1, 0), 1);
            assert_eq!(abi::proxy_on_request_body(context, 1, 0), 1);
            assert_eq!(abi::proxy_on_request_trailers(context, 1), 1);
            assert_eq!(abi::proxy_on_response_headers(context, 1, 0), 1);
            assert!(abi::proxy_on_configure(context, 0));
            abi::proxy_on_tick(context);
            abi::proxy_on_http_call_response(context, 1, 1, 1, 0);
            abi::proxy_on_delete(context);
        }
    });
}

#[test]
fn a_request_of_an_unknown_root_context_is_refused() {
    in_worker(|| {
        let id = request(UNKNOWN, &[(":method", "GET"), (":path", "/public")]);
        assert_eq!(status_of(id), Some(503));
        assert_eq!(forwarded(id), None);
        leave(id);
        assert_eq!(abi::proxy_on_request_headers(id, 1, 0), 1);
    });
}

#[test]
fn a_root_context_that_is_created_again_has_no_policy() {
    in_worker(|| {
        assert!(configure(ROOT, &fetched()));
        abi::proxy_on_context_create(ROOT, 0);
        let id = request(ROOT, &[(":method", "GET"), (":path", "/public")]);
        assert_eq!(status_of(id), Some(503));
    });
}
