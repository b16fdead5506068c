//! The system clock.

use std::time::{SystemTime, UNIX_EPOCH};

use edge_authz::time::UnixTime;

/// The current time. `None` if the system clock is before 1970, because then no token can
/// be checked.
#[expect(
    clippy::disallowed_methods,
    reason = "the core gets the time as a value, and a host reads it"
)]
pub(crate) fn now() -> Option<UnixTime> {
    #[cfg(test)]
    if let Some(now) = tests::CLOCK.get() {
        return now();
    }
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_nanos(i128::try_from(since.as_nanos()).ok()?))
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
