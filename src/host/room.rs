//! How many requests one callback of the host may decide.

use std::cell::Cell;

/// The most requests that wait and are decided in one callback.
///
/// The host applies a decision when the callback has returned: it resumes or
/// answers the request, which calls this filter's response callback, and when
/// that has returned it applies the next decision *inside* of it. So many
/// decisions are as many nested calls, on the one stack that the machine watches:
/// where it is used up the next call into the machine fails, and with it the
/// filter of every listener. In Envoy 1.40 that was the 306th answer, the 275th
/// request that a circuit breaker answers, the 274th that a `direct_response`
/// does, and the 272nd with other Wasm filters in the chain: 3.6 KiB each. A
/// fourth of that is 68; half of this is for what other builds and other filters
/// take.
pub const MAX_ANSWERS: usize = 32;

/// What is left of a callback's room for decisions.
#[derive(Debug)]
pub struct Room(Cell<usize>);

impl Room {
    /// The room of a callback that nothing has been decided in yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(Cell::new(MAX_ANSWERS))
    }

    /// Whether this callback may decide no further request.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.0.get() == 0
    }

    /// A request is decided.
    pub fn take(&self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
