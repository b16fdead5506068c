//! A configuration of the filter in Envoy.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{Buffer, FUNCTIONS, Field, Functions, MetricChange, Ptr, Refused, Scheduler};

/// A configuration of the filter, valid during one of its hooks on the main thread.
#[derive(Clone, Copy)]
pub(crate) struct Config<'hook> {
    envoy: &'static Functions,
    pointer: NonNull<c_void>,
    hook: PhantomData<&'hook Ptr>,
}

impl Config<'_> {
    /// Wraps Envoy's pointer. Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// The pointer must be the argument of a hook of a configuration, and `'hook` must
    /// end when that hook returns.
    pub(crate) unsafe fn new(config: Ptr) -> Option<Self> {
        Some(Self {
            envoy: FUNCTIONS.get()?,
            pointer: NonNull::new(config)?,
            hook: PhantomData,
        })
    }

    const fn ptr(self) -> Ptr {
        self.pointer.as_ptr()
    }

    /// Defines a counter or a gauge, and returns its id. Envoy allows this only in the
    /// hook that creates the configuration.
    pub(crate) fn define_metric(
        self,
        is_counter: bool,
        name: &str,
        labels: &[&str],
    ) -> Result<usize, Refused> {
        let labels: Vec<_> = labels
            .iter()
            .map(|text| Buffer::of(text.as_bytes()))
            .collect();
        let function = if is_counter {
            self.envoy.http_filter_config_define_counter
        } else {
            self.envoy.http_filter_config_define_gauge
        };
        let name = Buffer::of(name.as_bytes());
        let mut id = 0;
        // SAFETY: the configuration exists, and Envoy copies the texts and writes one
        // number.
        let result =
            unsafe { function(self.ptr(), name, labels.as_ptr(), labels.len(), &raw mut id) };
        if result == 0 {
            Ok(id)
        } else {
            Err(Refused(result))
        }
    }

    /// Whether this Envoy can change metrics outside of a request's hooks.
    pub(crate) const fn can_change_metrics(self) -> bool {
        self.envoy.http_filter_config_increment_counter.is_some()
            && self.envoy.http_filter_config_increment_gauge.is_some()
            && self.envoy.http_filter_config_decrement_gauge.is_some()
            && self.envoy.http_filter_config_set_gauge.is_some()
    }

    /// Changes a metric. Returns false if this Envoy cannot do so from here.
    pub(crate) fn change_metric(self, id: usize, labels: &[&str], change: MetricChange) -> bool {
        let envoy = self.envoy;
        let (function, value) = match change {
            MetricChange::Count(value) => (envoy.http_filter_config_increment_counter, value),
            MetricChange::Up(value) => (envoy.http_filter_config_increment_gauge, value),
            MetricChange::Down(value) => (envoy.http_filter_config_decrement_gauge, value),
            MetricChange::Set(value) => (envoy.http_filter_config_set_gauge, value),
        };
        let Some(function) = function else {
            return false;
        };
        let labels: Vec<_> = labels
            .iter()
            .map(|text| Buffer::of(text.as_bytes()))
            .collect();
        // SAFETY: the configuration exists, and Envoy copies the labels.
        unsafe { function(self.ptr(), id, labels.as_ptr(), labels.len(), value) == 0 }
    }

    /// Sends a request to a cluster, and returns its id. A later hook brings the answer.
    pub(crate) fn callout(
        self,
        cluster: &str,
        headers: &[(&str, &str)],
        timeout_ms: u64,
    ) -> Result<u64, Refused> {
        let of = |(name, value): &(&str, &str)| Field::of(name.as_bytes(), value.as_bytes());
        let headers: Vec<_> = headers.iter().map(of).collect();
        let mut id = 0;
        // SAFETY: the configuration exists, and Envoy copies the arguments and writes one
        // number.
        let result = unsafe {
            (self.envoy.http_filter_config_http_callout)(
                self.ptr(),
                &raw mut id,
                Buffer::of(cluster.as_bytes()),
                headers.as_ptr(),
                headers.len(),
                Buffer::NONE,
                timeout_ms,
            )
        };
        if result == 0 {
            Ok(id)
        } else {
            Err(Refused(result))
        }
    }

    /// The scheduler with which other threads request a hook on the main thread.
    pub(crate) fn scheduler(self) -> Option<Scheduler> {
        // SAFETY: the configuration exists.
        let scheduler = unsafe { (self.envoy.http_filter_config_scheduler_new)(self.ptr()) };
        Scheduler::new(
            scheduler,
            self.envoy.http_filter_config_scheduler_commit,
            self.envoy.http_filter_config_scheduler_delete,
        )
    }
}
