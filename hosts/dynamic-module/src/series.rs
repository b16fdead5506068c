//! The counters of the process. They outlast the configurations.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use edge_authz::telemetry::{Change, Metric, MetricKind};
use edge_authz_native::locked;

/// The maximum number of counters that are kept. Others may restart at 0 with each
/// configuration.
const MAX_COUNTERS: usize = 4096;

/// All counters that have been changed in this process.
struct Known {
    /// In the order of the first change.
    order: Vec<Metric>,
    sorted: BTreeSet<Metric>,
}

static KNOWN: Mutex<Known> = Mutex::new(Known {
    order: Vec::new(),
    sorted: BTreeSet::new(),
});
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// The changes that configurations had not reported when they ended.
static LEFT: Mutex<BTreeMap<Metric, Change>> = Mutex::new(BTreeMap::new());

/// Records that a metric was changed; any thread may call this. Gauges are not kept,
/// because each configuration sets them again.
pub(crate) fn remember(metric: &Metric) {
    if metric.kind() != MetricKind::Counter {
        return;
    }
    let mut known = locked(&KNOWN);
    if known.order.len() < MAX_COUNTERS && !known.sorted.contains(metric) {
        known.sorted.insert(metric.clone());
        known.order.push(metric.clone());
        COUNT.store(known.order.len(), Ordering::Release);
    }
}

/// The number of counters.
pub(crate) fn count() -> usize {
    COUNT.load(Ordering::Acquire)
}

/// Leaves changes for another configuration to report. Changes of more than
/// [`MAX_COUNTERS`] metrics are lost.
pub(crate) fn leave(changes: Vec<(Metric, Change)>) {
    let mut left = locked(&LEFT);
    for (metric, change) in changes {
        let change = match left.get(&metric) {
            Some(earlier) => earlier.then(change),
            None if left.len() >= MAX_COUNTERS => continue,
            None => change,
        };
        left.insert(metric, change);
    }
}

/// Removes and returns the changes that ended configurations have left.
pub(crate) fn take_left() -> BTreeMap<Metric, Change> {
    mem::take(&mut *locked(&LEFT))
}

/// The counters after the first `known`.
pub(crate) fn since(known: usize) -> Vec<Metric> {
    locked(&KNOWN)
        .order
        .get(known..)
        .unwrap_or_default()
        .to_vec()
}
