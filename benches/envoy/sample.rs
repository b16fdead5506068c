//! One sample of one contender, and the samples of a run.

use std::time::Duration;

use crate::machine;

/// How long everything takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    /// Of each hostile request, and of starting Envoy.
    pub(crate) short_rounds: usize,
    /// Of one sample.
    pub(crate) seconds: u64,
}

impl Pace {
    pub(crate) const FULL: Self = Self {
        rounds: 5,
        short_rounds: 5,
        seconds: 1,
    };
    pub(crate) const QUICK: Self = Self {
        rounds: 2,
        short_rounds: 1,
        seconds: 1,
    };
}

/// How often a disturbed sample is taken again, at most.
const TRIES: usize = 4;
/// The most that other processes may have of a core during a sample.
const MOST_FOREIGN: f64 = 0.12;

/// What was measured in one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// Envoy's, in microseconds a request.
    pub(crate) cpu: f64,
    /// That of the servers beside it: the external authorizer.
    pub(crate) cpu_beside: f64,
    /// Latency in microseconds; 0 where the load generator does not tell.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// Cores that other processes used meanwhile.
    pub(crate) foreign: f64,
}

/// What a load generator did.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) elapsed: Duration,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Takes a sample, again while others disturb it. The best of them counts.
pub(crate) fn take(envoy: u32, beside: Option<u32>, mut load: impl FnMut() -> Load) -> Sample {
    let mut best: Option<Sample> = None;
    for _ in 0..TRIES {
        machine::wait_until_idle(envoy);
        let sample = once(envoy, beside, &mut load);
        if best.is_none_or(|best| sample.foreign < best.foreign) {
            best = Some(sample);
        }
        if sample.foreign <= MOST_FOREIGN {
            break;
        }
    }
    best.expect("at least one try")
}

fn once(envoy: u32, beside: Option<u32>, load: &mut impl FnMut() -> Load) -> Sample {
    let read = || {
        (
            machine::cpu_of(envoy),
            beside.map_or(Duration::ZERO, machine::cpu_of),
            machine::cpu_of_load(),
            machine::cpu_of_all(),
        )
    };
    let before = read();
    let Load {
        requests,
        elapsed,
        p50,
        p99,
    } = load();
    let after = read();
    let [envoy, beside, own, all] = [
        after.0.saturating_sub(before.0),
        after.1.saturating_sub(before.1),
        after.2.saturating_sub(before.2),
        after.3.saturating_sub(before.3),
    ]
    .map(|time| time.as_secs_f64());
    let per_request = |seconds: f64| seconds * 1e6 / requests.max(1) as f64;
    let seconds = elapsed.as_secs_f64();
    Sample {
        requests_per_second: requests as f64 / seconds,
        cpu: per_request(envoy),
        cpu_beside: per_request(beside),
        p50,
        p99,
        foreign: ((all - envoy - beside - own) / seconds).max(0.0),
    }
}

/// The middle of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[count / 2],
        count => f64::midpoint(figures[count / 2 - 1], figures[count / 2]),
    }
}
