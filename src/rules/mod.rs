//! What a route, or a provider, wants of a token's scopes and claims.
//!
//! A rule is a list of values and how many of them must be there
//! ([`Requirement`]); claims come through [`Claims`], what the request has
//! through [`RequestParts`], so that this module knows neither tokens nor
//! requests. The only way to a [`Permit`] is [`RouteRules::grant`].
//!
//! Everything that cannot be compared counts against the token. `null`, or a
//! container that is no object, meets no rule at all, `none_of` included: "not
//! suspended" must not be met by a claim that nobody can read. Only a claim
//! that is *absent* meets `none_of`. A rule that names a part of the request
//! is met only where that part is there exactly once.
//!
//! It does not look at `iss`, `aud`, times or signatures; those are the
//! token's own validity and are settled before.

mod claim;
mod expected;
mod requirement;
mod route;
#[cfg(test)]
mod tests;

pub use claim::{ClaimName, ClaimRule, ClaimValue, Claims, Scopes, meets};
pub use expected::{Expected, NoRequest, RequestPart, RequestParts};
pub use requirement::Requirement;
pub use route::{Missing, Permit, RouteRules};
