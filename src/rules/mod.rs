//! The requirements of a route or a provider on a token's scopes and claims.
//!
//! A rule is a list of values and how many of them must be present
//! ([`Requirement`]). Claims are read with [`Claims`] and parts of the request
//! with [`RequestParts`], so that this module depends on neither tokens nor
//! requests. A [`Permit`] is made only by [`RouteRules::grant`].
//!
//! A value that cannot be compared counts against the token. `null`, or a
//! container that is not an object, meets no rule at all, `none_of` included: a
//! claim that cannot be read must not meet "not suspended". Only an *absent*
//! claim meets `none_of`. A rule that names a part of the request is met only if
//! that part occurs exactly once.
//!
//! A route may also require how and when the user authenticated
//! ([`Authentication`]).
//!
//! This module does not check `iss`, `aud`, times or signatures. They are
//! checked before, as part of the token's validity.

mod authentication;
mod claim;
mod expected;
mod implied;
mod requirement;
mod route;
mod scopes;
#[cfg(test)]
mod tests;

pub use authentication::Authentication;
pub use claim::{ClaimName, ClaimRule, ClaimValue, Claims, meets};
pub use expected::{Expected, NoRequest, RequestPart, RequestParts};
pub use implied::{BadImplications, MAX_IMPLYING_SCOPES, ScopeImplications};
pub use requirement::Requirement;
pub use route::{Grounds, Missing, Permit, RouteRules};
pub use scopes::Scopes;
