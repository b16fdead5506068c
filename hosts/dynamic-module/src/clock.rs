//! The time of day.

use std::time::{SystemTime, UNIX_EPOCH};

use edge_authz::time::UnixTime;

/// The time of day. `None` if the system's clock is before 1970, so that no token can be
/// checked with it.
#[expect(
    clippy::disallowed_methods,
    reason = "the core gets the time as a value, and a host reads it"
)]
pub(crate) fn now() -> Option<UnixTime> {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    Some(UnixTime::from_nanos(i128::try_from(since.as_nanos()).ok()?))
}
