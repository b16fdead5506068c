//! The content of a token, which is the same before and after its signature is
//! verified.

use std::sync::{Arc, OnceLock};

use super::claims::ClaimSet;
use crate::jws::Header;
use crate::revocation::TokenIds;

/// A token's header and claims. They are shared, so that verifying a token
/// copies nothing.
pub(super) struct Content {
    pub(super) header: Arc<Header>,
    pub(super) claims: ClaimSet,
    /// Computed when the first revocation list is consulted.
    pub(super) ids: OnceLock<Box<TokenIds>>,
}
