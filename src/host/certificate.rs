//! The digest of the client's certificate, as Envoy writes it.

use super::{HostError, HttpExchange};
use crate::bytes::octet;
use crate::engine::{CertificateUnknown, Connection};

/// The connection of a request, in the callbacks of the request.
#[derive(Debug)]
pub struct Peer<'e, E>(pub &'e E);

impl<E: HttpExchange> Connection for Peer<'_, E> {
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown> {
        let digest = self.0.client_certificate_digest();
        digest.map_err(|_| CertificateUnknown)
    }
}

/// Reads Envoy's attribute `connection.sha256_peer_certificate_digest`: two hexadecimal
/// digits for each byte, or nothing if the client presented no certificate.
///
/// # Errors
///
/// [`HostError::Malformed`]: it is neither. This is not the same as no certificate.
pub fn certificate_digest(digits: &[u8]) -> Result<Option<[u8; 32]>, HostError> {
    if digits.is_empty() {
        return Ok(None);
    }
    read(digits).map(Some).ok_or(HostError::Malformed)
}

fn read(digits: &[u8]) -> Option<[u8; 32]> {
    let mut digest = [0; 32];
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    if pairs.len() != digest.len() {
        return None;
    }
    for (byte, pair) in digest.iter_mut().zip(pairs) {
        let [high, low] = *pair;
        *byte = octet(high, low)?;
    }
    Some(digest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_exactly_64_digits_and_no_certificate_is_none() {
        let digits = "0aFF".repeat(16);
        let expected: Vec<u8> = [0x0a, 0xff].repeat(16);
        let digest = certificate_digest(digits.as_bytes()).unwrap().unwrap();
        assert_eq!(digest.to_vec(), expected);
        assert_eq!(certificate_digest(b""), Ok(None));
        for bad in [
            &digits.replacen('0', "", 1),
            &digits.replacen("0a", "", 1),
            &format!("{digits}00"),
            &digits.replace('a', "g"),
        ] {
            let read = certificate_digest(bad.as_bytes());
            assert_eq!(read, Err(HostError::Malformed), "{bad}");
        }
    }
}
