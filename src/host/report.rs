//! Metrics and the log, as the host takes them. What the host refuses here is
//! lost: what is told of a request never decides about it.

use std::cell::{Cell, RefCell};
use std::rc::Rc;

use super::Reporting;
use crate::telemetry::{Change, Event, Level, Measurement, Metric};

/// What one configuration tells its operator.
#[derive(Debug)]
pub struct Report<H: Reporting> {
    host: Rc<H>,
    metrics: RefCell<Metrics<H::MetricId>>,
    /// There are no more ticks: the host is told at once.
    ended: Cell<bool>,
    /// The least level that the host writes down.
    least: Cell<Option<Level>>,
}

impl<H: Reporting> Report<H> {
    /// For where [`Report::flush`] is called on every tick.
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

    /// For where no ticks come: the host is told everything at once.
    #[must_use]
    pub fn at_once(host: Rc<H>) -> Self {
        let report = Self::new(host);
        report.ended.set(true);
        report
    }

    /// Asks for the level, which operators change while the proxy runs.
    pub fn refresh(&self) {
        if let Ok(least) = self.host.log_level() {
            self.least.set(least);
        }
    }

    /// Whether a line of this level is written down. What is not is neither
    /// made nor handed over.
    #[must_use]
    pub fn wants(&self, level: Level) -> bool {
        self.least.get().is_some_and(|least| level >= least)
    }

    /// Writes an event to the log.
    pub fn log(&self, event: &Event) {
        let level = event.level();
        if self.wants(level) {
            self.host.log(level, &event.to_string());
        }
    }

    /// Notes a measurement, for [`Report::flush`] to tell.
    pub fn measure(&self, measurement: Measurement) {
        // Nothing below comes back here, so it is never borrowed.
        if let Ok(mut metrics) = self.metrics.try_borrow_mut() {
            metrics.note(measurement);
        }
        if self.ended.get() {
            self.flush();
        }
    }

    /// Tells the host what was measured since the last time. On every tick, so
    /// that a request costs no call of the host.
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

    /// The configuration gets no more ticks: tells the host what there is, and
    /// from now on everything at once.
    pub fn end(&self) {
        self.ended.set(true);
        self.flush();
    }
}

impl<H: Reporting> Drop for Report<H> {
    /// The listener was drained since its last tick.
    fn drop(&mut self) {
        self.flush();
    }
}

/// The metrics that were ever measured: no more than there are reasons and
/// results for each provider, however many requests come.
#[derive(Debug)]
struct Metrics<Id> {
    /// In the order in which they were first measured.
    all: Vec<Entry<Id>>,
    /// Their places, in the order of the metrics.
    order: Vec<usize>,
    /// The places of those that the host is to be told of.
    changed: Vec<usize>,
}

#[derive(Debug)]
struct Entry<Id> {
    metric: Metric,
    /// The host's name of it, from its first use on.
    id: Option<Id>,
    /// What was measured since the host was last told.
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
