//! Metrics and the log, as the host takes them. What the host refuses here is
//! lost: what is told of a request never decides about it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::host;
use edge_authz::telemetry::{Change, Event, Level, Measurement, Metric};

/// What one configuration tells its operator.
#[derive(Debug)]
pub(super) struct Report {
    /// The host's numbers of the metrics, each defined on its first use.
    ids: RefCell<BTreeMap<Metric, u32>>,
    /// What was measured since the host was last told: one change a metric,
    /// and so no more than there are metrics, however many requests come.
    pending: RefCell<BTreeMap<Metric, Change>>,
    /// There are no more ticks: the host is told at once.
    ended: Cell<bool>,
    /// The least level that the host writes down.
    least: Cell<u32>,
}

impl Report {
    pub(super) fn new() -> Self {
        let report = Self {
            ids: RefCell::default(),
            pending: RefCell::default(),
            ended: Cell::new(false),
            least: Cell::new(host::number(Level::Info)),
        };
        report.refresh();
        report
    }

    /// For where no ticks come: the host is told everything at once.
    pub(super) fn at_once() -> Self {
        let report = Self::new();
        report.ended.set(true);
        report
    }

    /// Asks for the level, which operators change while the proxy runs.
    pub(super) fn refresh(&self) {
        if let Ok(least) = host::log_level() {
            self.least.set(least);
        }
    }

    /// Whether a line of this level is written down. What is not is neither
    /// made nor handed over.
    pub(super) fn wants(&self, level: Level) -> bool {
        host::number(level) >= self.least.get()
    }

    pub(super) fn log(&self, event: &Event) {
        let level = event.level();
        if self.wants(level) {
            host::log(level, &event.to_string());
        }
    }

    /// Notes a measurement, for [`Report::flush`] to tell.
    pub(super) fn measure(&self, measurement: Measurement) {
        let Measurement { metric, change } = measurement;
        // Nothing below comes back here, so it is never borrowed.
        if let Ok(mut pending) = self.pending.try_borrow_mut() {
            pending
                .entry(metric)
                .and_modify(|earlier| *earlier = earlier.then(change))
                .or_insert(change);
        }
        if self.ended.get() {
            self.flush();
        }
    }

    /// Tells the host what was measured since the last time. On every tick, so
    /// that a request costs no call of the host.
    pub(super) fn flush(&self) {
        let pending = self
            .pending
            .try_borrow_mut()
            .map(|mut pending| std::mem::take(&mut *pending))
            .unwrap_or_default();
        for (metric, change) in pending {
            if change.is_none() {
                continue;
            }
            let Some(id) = self.id(metric) else {
                continue;
            };
            let _ = match change {
                Change::Add(offset) => host::increment_metric(id, offset),
                Change::Set(value) => host::record_metric(id, value),
            };
        }
    }

    /// The configuration gets no more ticks: tells the host what there is, and
    /// from now on everything at once.
    pub(super) fn end(&self) {
        self.ended.set(true);
        self.flush();
    }

    fn id(&self, metric: Metric) -> Option<u32> {
        let mut ids = self.ids.try_borrow_mut().ok()?;
        if let Some(id) = ids.get(&metric) {
            return Some(*id);
        }
        let id = host::define_metric(metric.kind(), &metric.name()).ok()?;
        ids.insert(metric, id);
        Some(id)
    }
}

impl Drop for Report {
    /// The listener was drained since its last tick.
    fn drop(&mut self) {
        self.flush();
    }
}
