//! Metrics and log lines, as they are reported to the host. What the host refuses here is
//! lost: reporting never affects a decision.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Reporting;
use crate::telemetry::{Change, Event, Level, Measurement, Metric};

/// The metrics and log lines of one configuration.
#[derive(Debug)]
pub struct Report<H: Reporting> {
    host: Rc<H>,
    metrics: RefCell<Metrics<H::MetricId>>,
    /// Whether the last tick has passed. Measurements are then reported at once.
    ended: Cell<bool>,
    /// The lowest level that the host logs.
    least: Cell<Option<Level>>,
}

impl<H: Reporting> Report<H> {
    /// For hosts that call [`Report::flush`] on every tick.
    #[must_use]
    pub fn new(host: Rc<H>) -> Self {
        let report = Self {
            host,
            metrics: RefCell::new(Metrics::new()),
            ended: Cell::new(false),
            least: Cell::new(Some(Level::Info)),
        };
        report.refresh();
        report
    }

    /// For hosts without ticks: every measurement is reported at once.
    #[must_use]
    pub fn at_once(host: Rc<H>) -> Self {
        let report = Self::new(host);
        report.ended.set(true);
        report
    }

    /// Reads the log level, which operators change while the proxy runs.
    pub fn refresh(&self) {
        if let Ok(least) = self.host.log_level() {
            self.least.set(least);
        }
    }

    /// Whether a line of this level is logged. Other lines are neither formatted nor
    /// passed on.
    #[must_use]
    pub fn is_enabled(&self, level: Level) -> bool {
        self.least.get().is_some_and(|least| level >= least)
    }

    /// Writes an event to the log.
    pub fn log(&self, event: &Event) {
        let level = event.level();
        if self.is_enabled(level) {
            self.host.log(level, &event.to_string());
        }
    }

    /// Records a measurement, which [`Report::flush`] reports.
    pub fn measure(&self, measurement: Measurement) {
        // No call below re-enters this function, so it is never borrowed here.
        if let Ok(mut metrics) = self.metrics.try_borrow_mut() {
            metrics.note(measurement);
        }
        if self.ended.get() {
            self.flush();
        }
    }

    /// Reports all measurements since the last call. It runs on every tick, so that a
    /// request costs no host call.
    pub fn flush(&self) {
        let Ok(mut metrics) = self.metrics.try_borrow_mut() else {
            return;
        };
        let Metrics { all, changed, .. } = &mut *metrics;
        for place in changed.drain(..) {
            let Some(entry) = all.get_mut(place) else {
                continue;
            };
            let Some(change) = entry.pending.take().filter(|change| !change.is_none()) else {
                continue;
            };
            if entry.id.is_none() {
                entry.id = self.host.define_metric(&entry.metric).ok();
            }
            if let Some(id) = entry.id {
                let _ = self.host.change_metric(id, change);
            }
        }
    }

    /// Reports everything pending, and from now on every measurement at once, because the
    /// configuration gets no more ticks.
    pub fn end(&self) {
        self.ended.set(true);
        self.flush();
    }
}

impl<H: Reporting> Drop for Report<H> {
    /// Reports what was measured after the last tick, while the listener was drained.
    fn drop(&mut self) {
        self.flush();
    }
}

/// How many of the changed metrics are compared before the others are searched.
const RECENT: usize = 4;

/// All metrics that were measured so far. Their number is bounded by the reasons and
/// results of each provider, independent of the number of requests.
#[derive(Debug)]
struct Metrics<Id> {
    /// In the order of the first measurement.
    all: Vec<Entry<Id>>,
    /// Indexes into `all`, sorted by metric.
    order: Vec<usize>,
    /// Indexes of the metrics with changes to report.
    changed: Vec<usize>,
}

#[derive(Debug)]
struct Entry<Id> {
    metric: Metric,
    /// The host's id of the metric, set on its first use.
    id: Option<Id>,
    /// What was measured since the last report.
    pending: Option<Change>,
}

impl<Id> Metrics<Id> {
    const fn new() -> Self {
        Self {
            all: Vec::new(),
            order: Vec::new(),
            changed: Vec::new(),
        }
    }

    fn note(&mut self, measurement: Measurement) {
        let Measurement { metric, change } = measurement;
        let place = self.place(metric);
        let Some(entry) = self.all.get_mut(place) else {
            return;
        };
        let earlier = entry.pending;
        entry.pending = Some(earlier.map_or(change, |earlier| earlier.then(change)));
        if earlier.is_none() {
            self.changed.push(place);
        }
    }

    fn place(&mut self, metric: Metric) -> usize {
        // Most requests change the metrics that the first ones since the last report
        // have changed. A comparison for equality is cheap: the provider's name is
        // shared.
        let recent = self.changed.iter().take(RECENT).copied();
        let is_it = |place: &usize| {
            self.all
                .get(*place)
                .is_some_and(|known| known.metric == metric)
        };
        if let Some(place) = recent.clone().find(is_it) {
            return place;
        }
        let found = self.order.binary_search_by(|place| {
            let known = self.all.get(*place).map(|entry| &entry.metric);
            known.cmp(&Some(&metric))
        });
        match found {
            Ok(rank) => self.order.get(rank).copied().unwrap_or(usize::MAX),
            Err(rank) => {
                let place = self.all.len();
                self.order.insert(rank, place);
                self.all.push(Entry {
                    metric,
                    id: None,
                    pending: None,
                });
                place
            }
        }
    }
}
