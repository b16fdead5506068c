//! The tokens of the requests, made as in the tests.

#[path = "../../../tests/support/tokens.rs"]
#[allow(dead_code, reason = "the tests use the rest")]
mod made;

pub(crate) use made::{TokenMaker, access_claims};
