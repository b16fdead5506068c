//! What the host reports about a connection.

use super::world::{Call, Failure, Fault, Phase, in_worker, with_world};
use crate::port::Current;
use edge_authz::host::{HostError, HttpExchange};

/// The digest of the client certificate, as the filter reads it.
fn digest(reported: Option<&'static str>) -> Result<Option<[u8; 32]>, HostError> {
    in_worker(|| {
        with_world(|world| world.certificate_digest = reported);
        Current.client_certificate_digest()
    })
}

const DIGEST: &str = "00017f80feff000102030405060708090a0b0c0d0e0f101112131415161718ab";

#[test]
fn only_a_present_certificate_has_a_digest() {
    let known = digest(Some(DIGEST)).unwrap().unwrap();
    assert_eq!(known[..6], [0x00, 0x01, 0x7f, 0x80, 0xfe, 0xff]);
    assert_eq!(known[31], 0xab);
    let upper_case = "00017F80FEFF000102030405060708090A0B0C0D0E0F101112131415161718AB";
    assert_eq!(digest(Some(upper_case)), Ok(Some(known)));
    assert_eq!(digest(None), Ok(None));
    assert_eq!(digest(Some("")), Ok(None));
}

#[test]
fn a_malformed_digest_is_an_error() {
    for wrong in [
        "0",
        "00",
        "00017f80feff000102030405060708090a0b0c0d0e0f101112131415161718",
        "00017f80feff000102030405060708090a0b0c0d0e0f101112131415161718a",
        "00017f80feff000102030405060708090a0b0c0d0e0f101112131415161718abcd",
        "+0017f80feff000102030405060708090a0b0c0d0e0f101112131415161718abc",
        "0x017f80feff000102030405060708090a0b0c0d0e0f101112131415161718ab",
    ] {
        assert_eq!(digest(Some(wrong)), Err(HostError::Malformed), "{wrong}");
    }
}

#[test]
fn a_host_error_does_not_mean_that_there_is_no_certificate() {
    for (status, expected) in [(2, HostError::Refused(2)), (10, HostError::NoFunction)] {
        let reported = in_worker(|| {
            with_world(|world| {
                world.phase = Some(Phase::RequestHeaders);
                world.certificate_digest = Some(DIGEST);
                world.fault = Some(Fault {
                    call: Call::GetProperty,
                    failure: Failure::Status(status),
                    phase: Phase::RequestHeaders,
                    after: 0,
                });
            });
            Current.client_certificate_digest()
        });
        assert_eq!(reported, Err(expected));
    }
}
