//! The metrics of the process. They outlast configurations.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex};

use edge_authz::telemetry::{Change, Measurement, Metric, MetricKind};
use edge_authz_native::{Collected, locked};

/// All metrics. Their number is bounded by the reasons and results of each provider.
#[derive(Debug, Default)]
pub struct Registry {
    /// The changes of threads, one item for each.
    collected: Mutex<Vec<Arc<Collected>>>,
    totals: Mutex<BTreeMap<Metric, u64>>,
    panics: AtomicU64,
    misuses: AtomicU64,
}

impl Registry {
    /// A place for the changes of one thread.
    pub fn collect(&self) -> Arc<Collected> {
        let collected = Arc::new(Collected::default());
        locked(&self.collected).push(Arc::clone(&collected));
        collected
    }

    /// Changes a metric.
    pub fn measure(&self, measurement: Measurement) {
        let Measurement { metric, change } = measurement;
        change_total(&mut locked(&self.totals), metric, change);
    }

    /// Counts a panic: each is a fault of this program.
    pub fn count_panic(&self) {
        self.panics.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of panics.
    #[must_use]
    pub fn panics(&self) -> u64 {
        self.panics.load(Ordering::Relaxed)
    }

    /// Counts a request of a proxy that does not contain the client's request.
    pub fn count_misuse(&self) {
        self.misuses.fetch_add(1, Ordering::Relaxed);
    }

    /// The number of requests of proxies that did not contain the client's request.
    #[must_use]
    pub fn misuses(&self) -> u64 {
        self.misuses.load(Ordering::Relaxed)
    }

    /// Removes the gauges that belong to providers, because another configuration with other
    /// providers is active.
    pub fn forget_providers(&self) {
        let mut totals = locked(&self.totals);
        totals.retain(|metric, _| {
            metric.kind() == MetricKind::Counter || *metric == Metric::WaitingRequests
        });
    }

    /// The current value of every metric that was measured.
    #[must_use]
    pub fn totals(&self) -> BTreeMap<Metric, u64> {
        let mut collected = locked(&self.collected);
        let mut totals = locked(&self.totals);
        // Those without a thread are taken a last time.
        collected.retain(|one| {
            let has_thread = Arc::strong_count(one) > 1;
            for (metric, change) in one.take() {
                change_total(&mut totals, metric, change);
            }
            has_thread
        });
        totals.clone()
    }
}

fn change_total(totals: &mut BTreeMap<Metric, u64>, metric: Metric, change: Change) {
    let total = totals.entry(metric).or_default();
    *total = match change {
        Change::Set(value) => value,
        Change::Add(offset) => total.saturating_add_signed(offset),
    };
}

#[cfg(test)]
mod tests {
    use super::*;
    use edge_authz::telemetry::CacheResult;

    #[test]
    fn changes_of_threads_are_added_up_and_outlast_them() {
        let registry = Registry::default();
        let metric = Metric::TokenCache(CacheResult::Hit);
        for _ in 0..2 {
            let collected = registry.collect();
            let index = collected.define(&metric);
            assert!(collected.add(index, Change::Add(2)));
        }
        registry.measure(Measurement::count(metric.clone()));
        assert_eq!(registry.totals().get(&metric), Some(&5));
        assert_eq!(registry.totals().get(&metric), Some(&5));
        assert!(locked(&registry.collected).is_empty());
    }

    #[test]
    fn the_gauges_of_providers_are_forgotten_and_counters_stay() {
        let registry = Registry::default();
        let gauge = Metric::Keys {
            provider: "p".into(),
        };
        registry.measure(Measurement::set(gauge.clone(), 3));
        registry.measure(Measurement::waiting(2));
        registry.measure(Measurement::token_cache(true));
        registry.forget_providers();
        let totals = registry.totals();
        assert_eq!(totals.get(&gauge), None);
        assert_eq!(totals.len(), 2);
    }
}
