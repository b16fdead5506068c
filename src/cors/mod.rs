//! CORS according to the Fetch standard: answers preflights and sets the headers
//! of actual responses.
//!
//! - [`OriginPattern`] is one entry of `allow_origins`.
//! - [`CorsSpec`] is a policy as configured, which is checked and compiled to a
//!   [`CorsPolicy`].
//! - [`Preflight`] recognises a preflight and answers it from a policy.
//! - [`ResponseCors`] gives the header edits for any other response.
//!
//! The caller decides which policy applies to a request (the route's, the
//! top-level one, or none); without one, it does not call this module. CORS is
//! not access control: an actual request is never refused for its `Origin`, and
//! this module sees no token.

mod error;
mod fault;
mod origin;
mod policy;
mod preflight;
mod response;
mod spec;
#[cfg(test)]
mod tests;

pub use error::{CorsError, CorsMember, CorsProblem};
pub use fault::{PreflightFault, PreflightPart};
pub use origin::{OriginError, OriginFault, OriginPattern};
pub use policy::CorsPolicy;
pub use preflight::{Preflight, PreflightAnswer, RouteMethods};
pub use response::ResponseCors;
pub use spec::CorsSpec;
