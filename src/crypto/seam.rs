//! The interface between tokens and signatures is [`jwt_compact::Algorithm`].

use jwt_compact::{Algorithm, AlgorithmSignature};

/// The signing key of every algorithm here. It has no values, so the type system
/// guarantees that this package cannot sign.
#[derive(Debug, Clone, Copy)]
pub(super) enum Never {}

/// Verifies `signature`, as received, with one algorithm. First it checks the length and
/// everything else that does not depend on the key.
pub(super) fn verify<A: Algorithm>(
    algorithm: &A,
    key: &A::VerifyingKey,
    message: &[u8],
    signature: &[u8],
) -> bool {
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return false;
    }
    A::Signature::try_from_slice(signature)
        .is_ok_and(|signature| algorithm.verify_signature(&signature, key, message))
}

/// The signature does not have the form of a signature.
#[derive(Debug, Clone, Copy)]
pub(super) struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("malformed signature")
    }
}

impl std::error::Error for Malformed {}
