//! The metrics in Envoy. They are defined with the configuration, as families with labels,
//! because Envoy accepts no new ones later.

use std::collections::BTreeMap;
use std::mem;
use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use super::abi::{Config, Filter, MetricChange, Refused};
use super::series;
use edge_authz::telemetry::{Change, Family, Measurement, Metric, MetricKind};
use edge_authz_native::Collected;
use edge_authz_native::locked;

/// Counts hooks that panicked: each is a fault of this module.
const PANICS: &str = "edge_authz_panics";

/// The metrics of one configuration.
#[derive(Debug)]
pub(crate) struct Metrics {
    /// Envoy's ids of the metric families.
    ids: BTreeMap<Family, usize>,
    panics: usize,
    /// The changes that the workers have collected, one item for each worker. Used if the
    /// main thread reports them.
    collected: Option<Mutex<Vec<Arc<Collected>>>>,
    /// Changes that the main thread could not report, because Envoy 1.38 accepts them only in
    /// hooks of requests. At most one for each metric.
    unreported: Mutex<BTreeMap<Metric, Change>>,
    unreported_panics: AtomicU64,
    /// The number of process-wide counters that this configuration has carried over.
    carried: AtomicUsize,
    has_unreported: AtomicBool,
}

impl Metrics {
    /// Defines all metrics.
    pub(crate) fn define(config: Config<'_>) -> Result<Self, Refused> {
        let define = |family: Family| {
            let is_counter = family.kind() == MetricKind::Counter;
            let id = config.define_metric(is_counter, family.name(), family.labels())?;
            Ok((family, id))
        };
        Ok(Self {
            ids: Family::ALL
                .into_iter()
                .map(define)
                .collect::<Result<_, _>>()?,
            panics: config.define_metric(true, PANICS, &[])?,
            collected: config.can_change_metrics().then(Mutex::default),
            unreported: Mutex::default(),
            unreported_panics: AtomicU64::new(0),
            carried: AtomicUsize::new(0),
            has_unreported: AtomicBool::new(false),
        })
    }

    /// Keeps the counters of earlier configurations. Envoy removes a counter together
    /// with the last configuration that has changed it. So this configuration adds 0 to
    /// each of them, now or in the next request's hook. A draining configuration may
    /// still create counters, so every tick repeats this.
    pub(crate) fn carry_over(&self, config: Config<'_>) {
        let carried =
            self.carry(|id, labels| config.change_metric(id, labels, MetricChange::Count(0)));
        if !carried {
            self.has_unreported.store(true, Ordering::Release);
        }
    }

    /// Adds 0 to each counter that is not yet carried over. Returns false if `change`
    /// does.
    fn carry(&self, change: impl Fn(usize, &[&str]) -> bool) -> bool {
        let carried = self.carried.load(Ordering::Relaxed);
        if carried >= series::count() {
            return true;
        }
        let new = series::since(carried);
        for metric in &new {
            if self.at(metric, &change) == Some(false) {
                return false;
            }
        }
        let carried = carried.saturating_add(new.len());
        self.carried.store(carried, Ordering::Relaxed);
        true
    }

    /// Lets the main thread report what a worker collects from now on. Envoy takes several
    /// times as long to change a metric as to add to a number, so this is not done in each
    /// request. Returns false if this Envoy accepts changes only in hooks of requests.
    pub(crate) fn collect(&self, collected: &Arc<Collected>) -> bool {
        let Some(all) = &self.collected else {
            return false;
        };
        locked(all).push(Arc::clone(collected));
        true
    }

    /// Reports the changes that the workers have collected, on the main thread.
    pub(crate) fn report_collected(&self, config: Config<'_>) {
        let Some(all) = &self.collected else {
            return;
        };
        let report = |(metric, change): (Metric, Change)| {
            self.with(&metric, change, |id, labels, change| {
                config.change_metric(id, labels, change)
            });
        };
        series::take_left().into_iter().for_each(report);
        let mut all = locked(all);
        for collected in all.iter() {
            collected.take().into_iter().for_each(report);
        }
        // The others belong to workers that no longer exist.
        all.retain(|collected| Arc::strong_count(collected) > 1);
    }

    /// Leaves the collected changes for another configuration to report, because this one
    /// ends.
    pub(crate) fn leave_collected(&self) {
        if let Some(all) = &self.collected {
            for collected in locked(all).drain(..) {
                series::leave(collected.take());
            }
        }
    }

    /// Changes a metric, in a hook of a request.
    pub(crate) fn change(&self, filter: Filter<'_>, metric: &Metric, change: Change) {
        self.with(metric, change, |id, labels, change| {
            filter.change_metric(id, labels, change);
        });
    }

    /// Counts a panic in a hook of a request.
    pub(crate) fn count_panic(&self, filter: Filter<'_>) {
        filter.change_metric(self.panics, &[], MetricChange::Count(1));
    }

    /// Counts a panic on the main thread, at once or with the next request.
    pub(crate) fn count_panic_in_config(&self, config: Config<'_>) {
        if !config.change_metric(self.panics, &[], MetricChange::Count(1)) {
            self.unreported_panics.fetch_add(1, Ordering::Relaxed);
            self.has_unreported.store(true, Ordering::Release);
        }
    }

    /// Changes a metric on the main thread, at once or with the next request.
    pub(crate) fn measure(&self, config: Config<'_>, measurement: Measurement) {
        let Measurement { metric, change } = measurement;
        series::remember(&metric);
        let reported = self.with(&metric, change, |id, labels, change| {
            config.change_metric(id, labels, change)
        });
        if reported != Some(false) {
            return;
        }
        let mut unreported = locked(&self.unreported);
        let change = match unreported.get(&metric) {
            Some(earlier) => earlier.then(change),
            None => change,
        };
        unreported.insert(metric, change);
        self.has_unreported.store(true, Ordering::Release);
    }

    /// Reports the changes that the main thread could not report, in a hook of a request.
    pub(crate) fn report_pending(&self, filter: Filter<'_>) {
        if !self.has_unreported.load(Ordering::Acquire) {
            return;
        }
        self.has_unreported.store(false, Ordering::Release);
        let panics = self.unreported_panics.swap(0, Ordering::Relaxed);
        if panics > 0 {
            filter.change_metric(self.panics, &[], MetricChange::Count(panics));
        }
        self.carry(|id, labels| {
            filter.change_metric(id, labels, MetricChange::Count(0));
            true
        });
        let unreported = mem::take(&mut *locked(&self.unreported));
        for (metric, change) in unreported {
            self.change(filter, &metric, change);
        }
    }

    /// Passes a metric's id, labels and change to `act`. `None` if nothing changes.
    fn with<T>(
        &self,
        metric: &Metric,
        change: Change,
        act: impl FnOnce(usize, &[&str], MetricChange) -> T,
    ) -> Option<T> {
        let is_counter = metric.kind() == MetricKind::Counter;
        let change = match change {
            Change::Add(0) => return None,
            Change::Set(value) => MetricChange::Set(value),
            Change::Add(offset) if is_counter => MetricChange::Count(u64::try_from(offset).ok()?),
            Change::Add(offset @ 1..) => MetricChange::Up(offset.unsigned_abs()),
            Change::Add(offset) => MetricChange::Down(offset.unsigned_abs()),
        };
        self.at(metric, |id, labels| act(id, labels, change))
    }

    /// Passes a metric's id and labels to `act`.
    fn at<T>(&self, metric: &Metric, act: impl FnOnce(usize, &[&str]) -> T) -> Option<T> {
        let series = metric.series();
        let id = *self.ids.get(&series.family)?;
        let labels = series.values.get(..series.family.labels().len())?;
        Some(act(id, labels))
    }
}
