//! The seed of an engine or a key service.

use crate::time::UnixTime;

/// Differs between workers, and between the configurations of one worker: it is made of
/// the time in nanoseconds and the configuration's number. It is not a secret.
#[must_use]
pub fn seed(now: UnixTime, number: u64) -> u64 {
    let nanos = now.as_nanos() & i128::from(u64::MAX);
    u64::try_from(nanos).unwrap_or_default() ^ number.rotate_left(32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seeds_differ_by_worker_and_by_configuration() {
        let start = UnixTime::from_secs(1_800_000_000).as_nanos();
        let mut seeds = Vec::new();
        for nanos in [0, 1, 1_000_000_000] {
            for number in [1, 2, u64::MAX] {
                let next = seed(UnixTime::from_nanos(start + nanos), number);
                assert!(!seeds.contains(&next), "{nanos}, {number}");
                seeds.push(next);
            }
        }
        // A clock may be wrong.
        assert_ne!(
            seed(UnixTime::from_nanos(-1), 1),
            seed(UnixTime::from_nanos(-2), 1)
        );
    }
}
