//! What a token says, which is the same before and after its signature was
//! checked.

use super::claims::ClaimSet;
use super::header::Header;

/// A token's header and claims. Shared, so that a token that verifies is not
/// copied.
pub(super) struct Content {
    pub(super) header: Header,
    pub(super) claims: ClaimSet,
}
