//! The ticks that the driver requests from the host.

use std::cell::Cell;
use std::time::Duration;

use super::Host;

/// The shortest period: as soon as the host can.
const AT_ONCE: Duration = Duration::from_millis(1);

/// The requested ticks. All drivers of one host context share them: the active one, and
/// those that it has replaced.
#[derive(Debug, Default)]
pub struct Ticks {
    /// The current period. `None` before the first successful request.
    period: Cell<Option<Duration>>,
    /// Whether a replaced driver needs ticks as fast as possible, regardless of the
    /// period that the active one requests.
    hurried: Cell<bool>,
}

impl Ticks {
    /// Requests ticks with this period. If the host fails, the period does not change.
    pub fn set_period(&self, host: &impl Host, period: Duration) {
        let period = if self.hurried.get() { AT_ONCE } else { period };
        if self.period.get() != Some(period) && host.set_tick_period(period).is_ok() {
            self.period.set(Some(period));
        }
    }

    /// Requests the next tick as soon as possible.
    pub fn request_now(&self, host: &impl Host) {
        self.set_period(host, AT_ONCE);
    }

    /// Starts or stops ticks as fast as possible.
    pub fn set_hurried(&self, host: &impl Host, hurried: bool) {
        self.hurried.set(hurried);
        if hurried {
            self.request_now(host);
        }
    }

    /// Whether the host sends ticks at all.
    #[must_use]
    pub const fn are_coming(&self) -> bool {
        self.period.get().is_some()
    }
}
