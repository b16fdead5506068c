//! The metrics and log lines of the requests of one thread.

use std::sync::Arc;

use edge_authz::host::{HostError, Reporting};
use edge_authz::telemetry::{Change, Level, Metric};
use edge_authz_native::Collected;

use super::{Log, Registry};

/// Collects the changes of metrics, which the [`Registry`] adds up when they are read.
#[derive(Debug)]
pub struct Sink {
    collected: Arc<Collected>,
    log: Arc<Log>,
}

impl Sink {
    /// Creates the sink of a thread.
    #[must_use]
    pub fn new(registry: &Registry, log: &Arc<Log>) -> Self {
        Self {
            collected: registry.collect(),
            log: Arc::clone(log),
        }
    }
}

impl Reporting for Sink {
    type MetricId = usize;

    fn log_level(&self) -> Result<Option<Level>, HostError> {
        Ok(self.log.least())
    }

    fn log(&self, level: Level, line: &str) {
        self.log.write(level, line);
    }

    fn define_metric(&self, metric: &Metric) -> Result<usize, HostError> {
        Ok(self.collected.define(metric))
    }

    fn change_metric(&self, id: usize, change: Change) -> Result<(), HostError> {
        let is_known = self.collected.add(id, change);
        is_known.then_some(()).ok_or(HostError::NotFound)
    }
}
