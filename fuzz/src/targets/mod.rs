//! The targets. Each takes bytes, and panics if the code under test breaks a guarantee.
//! The fuzzer and the replay in the package's tests use the same targets. Seeds are texts
//! that a person can read and write; the module documentation of a target describes its
//! input.

pub(crate) mod answer_head;
pub(crate) mod authorization;
pub(crate) mod check_request;
pub(crate) mod claims;
pub(crate) mod config;
mod context;
pub(crate) mod import;
pub(crate) mod issuer;
pub(crate) mod jwks;
pub(crate) mod mcp;
pub(crate) mod metadata;
pub(crate) mod narrowing;
pub(crate) mod origin;
pub(crate) mod path;
pub(crate) mod proof;
mod request;
pub(crate) mod request_headers;
pub(crate) mod request_parts;
pub(crate) mod revocation;
pub(crate) mod route;
pub(crate) mod scope;
pub(crate) mod token;

/// The lines of an input.
fn lines(data: &[u8]) -> impl Iterator<Item = &[u8]> {
    data.split(|byte| *byte == b'\n')
}
