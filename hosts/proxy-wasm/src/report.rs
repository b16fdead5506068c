//! Metrics and the log, as the host takes them. What the host refuses here is
//! lost: what is told of a request never decides about it.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;

use super::host::{self, MetricKind};
use edge_authz::telemetry::{Event, Level, Metric};

/// What one configuration tells its operator.
#[derive(Debug)]
pub(super) struct Report {
    /// The host's numbers of the metrics, each defined on its first use.
    ids: RefCell<BTreeMap<Metric, u32>>,
    /// The least level that the host writes down.
    least: Cell<u32>,
}

impl Report {
    pub(super) fn new() -> Self {
        let report = Self {
            ids: RefCell::default(),
            least: Cell::new(host::number(Level::Info)),
        };
        report.refresh();
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

    pub(super) fn measure(&self, metric: Metric) {
        let change = Change::of(&metric);
        let Some(id) = self.id(metric, change.kind()) else {
            return;
        };
        let _ = match change {
            Change::Count => host::increment_metric(id, 1),
            Change::Move(offset) => host::increment_metric(id, offset),
            Change::Set(value) => host::record_metric(id, value),
        };
    }

    fn id(&self, metric: Metric, kind: MetricKind) -> Option<u32> {
        let mut ids = self.ids.try_borrow_mut().ok()?;
        let identity = identity(metric);
        if let Some(id) = ids.get(&identity) {
            return Some(*id);
        }
        let id = host::define_metric(kind, &identity.name()).ok()?;
        ids.insert(identity, id);
        Some(id)
    }
}

/// What a measurement does to its metric.
#[derive(Clone, Copy)]
enum Change {
    Count,
    Move(i64),
    Set(u64),
}

impl Change {
    fn of(metric: &Metric) -> Self {
        match metric {
            Metric::Requests { .. }
            | Metric::KeyFetches { .. }
            | Metric::TokenCache(_)
            | Metric::IdentityDropped { .. } => Self::Count,
            Metric::Keys { count: value, .. } | Metric::KeyAge { seconds: value, .. } => {
                Self::Set(*value)
            }
            Metric::WaitingRequests { change } => Self::Move(*change),
        }
    }

    const fn kind(self) -> MetricKind {
        match self {
            Self::Count => MetricKind::Counter,
            Self::Move(_) | Self::Set(_) => MetricKind::Gauge,
        }
    }
}

/// The metric without what was measured.
fn identity(metric: Metric) -> Metric {
    match metric {
        Metric::Keys { provider, .. } => Metric::Keys { provider, count: 0 },
        Metric::KeyAge { provider, .. } => Metric::KeyAge {
            provider,
            seconds: 0,
        },
        Metric::WaitingRequests { .. } => Metric::WaitingRequests { change: 0 },
        counter @ (Metric::Requests { .. }
        | Metric::KeyFetches { .. }
        | Metric::TokenCache(_)
        | Metric::IdentityDropped { .. }) => counter,
    }
}
