//! A configuration of the filter, as Envoy holds it.

use std::ffi::c_void;
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{Buffer, FUNCTIONS, Field, Functions, MetricChange, Ptr, Refused, Scheduler};

/// A configuration of the filter, during one of its hooks, on the main thread.
#[derive(Clone, Copy)]
pub(crate) struct Config<'hook> {
    envoy: &'static Functions,
    pointer: NonNull<c_void>,
    hook: PhantomData<&'hook Ptr>,
}

impl Config<'_> {
    /// `None` where Envoy gives none.
    ///
    /// # Safety
    ///
    /// The pointer is the one that a hook of a configuration was given, and `'hook`
    /// ends when that hook returns.
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

    /// Makes a counter known, or a gauge, and returns its number. Only in the hook
    /// that makes the configuration.
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
        // SAFETY: the configuration is there, Envoy copies the texts and writes one
        // number.
        let result =
            unsafe { function(self.ptr(), name, labels.as_ptr(), labels.len(), &raw mut id) };
        if result == 0 {
            Ok(id)
        } else {
            Err(Refused(result))
        }
    }

    /// Changes a metric; false where this Envoy cannot from here, or it is one that
    /// goes up and down.
    pub(crate) fn change_metric(self, id: usize, labels: &[&str], change: MetricChange) -> bool {
        let (function, value) = match change {
            MetricChange::Count(value) => (self.envoy.http_filter_config_increment_counter, value),
            MetricChange::Set(value) => (self.envoy.http_filter_config_set_gauge, value),
            MetricChange::Up(_) | MetricChange::Down(_) => return false,
        };
        let Some(function) = function else {
            return false;
        };
        let labels: Vec<_> = labels
            .iter()
            .map(|text| Buffer::of(text.as_bytes()))
            .collect();
        // SAFETY: the configuration is there, and Envoy copies the labels.
        unsafe { function(self.ptr(), id, labels.as_ptr(), labels.len(), value) == 0 }
    }

    /// Sends a request to a cluster, and returns its number. The answer comes in a
    /// later hook.
    pub(crate) fn callout(
        self,
        cluster: &str,
        headers: &[(&str, &str)],
        timeout_ms: u64,
    ) -> Result<u64, Refused> {
        let of = |(name, value): &(&str, &str)| Field::of(name.as_bytes(), value.as_bytes());
        let headers: Vec<_> = headers.iter().map(of).collect();
        let mut id = 0;
        // SAFETY: the configuration is there, Envoy copies what it is given and writes
        // one number.
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

    /// By which other threads have the main thread call a hook.
    pub(crate) fn scheduler(self) -> Option<Scheduler> {
        // SAFETY: the configuration is there.
        let scheduler = unsafe { (self.envoy.http_filter_config_scheduler_new)(self.ptr()) };
        Scheduler::new(
            scheduler,
            self.envoy.http_filter_config_scheduler_commit,
            self.envoy.http_filter_config_scheduler_delete,
        )
    }
}
