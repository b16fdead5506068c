//! Algorithms and keys: verifies that a key made a signature over given bytes.
//!
//! * [`Algorithm`] is the closed set of signature algorithms for tokens (RFC 7518 section
//!   3, RFC 8037, RFC 9864). It does not contain `none`.
//! * [`VerifyingKey`] is public or shared key material that was validated when it was
//!   loaded: size, curve, order. It cannot be made from invalid material, so no request
//!   uses such material.
//! * [`VerifyingKey::verify`] is false unless the key fits the algorithm. The header of a
//!   token can only choose among the algorithms of its key.
//!
//! Each algorithm implements [`jwt_compact::Algorithm`] with its own key type and a
//! signing key type without values. This module checks lengths and ranges itself. Then it
//! uses the host where it may be faster ([`HostSignatures`]), and its own arithmetic
//! otherwise. Both give the same result.
//!
//! This module parses no JSON and no tokens, signs nothing, and knows neither key IDs nor
//! issuers.

mod algorithm;
mod der;
mod digits;
mod ecdsa;
mod eddsa;
mod fingerprint;
mod hash;
mod hmac;
mod host_signatures;
mod key;
mod rsa;
mod seam;
mod tables;
#[cfg(test)]
mod tests;

pub use algorithm::{Algorithm, AlgorithmSet};
pub use ecdsa::Curve;
pub use fingerprint::Fingerprint;
pub use host_signatures::{HostCheck, HostSignatures, NoHostSignatures};
pub use key::{KeyError, Preparation, VerifyingKey};
pub use tables::{DEFAULT_TABLE_BUDGET, Tables};

use hash::Hash;
