//! The system clock.

use std::time::{SystemTime, UNIX_EPOCH};

use edge_authz::time::UnixTime;

/// The current time. `None` if the system clock is before 1970, because then no token can
/// be checked.
#[expect(
    clippy::disallowed_methods,
    reason = "the core gets the time as a value, and a host reads it"
)]
#[must_use]
pub fn now() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_nanos(i128::try_from(since.as_nanos()).ok()?))
}
