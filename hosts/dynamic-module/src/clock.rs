//! The system clock.

use edge_authz::time::UnixTime;
use edge_authz_native::clock;

/// The current time. `None` if the system clock is before 1970, because then no token can
/// be checked.
pub(crate) fn now() -> Option<UnixTime> {
    #[cfg(test)]
    if let Some(now) = tests::CLOCK.get() {
        return now();
    }
    clock::now()
}

#[cfg(test)]
pub(crate) mod tests {
    use std::cell::Cell;

    use super::*;

    type Clock = fn() -> Option<UnixTime>;

    thread_local! {
        /// The clock of the test that runs on this thread.
        pub(crate) static CLOCK: Cell<Option<Clock>> = const { Cell::new(None) };
    }
}
