//! Between tokens and signatures stands [`jwt_compact::Algorithm`].

use jwt_compact::{Algorithm, AlgorithmSignature};

/// The signing key of every algorithm here: there is none. That this package
/// cannot sign is a fact of its types.
#[derive(Debug, Clone, Copy)]
pub(super) enum Never {}

/// Checks `signature`, as it came, under one algorithm: first its length and
/// what else can be seen without the key, then the rest.
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

/// A signature that is not even the shape of one.
#[derive(Debug, Clone, Copy)]
pub(super) struct Malformed;

impl std::fmt::Display for Malformed {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        out.write_str("malformed signature")
    }
}

impl std::error::Error for Malformed {}
