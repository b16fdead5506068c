//! The memory of one worker's module, which is bounded.
//!
//! A host gives a module a fixed amount of memory (Envoy: 1 GiB). All its listeners share
//! it, including replaced configurations that are still draining. A module that runs out
//! of memory traps, and a trap in a worker's `on_configure` lets the requests of that
//! listener pass unchecked. So:
//!
//! * code that is about to allocate much memory first checks whether there [is
//!   room](has_room);
//! * memory that can be released (cached tokens, tables of keys) has a [`Budget`] that
//!   all listeners share, and leaves [`SERVING`] free;
//! * listeners with the same document share it through a [`Shelf`].
//!
//! This module allocates nothing for others and keeps no memory in use.

mod budget;
mod room;
mod share;
mod shelf;

pub use budget::{Budget, Part};
#[cfg(test)]
pub(crate) use room::pretend;
pub use room::{Need, has_room};
pub use share::{Pool, Share};
pub use shelf::{Label, Shelf};

/// The memory that must always remain free for serving requests, in bytes: for waiting
/// requests (16 MiB), a key set that is being parsed (10 MiB), requests that are judged,
/// metrics and log lines.
pub const SERVING: usize = 32 * 1024 * 1024;
