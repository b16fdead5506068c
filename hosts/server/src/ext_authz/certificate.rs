//! The client certificate of a check request.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use edge_authz::bytes::octet;
use edge_authz::engine::CertificateUnknown;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::Peer;

use crate::service::Certificate;

const BEGIN: &str = "-----BEGIN CERTIFICATE-----";
const END: &str = "-----END CERTIFICATE-----";

/// The SHA-256 of the certificate that the client's connection presented. Envoy sends the
/// certificate as percent-encoded PEM, and only with `include_peer_certificate`.
///
/// Without that setting, the certificate is empty too, but a connection with a certificate
/// has a principal: then the certificate is unknown. Headers such as
/// `x-forwarded-client-cert` are never read, because a client can write them.
pub(super) fn of_client(source: Option<&Peer>) -> Certificate {
    let Some(source) = source else {
        return Err(CertificateUnknown);
    };
    if source.certificate.is_empty() {
        return if source.principal.is_empty() {
            Ok(None)
        } else {
            Err(CertificateUnknown)
        };
    }
    fingerprint(&source.certificate)
        .map(Some)
        .ok_or(CertificateUnknown)
}

/// The SHA-256 of the only certificate in a percent-encoded PEM text.
fn fingerprint(encoded: &str) -> Option<[u8; 32]> {
    let pem = decoded(encoded)?;
    let (before, rest) = pem.split_once(BEGIN)?;
    let (base64, after) = rest.split_once(END)?;
    let is_alone = before.trim().is_empty() && after.trim().is_empty();
    if !is_alone {
        return None;
    }
    let base64: String = base64.split_ascii_whitespace().collect();
    let der = BASE64_STANDARD.decode(base64).ok()?;
    if der.is_empty() {
        return None;
    }
    digest(&SHA256, &der).as_ref().try_into().ok()
}

/// Text without its percent-encoding (RFC 3986 section 2.1).
fn decoded(encoded: &str) -> Option<String> {
    let mut pieces = encoded.split('%');
    let mut text = pieces.next()?.to_owned();
    for piece in pieces {
        let (digits, rest) = piece.split_at_checked(2)?;
        let &[high, low] = digits.as_bytes() else {
            return None;
        };
        let byte = octet(high, low)?;
        if !byte.is_ascii() {
            return None;
        }
        text.push(char::from(byte));
        text.push_str(rest);
    }
    Some(text)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn peer(certificate: &str, principal: &str) -> Peer {
        Peer {
            certificate: certificate.to_owned(),
            principal: principal.to_owned(),
            ..Peer::default()
        }
    }

    fn encoded(pem: &str) -> String {
        let escape = |byte: u8| match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' => char::from(byte).to_string(),
            _ => format!("%{byte:02X}"),
        };
        pem.bytes().map(escape).collect()
    }

    #[test]
    fn the_digest_is_that_of_the_decoded_certificate() {
        let der = [0x30, 0x03, 0xff, 0xfe, 0xfd];
        let base64 = BASE64_STANDARD.encode(der);
        let (start, end) = base64.split_at(3);
        let pem = format!("{BEGIN}\n{start}\r\n{end}\n{END}\n");
        let expected: [u8; 32] = digest(&SHA256, &der).as_ref().try_into().unwrap();
        let found = of_client(Some(&peer(&encoded(&pem), "")));
        assert_eq!(found.ok().flatten(), Some(expected));
    }

    #[test]
    fn no_certificate_is_not_an_unknown_one() {
        assert!(matches!(of_client(Some(&peer("", ""))), Ok(None)));
        assert!(of_client(Some(&peer("", "spiffe://td/client"))).is_err());
        assert!(of_client(None).is_err());
    }

    #[test]
    fn a_text_that_is_not_one_certificate_is_unknown() {
        let base64 = BASE64_STANDARD.encode([1, 2, 3]);
        let one = format!("{BEGIN}\n{base64}\n{END}\n");
        for bad in [
            one.repeat(2),
            format!("x{one}"),
            one.replace(END, ""),
            one.replace(BEGIN, ""),
            format!("{BEGIN}\n{END}"),
            format!("{BEGIN}\n*{base64}\n{END}"),
            "x".to_owned(),
        ] {
            assert!(of_client(Some(&peer(&encoded(&bad), ""))).is_err(), "{bad}");
        }
        for bad in ["%", "%0", "%+1", "%ff", "%é"] {
            assert!(
                of_client(Some(&peer(&format!("{one}{bad}"), ""))).is_err(),
                "{bad}"
            );
        }
    }
}
