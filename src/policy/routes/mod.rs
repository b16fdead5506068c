//! Which route a request has.
//!
//! Routes have no order. Of the patterns that match the path and have the
//! method, those without `{name+}` come before those with it, and `$default`
//! comes last; among equals the first segment from the left decides in which
//! one has a literal where the other has a variable, or a variable where the
//! other has `{name+}`. At one pattern a named method comes before `ANY`, and
//! `HEAD` is `GET` unless it is named. The routes of the request's very host
//! come first, their `$default` included, then those of the wildcards that
//! stand for it, longest first, then those without hosts.
//!
//! The table is a tree of our own. The router crates (`matchit`, `path-tree`,
//! `wayfind`) answer one best pattern for a path as text; whether that pattern
//! has the method is asked too late to go back for the next one, a `{name+}`
//! far down beats a `{name}` high up, and they would split a segment at the
//! slash that was decoded inside it.
//!
//! It does not judge paths or hosts (`http` has), nor what a route requires.

mod builder;
mod endpoint;
mod plan;
mod plant;
mod route_match;
mod sequences;
mod table;
mod tree;

pub use builder::{HostList, TableBuilder};
pub use endpoint::PathMethods;
pub use route_match::RouteMatch;
pub use table::{BadTable, Clash, MAX_SEGMENTS, PatternPosition, RouteEntry, RouteId, RouteTable};

use table::MAX_CLASHES;

#[cfg(test)]
mod tests;
