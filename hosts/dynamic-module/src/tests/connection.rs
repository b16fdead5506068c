//! Tests of what Envoy reports about a connection.

#![expect(
    unsafe_code,
    reason = "a foreign interface: it makes a filter as the hooks do"
)]

use std::ptr;

use edge_authz::host::{HostError, HttpExchange};

use super::fault::{Fault, Phase};
use super::world::{Stream, fields, in_worker, with_world};
use crate::abi::Filter;

const DIGEST: &str = "00017f80feff000102030405060708090a0b0c0d0e0f101112131415161718ab";

/// The client certificate's digest as the module reads it, if Envoy reports `said` and
/// the call fails in this way.
fn digest(said: Option<&'static str>, way: Option<i32>) -> Result<Option<[u8; 32]>, HostError> {
    in_worker(|| {
        let id = 7;
        with_world(|world| {
            let stream = Stream {
                certificate: said,
                ..Stream::new(fields(&[]))
            };
            world.streams.insert(id, stream);
            world.phase = Some(Phase::RequestHeaders);
            world.fault = way.map(|way| Fault {
                call: "http_filter_get_attribute_string",
                way,
                phase: Phase::RequestHeaders,
                after: 0,
            });
        });
        // SAFETY: the fake has a stream with this id.
        let filter = unsafe { Filter::new(ptr::without_provenance_mut(id)) };
        filter.unwrap().client_certificate_digest()
    })
}

#[test]
fn only_a_present_certificate_has_a_digest() {
    let known = digest(Some(DIGEST), None).unwrap().unwrap();
    assert_eq!(known[..6], [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff]);
    assert_eq!(known[31], 0xab);
    assert_eq!(digest(None, None), Ok(None));
}

#[test]
fn a_malformed_digest_is_an_error() {
    for way in [3, 4] {
        assert_eq!(digest(Some(DIGEST), Some(way)), Err(HostError::Malformed));
    }
    for wrong in ["0", "00", "0x"] {
        assert_eq!(digest(Some(wrong), None), Err(HostError::Malformed));
    }
}
