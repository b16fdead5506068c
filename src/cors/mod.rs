//! CORS as the Fetch standard has it: preflights answered, the headers of
//! actual answers set.
//!
//! - [`OriginPattern`] is one entry of `allow_origins`.
//! - [`CorsSpec`] is a policy as written, checked into a [`CorsPolicy`].
//! - [`Preflight`] recognises a preflight and answers it from a policy.
//! - [`ResponseCors`] says how the headers of any other answer change.
//!
//! Which policy holds for a request (the route's, the top-level one, none) is
//! decided by the caller; without one, nothing here is called. CORS is no
//! access control: an actual request is never refused for its `Origin`, and
//! nothing here sees a token.

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
