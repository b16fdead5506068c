//! Algorithms and keys: does this signature over these bytes come from this
//! key?
//!
//! * [`Algorithm`] is the closed set of what a token may be signed with
//!   (RFC 7518 section 3, RFC 8037, RFC 9864). `none` is not in it.
//! * [`VerifyingKey`] is public or shared key material that was found good
//!   when it was loaded: size, curve, order. Nothing can be built from bad
//!   material, so a request never meets any.
//! * [`VerifyingKey::verify`] is false unless the key fits the algorithm: a
//!   token's header chooses among what its key is for, and nothing else.
//!
//! Each algorithm implements [`jwt_compact::Algorithm`], over a key type of its
//! own and a signing key that cannot exist. The module checks lengths and
//! ranges itself, then asks the host where that may be faster
//! ([`HostSignatures`]), and its own arithmetic where the host has none.
//! Both give one answer.
//!
//! The module parses no JSON and no tokens, signs nothing, and knows neither
//! key ids nor issuers.

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
pub use hash::Hash;
pub use host_signatures::{HostSignatures, NoHostSignatures};
pub use key::{KeyError, Preparation, VerifyingKey};
pub use tables::{DEFAULT_TABLE_BUDGET, Tables};
