//! The memory of one worker's module, which is bounded.
//!
//! A host gives a module so much memory and no more (Envoy 1 GiB), for all its
//! listeners and, until they have drained, their superseded configurations. A
//! module that runs out of it traps, and a trap in a worker's `on_configure`
//! lets that listener's requests pass unchecked. So:
//!
//! * code that is about to allocate much asks first whether there [is room](has_room);
//! * memory that can be given up (remembered tokens, tables of keys) has a
//!   [`Budget`] that all listeners share, and leaves room for [`SERVING`].
//!
//! The module allocates nothing for others and keeps nothing.

mod budget;
mod room;
mod share;

pub use budget::{Budget, Part};
#[cfg(test)]
pub(crate) use room::pretend;
pub use room::{Need, has_room};
pub use share::{Pool, Share};

/// What stays free for serving requests, whatever else is taken, in bytes:
/// requests that wait (16 MiB), a key set that is read (10 MiB), requests that
/// are judged, metrics and lines for the log.
pub const SERVING: usize = 32 * 1024 * 1024;
