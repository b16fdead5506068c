//! Changes of metrics that are not reported yet.

use std::sync::Mutex;

use super::lock::locked;
use edge_authz::telemetry::{Change, Metric};

/// The changes that one worker has collected. Another thread may report them.
#[derive(Debug, Default)]
pub struct Collected(Mutex<Vec<Entry>>);

/// A metric that has changed at some time. The number of metrics is bounded by the reasons
/// and results of each provider.
#[derive(Debug)]
struct Entry {
    metric: Metric,
    /// The change since the last report.
    change: Option<Change>,
}

impl Collected {
    /// Adds a metric, and returns its index.
    pub fn define(&self, metric: &Metric) -> usize {
        let mut entries = locked(&self.0);
        entries.push(Entry {
            metric: metric.clone(),
            change: None,
        });
        entries.len().saturating_sub(1)
    }

    /// Adds a change to the metric with this index. Returns false if there is none.
    pub fn add(&self, index: usize, change: Change) -> bool {
        let mut entries = locked(&self.0);
        let Some(entry) = entries.get_mut(index) else {
            return false;
        };
        let earlier = entry.change;
        entry.change = Some(earlier.map_or(change, |earlier| earlier.then(change)));
        true
    }

    /// Removes and returns all changes.
    pub fn take(&self) -> Vec<(Metric, Change)> {
        let mut entries = locked(&self.0);
        let changed = entries.iter_mut().filter_map(|entry| {
            let change = entry.change.take()?;
            Some((entry.metric.clone(), change))
        });
        changed.collect()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::thread;

    use super::*;
    use edge_authz::telemetry::CacheResult;

    #[test]
    fn changes_are_added_up_and_taken_once() {
        let collected = Collected::default();
        let [hits, misses] = [CacheResult::Hit, CacheResult::Miss].map(Metric::TokenCache);
        let [hit, miss] = [&hits, &misses].map(|metric| collected.define(metric));
        assert!(collected.add(hit, Change::Add(1)));
        assert!(collected.add(hit, Change::Add(2)));
        assert!(!collected.add(miss.saturating_add(1), Change::Add(1)));
        assert_eq!(collected.take(), [(hits.clone(), Change::Add(3))]);
        assert_eq!(collected.take(), []);
        assert!(collected.add(miss, Change::Add(1)));
        assert!(collected.add(hit, Change::Add(4)));
        assert_eq!(
            collected.take(),
            [(hits, Change::Add(4)), (misses, Change::Add(1))]
        );
    }

    #[test]
    fn no_change_is_lost_between_threads() {
        let collected = Arc::new(Collected::default());
        let metric = Metric::TokenCache(CacheResult::Hit);
        let index = collected.define(&metric);
        let worker = Arc::clone(&collected);
        let adding = thread::spawn(move || {
            for _ in 0..10_000 {
                worker.add(index, Change::Add(1));
            }
        });
        let mut sum = 0_i64;
        let mut add = |collected: &Collected| {
            for (_, change) in collected.take() {
                let Change::Add(offset) = change else {
                    panic!("{change:?}");
                };
                sum = sum.saturating_add(offset);
            }
        };
        while !adding.is_finished() {
            add(&collected);
        }
        adding.join().unwrap();
        add(&collected);
        assert_eq!(sum, 10_000);
    }
}
