//! Paths in the one form in which they are judged, and the patterns of routes.
//!
//! Three parties read a request's path: the proxy's router, this filter and the
//! upstream. Whatever one of them may read otherwise than another — `..`,
//! `%2F`, `//`, `;x`, `\` — is refused, never repaired, for a repaired path
//! would go upstream unrepaired. What is left has one meaning: its segments,
//! decoded once.
//!
//! It does not know which route a path has, and it changes no path: a request
//! goes upstream with the one it came with.

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
