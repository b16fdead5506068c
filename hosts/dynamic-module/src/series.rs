//! The counters of the process, which outlast configurations.

use std::collections::BTreeSet;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use super::lock::locked;
use edge_authz::telemetry::{Metric, MetricKind};

/// The maximum number of counters. Further ones may begin at 0 with each configuration.
const MOST: usize = 4096;

/// The counters that were ever measured.
struct Known {
    /// In the order of their first measurement.
    order: Vec<Metric>,
    sorted: BTreeSet<Metric>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    order: Vec::new(),
    sorted: BTreeSet::new(),
});
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// A metric was measured, in any thread. Gauges are not kept, because they are set again.
pub(crate) fn remember(metric: &Metric) {
    if metric.kind() != MetricKind::Counter {
        return;
    }
    let mut known = locked(&KNOWN);
    if known.order.len() < MOST && !known.sorted.contains(metric) {
        known.sorted.insert(metric.clone());
        known.order.push(metric.clone());
        COUNT.store(known.order.len(), Ordering::Release);
    }
}

/// How many counters there are.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Acquire)
}

/// The counters after the first `known` ones.
pub(crate) fn since(known: usize) -> Vec<Metric> {
    locked(&KNOWN)
        .order
        .get(known..)
        .unwrap_or_default()
        .to_vec()
}
