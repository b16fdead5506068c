//! The metrics and log lines of the requests of one thread.

use std::sync::Arc;

use super::abi::{self, Filter, LogLevel};
use super::metrics::Metrics;
use super::series;
use edge_authz::host::{HostError, Reporting};
use edge_authz::telemetry::{Change, Level, Metric};
use edge_authz_native::Collected;

/// Collects the changes of metrics. Envoy accepts them only in some hooks.
#[derive(Debug, Default)]
pub(crate) struct Sink {
    collected: Arc<Collected>,
}

impl Sink {
    /// The changes that are not reported yet.
    pub(crate) const fn collected(&self) -> &Arc<Collected> {
        &self.collected
    }

    /// Reports the collected changes to Envoy, in a hook of a request.
    pub(crate) fn report(&self, metrics: &Metrics, filter: Filter<'_>) {
        for (metric, change) in self.collected.take() {
            metrics.change(filter, &metric, change);
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
        Ok(self.collected.define(metric))
    }

    fn change_metric(&self, id: usize, change: Change) -> Result<(), HostError> {
        let is_known = self.collected.add(id, change);
        is_known.then_some(()).ok_or(HostError::NotFound)
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
