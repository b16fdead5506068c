//! Signature verification by Envoy's foreign function `verify_signature`.
//!
//! It does only the arithmetic, for RSA (PKCS #1 v1.5) and ECDSA. The core has checked
//! before that the key's type fits the algorithm, and that the key is strong enough.

use std::cell::{Cell, RefCell};

use super::{HostError, foreign};
use edge_authz::crypto::{Algorithm, HostCheck, HostSignatures};

const FUNCTION: &str = "verify_signature";

/// Envoy's message if the signature was checked and does not match. In every other case
/// the check itself failed, and the module checks the signature.
const CHECKED: &[u8] = b"Failed to verify digest";

/// The host's own signature verification, if the host has it.
#[derive(Debug, Default)]
pub(crate) struct Signatures {
    /// Whether the host lacks the function. It is tried only once.
    absent: Cell<bool>,
    /// The buffer for the arguments, which is reused.
    arguments: RefCell<Vec<u8>>,
}

impl HostSignatures for Signatures {
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let hash = hash(check.algorithm())?;
        if self.absent.get() {
            return None;
        }
        let mut arguments = self.arguments.try_borrow_mut().ok()?;
        arguments.clear();
        let fields = [
            hash.as_bytes(),
            check.spki_der(),
            check.signature(),
            check.message(),
        ];
        for (number, field) in (1..).zip(fields) {
            push(&mut arguments, number, field)?;
        }
        match foreign(FUNCTION, &arguments) {
            Ok(result) => read(&result),
            Err(HostError::NotFound | HostError::NoFunction) => {
                self.absent.set(true);
                None
            }
            Err(_) => None,
        }
    }
}

/// The host's name of the algorithm's hash; `None` if the host lacks the algorithm.
const fn hash(algorithm: Algorithm) -> Option<&'static str> {
    match algorithm {
        Algorithm::Rs256 | Algorithm::Es256 => Some("sha256"),
        Algorithm::Rs384 | Algorithm::Es384 => Some("sha384"),
        Algorithm::Rs512 | Algorithm::Es512 => Some("sha512"),
        Algorithm::Ps256
        | Algorithm::Ps384
        | Algorithm::Ps512
        | Algorithm::EdDsa
        | Algorithm::Hs256
        | Algorithm::Hs384
        | Algorithm::Hs512 => None,
    }
}

/// Appends a protobuf field of bytes. Its number must be below 16.
fn push(message: &mut Vec<u8>, number: u8, bytes: &[u8]) -> Option<()> {
    const LENGTH_DELIMITED: u8 = 2;
    message.push(number.checked_shl(3)? | LENGTH_DELIMITED);
    let mut length = u32::try_from(bytes.len()).ok()?;
    while length >= 0x80 {
        let [low, ..] = length.to_le_bytes();
        message.push(low | 0x80);
        length >>= 7;
    }
    let [low, ..] = length.to_le_bytes();
    message.push(low);
    message.extend_from_slice(bytes);
    Some(())
}

/// Parses the result. Field 1 says whether the signature is valid. If it is not, field 2
/// gives the reason.
fn read(result: &[u8]) -> Option<bool> {
    match result {
        [0x08, 0x01] => Some(true),
        [0x12, rest @ ..] | [0x08, 0x00, 0x12, rest @ ..] => {
            let text = rest.split_first().map(|(_, text)| text)?;
            text.starts_with(CHECKED).then_some(false)
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_encoded_as_in_protobuf() {
        let mut message = Vec::new();
        push(&mut message, 1, b"sha256").unwrap();
        push(&mut message, 4, &[7; 300]).unwrap();
        let expected = [&b"\x0a\x06sha256\x22\xac\x02"[..], &[7; 300]].concat();
        assert_eq!(message, expected);
    }

    #[test]
    fn the_host_is_asked_only_for_what_it_has() {
        for algorithm in Algorithm::ALL {
            let (family, length) = algorithm.name().split_at(2);
            let expected = matches!(family, "RS" | "ES").then(|| format!("sha{length}"));
            assert_eq!(hash(algorithm).map(str::to_owned), expected);
        }
    }

    #[test]
    fn only_an_exact_true_is_valid() {
        assert_eq!(read(b"\x08\x01"), Some(true));
        assert_eq!(
            read(b"\x12\x26Failed to verify digest. Error code: 0"),
            Some(false)
        );
        assert_eq!(
            read(b"\x08\x00\x12\x26Failed to verify digest. Error code: 0"),
            Some(false)
        );
        for unclear in [
            &b""[..],
            b"\x08",
            b"\x08\x00",
            b"\x08\x02",
            b"\x08\x01\x08\x01",
            b"\x08\x81\x00",
            b"\x10\x01",
            b"\x12",
            b"\x12\x17md4x is not supported.",
            b"\x12\x25Failed to initialize digest verify.",
            b"\xff\xff\xff",
        ] {
            assert_eq!(read(unclear), None, "{unclear:?}");
        }
    }
}
