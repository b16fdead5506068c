//! What a token says, which is the same before and after its signature was
//! checked.

use std::sync::Arc;

use super::claims::ClaimSet;
use crate::jws::Header;

/// A token's header and claims. Shared, so that a token that verifies is not
/// copied.
pub(super) struct Content {
    pub(super) header: Arc<Header>,
    pub(super) claims: ClaimSet,
}
