//! The metrics and log lines of the requests of one thread.

use std::cell::RefCell;

use super::abi::{self, Filter, LogLevel};
use super::metrics::Metrics;
use super::series;
use edge_authz::host::{HostError, Reporting};
use edge_authz::telemetry::{Change, Level, Metric};

/// Collects the metrics that one hook changes. Envoy accepts them only in a request's
/// hook.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    /// All metrics that have changed so far. Their number is bounded by the reasons and
    /// results of each provider.
    known: RefCell<Vec<Metric>>,
    /// At most one change for each metric between two reports.
    changes: RefCell<Vec<(usize, Change)>>,
}

impl Sink {
    /// Reports the collected changes to Envoy.
    pub(crate) fn report(&self, metrics: &Metrics, filter: Filter<'_>) {
        let Ok(mut changes) = self.changes.try_borrow_mut() else {
            return;
        };
        let Ok(known) = self.known.try_borrow() else {
            return;
        };
        for (id, change) in changes.drain(..) {
            if let Some(metric) = known.get(id) {
                metrics.change(filter, metric, change);
            }
        }
    }
}

impl Reporting for Sink {
    type MetricId = usize;

    fn log_level(&self) -> Result<Option<Level>, HostError> {
        let all = [Level::Debug, Level::Info, Level::Warn, Level::Error];
        Ok(all
            .into_iter()
            .find(|level| abi::log_enabled(number(*level))))
    }

    fn log(&self, level: Level, line: &str) {
        log(level, line);
    }

    fn define_metric(&self, metric: &Metric) -> Result<usize, HostError> {
        series::remember(metric);
        let mut known = self
            .known
            .try_borrow_mut()
            .map_err(|_| HostError::NotAsked)?;
        known.push(metric.clone());
        known.len().checked_sub(1).ok_or(HostError::NotAsked)
    }

    fn change_metric(&self, id: usize, change: Change) -> Result<(), HostError> {
        let mut changes = self
            .changes
            .try_borrow_mut()
            .map_err(|_| HostError::NotAsked)?;
        changes.push((id, change));
        Ok(())
    }
}

/// Writes a line to the log, in any thread.
pub(crate) fn log(level: Level, line: &str) {
    abi::log(number(level), line);
}

const fn number(level: Level) -> LogLevel {
    match level {
        Level::Debug => LogLevel::Debug,
        Level::Info => LogLevel::Info,
        Level::Warn => LogLevel::Warn,
        Level::Error => LogLevel::Error,
    }
}
