//! How many requests one callback of the host may decide.

use std::cell::Cell;

/// The maximum number of waiting requests that one callback decides.
///
/// The host applies a decision when the callback has returned. It resumes or answers the
/// request, which calls this filter's response callback. When that has returned, the host
/// applies the next decision *inside* of it. So the calls for all decisions are nested on
/// one stack, which the virtual machine checks. When the stack is used up, the next call
/// into the virtual machine fails, and with it the filter of every listener. Envoy 1.40
/// failed at the 306th answer, at the 275th request that a circuit breaker answers, at
/// the 274th that a `direct_response` answers, and at the 272nd with other Wasm filters
/// in the chain: 3.6 KiB each. A fourth of that is 68. Half of this is left as a margin
/// for other builds and other filters.
pub const MAX_ANSWERS: usize = 32;

/// The number of requests that a callback may still decide.
#[derive(Debug)]
pub struct Room(Cell<usize>);

impl Room {
    /// The room at the beginning of a callback.
    #[must_use]
    pub const fn new() -> Self {
        Self(Cell::new(MAX_ANSWERS))
    }

    /// Whether this callback may decide no more requests.
    #[must_use]
    pub const fn is_full(&self) -> bool {
        self.0.get() == 0
    }

    /// Counts one decided request.
    pub fn take(&self) {
        self.0.set(self.0.get().saturating_sub(1));
    }
}

impl Default for Room {
    fn default() -> Self {
        Self::new()
    }
}
