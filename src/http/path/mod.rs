//! Paths in the normal form in which they are judged, and the patterns of
//! routes.
//!
//! Three parties read a request's path: the proxy's router, this filter and the
//! upstream. Anything that they may read differently (`..`, `%2F`, `//`, `;x`,
//! `\`) is refused and never repaired, since the unrepaired path would go
//! upstream. The remaining paths have one meaning: their segments, decoded once.
//!
//! This module does not know which route a path has, and it changes no path: a
//! request goes upstream with its original path.

mod error;
mod fold;
mod normal;
mod pattern;
mod rules;
mod segment;

pub use error::{BadPath, EncodedCharacter};
pub use normal::NormalPath;
pub use pattern::{
    BadPattern, BadRoutePattern, MAX_PATTERN_SEGMENTS, PathPattern, PatternSegment, RoutePattern,
};
pub use rules::{EncodedSet, PathFlags, PathRules};
pub use segment::Segment;

#[cfg(test)]
mod tests;
