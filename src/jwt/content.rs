//! The content of a token, which is the same before and after its signature is
//! verified.

use std::ops::Range;
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
    /// Found when the first route asks for scopes. `None` if the scopes are not in one place.
    pub(super) scopes: OnceLock<Option<ScopeList>>,
}

/// The scopes of a token that has them in one string without escapes, as most tokens do.
pub(super) struct ScopeList {
    /// Its position in the claims.
    pub(super) place: Range<usize>,
    /// See [`Scopes`](crate::rules::Scopes).
    pub(super) unreadable: bool,
}
