//! The seed of an engine or a key service.

use crate::time::UnixTime;

/// Differs between workers, and between the configurations of one worker: it is made of
/// the time in nanoseconds and the configuration's number. It is not a secret.
#[must_use]
pub fn seed(now: UnixTime, number: u64) -> u64 {
    let nanos = now.as_nanos() & i128::from(u64::MAX);
    u64::try_from(nanos).unwrap_or_default() ^ number.rotate_left(32)
}
