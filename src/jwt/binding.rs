//! Sender constraints (RFC 7800): tokens that only their holder may present.

use super::{ClaimError, VerifiedJwt};

/// How a provider treats its tokens' `cnf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// A token with `cnf` must be presented by its holder.
    #[default]
    Any,
    /// Every token must have `cnf` and be presented by its holder.
    Required,
    /// `cnf` is ignored: anyone who has the token may present it.
    Ignore,
}

/// Checks a token's `cnf`. No proof of possession can be checked here, neither
/// a certificate nor a key, so a token with `cnf` is refused unless the provider
/// ignores it. A `cnf` of any type counts: one that cannot be read is not absent.
pub(super) fn check(token: &VerifiedJwt, wanted: Binding) -> Result<(), ClaimError> {
    match (wanted, token.registered().has_confirmation) {
        (Binding::Ignore, _) | (Binding::Any, false) => Ok(()),
        (Binding::Any | Binding::Required, true) => Err(ClaimError::Bound),
        (Binding::Required, false) => Err(ClaimError::Unbound),
    }
}
