//! One sample of one contender, and the samples of a run.

use std::time::Duration;

use crate::machine;

/// The durations and the numbers of rounds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Pace {
    pub(crate) rounds: usize,
    /// The rounds of each hostile request, and of starting Envoy.
    pub(crate) short_rounds: usize,
    /// The seconds of one sample.
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

/// The maximum number of times that a disturbed sample is repeated.
const TRIES: usize = 4;
/// The maximum share of a core that other processes may use during a sample.
const MAX_FOREIGN: f64 = 0.12;

/// The measurements of one sample.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Sample {
    pub(crate) requests_per_second: f64,
    /// Envoy's CPU time in microseconds for each request.
    pub(crate) cpu: f64,
    /// The same for the process that Envoy asks.
    pub(crate) cpu_beside: f64,
    /// Latency in microseconds; 0 if the load generator does not report it.
    pub(crate) p50: f64,
    pub(crate) p99: f64,
    /// The number of cores that other processes used meanwhile.
    pub(crate) foreign: f64,
}

impl Sample {
    /// The CPU time of Envoy and of the process that it asks, in microseconds for each request.
    pub(crate) fn whole_cpu(&self) -> f64 {
        self.cpu + self.cpu_beside
    }
}

/// The result of a load generator.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Load {
    pub(crate) requests: u64,
    pub(crate) elapsed: Duration,
    pub(crate) p50: f64,
    pub(crate) p99: f64,
}

/// Takes a sample, and repeats it while other processes disturb it. The best one counts.
/// What the load needs is prepared before each try.
pub(crate) fn take<T>(
    envoy: u32,
    beside: Option<u32>,
    mut prepare: impl FnMut() -> T,
    mut load: impl FnMut(T) -> Load,
) -> Sample {
    let mut best: Option<Sample> = None;
    for _ in 0..TRIES {
        let prepared = prepare();
        machine::wait_until_idle(envoy);
        let sample = once(envoy, beside, || load(prepared));
        if best.is_none_or(|best| sample.foreign < best.foreign) {
            best = Some(sample);
        }
        if sample.foreign <= MAX_FOREIGN {
            break;
        }
    }
    best.expect("at least one try")
}

fn once(envoy: u32, beside: Option<u32>, load: impl FnOnce() -> Load) -> Sample {
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

/// The median of some figures.
pub(crate) fn median(figures: impl IntoIterator<Item = f64>) -> f64 {
    let mut figures: Vec<f64> = figures.into_iter().collect();
    figures.sort_by(f64::total_cmp);
    match figures.len() {
        0 => f64::NAN,
        count if count % 2 == 1 => figures[count / 2],
        count => f64::midpoint(figures[count / 2 - 1], figures[count / 2]),
    }
}
