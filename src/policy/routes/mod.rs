//! Finds the route of a request.
//!
//! Routes have no order. Of the patterns that match the path and have the
//! method, those without `{name+}` come before those with it, and `$default`
//! comes last. Among equals, the first segment from the left in which they
//! differ decides: a literal comes before a variable, and a variable before
//! `{name+}`. Within one pattern, a named method comes before `ANY`, and `HEAD`
//! is treated as `GET` unless a route names it. The routes of exactly the
//! request's host come first, their `$default` included, then those of the
//! wildcards that match it, longest first, then those without hosts.
//!
//! Routes with one pattern may differ in what an MCP request asks for: a name comes
//! before a prefix of it, the longest first, then a method with any name, then a route
//! for every request. A route that is not for a request hides no other.
//!
//! The table is a tree of our own. The router crates (`matchit`, `path-tree`,
//! `wayfind`) return the one best pattern for a path as text. They do not check
//! the method early enough to go back to the next pattern, a `{name+}` far down
//! beats a `{name}` high up, and they would split a segment at a slash that was
//! decoded inside it.
//!
//! This module does not validate paths or hosts (`http` does), and does not know
//! what a route requires.

mod build;
mod builder;
mod endpoint;
mod mcp;
mod plan;
mod route_match;
mod sequences;
mod table;
mod tree;
mod under;

pub use builder::{EntryRest, HostList, TableBuilder};
pub use endpoint::PathMethods;
pub use mcp::{McpCondition, McpList, McpName, RouteTraits};
pub use route_match::RouteMatch;
pub use table::{
    BadTable, Clash, ClashKind, Found, MAX_SEGMENTS, PatternPosition, RouteEntry, RouteId,
    RouteTable,
};

use table::MAX_CLASHES;

#[cfg(test)]
mod tests;
