//! Tokens and proofs, as the tests make them.

#[allow(dead_code, reason = "the tests need more of it")]
#[path = "../../../tests/support/claims.rs"]
mod claims;
#[path = "../../../tests/support/proofs.rs"]
mod proofs;

pub(crate) use claims::{access_claims, encode};
pub(crate) use proofs::{thumbprint, unsigned_proof};
