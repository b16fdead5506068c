//! A request in Envoy.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{
    Buffer, FUNCTIONS, Field, Fields, Functions, MetricChange, Ptr, Refused, Scheduler, fields,
};

/// A list of header fields.
#[derive(Clone, Copy, Debug)]
pub(crate) enum List {
    Request,
    RequestTrailers,
    Response,
}

impl List {
    const fn number(self) -> c_int {
        match self {
            Self::Request => 0,
            Self::RequestTrailers => 1,
            Self::Response => 2,
        }
    }
}

/// The number of an attribute of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute(c_int);

impl Attribute {
    /// The SHA-256 of the client's certificate, in hexadecimal digits.
    pub(crate) const PEER_CERTIFICATE_DIGEST: Self = Self(38);
}

/// A request, valid during one of its hooks.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'hook> {
    envoy: &'static Functions,
    pointer: NonNull<c_void>,
    hook: PhantomData<&'hook Ptr>,
}

impl Filter<'_> {
    /// Wraps Envoy's pointer. Returns `None` for a null pointer.
    ///
    /// # Safety
    ///
    /// The pointer must be the argument of a hook of a filter, and `'hook` must end when
    /// that hook returns.
    pub(crate) unsafe fn new(filter: Ptr) -> Option<Self> {
        Some(Self {
            envoy: FUNCTIONS.get()?,
            pointer: NonNull::new(filter)?,
            hook: PhantomData,
        })
    }

    const fn ptr(self) -> Ptr {
        self.pointer.as_ptr()
    }

    pub(crate) fn worker_index(self) -> usize {
        // SAFETY: the filter exists.
        let index = unsafe { (self.envoy.http_filter_get_worker_index)(self.ptr()) };
        usize::try_from(index).unwrap_or(usize::MAX)
    }

    /// The address of the configuration that the request's route has for this filter, if it
    /// has one. Any module may have made it, so it must not be dereferenced.
    pub(crate) fn route_config(self) -> Option<usize> {
        // SAFETY: the filter exists.
        let config = unsafe { (self.envoy.get_most_specific_route_config)(self.ptr()) };
        (!config.is_null()).then(|| config.addr())
    }

    /// The number of fields in a list.
    pub(crate) fn count(self, list: List) -> usize {
        // SAFETY: the filter exists.
        unsafe { (self.envoy.http_get_headers_size)(self.ptr(), list.number()) }
    }

    /// Passes all fields of a list to `take`, which must copy them.
    pub(crate) fn with_fields<T>(
        self,
        list: List,
        take: impl FnOnce(Fields<'_>) -> T,
    ) -> Option<T> {
        let count = self.count(list);
        let none = Field {
            name: Buffer::NONE,
            value: Buffer::NONE,
        };
        let mut known = vec![none; count];
        // SAFETY: the filter exists, and Envoy writes the number of fields that it has
        // just reported, because nothing has changed the list in between.
        let found = count > 0
            && unsafe {
                (self.envoy.http_get_headers)(self.ptr(), list.number(), known.as_mut_ptr())
            };
        // SAFETY: Envoy has written them, and `take` cannot change them.
        let fields = unsafe { fields(known.as_ptr(), known.len()) };
        found.then(|| take(fields))
    }

    /// Replaces all lines with this name by one. A line with an empty value counts as
    /// absent.
    pub(crate) fn set_header(self, list: List, name: &[u8], value: &[u8]) -> Result<(), Refused> {
        let value = if value.is_empty() {
            Buffer::NONE
        } else {
            Buffer::of(value)
        };
        // SAFETY: the filter exists, and Envoy copies name and value.
        let set = unsafe {
            (self.envoy.http_set_header)(self.ptr(), list.number(), Buffer::of(name), value)
        };
        if set { Ok(()) } else { Err(Refused(0)) }
    }

    /// Adds a line.
    pub(crate) fn add_header(self, list: List, name: &[u8], value: &[u8]) -> Result<(), Refused> {
        let (name, value) = (Buffer::of(name), Buffer::of(value));
        // SAFETY: the filter exists, and Envoy copies name and value.
        let added = unsafe { (self.envoy.http_add_header)(self.ptr(), list.number(), name, value) };
        if added { Ok(()) } else { Err(Refused(0)) }
    }

    /// Answers the request. Envoy may call other hooks during this call.
    pub(crate) fn send_response(
        self,
        status: u32,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        details: &str,
    ) {
        let of = |(name, value): &(&[u8], &[u8])| Field::of(name, value);
        let headers: Vec<_> = headers.iter().map(of).collect();
        // SAFETY: the filter exists, and Envoy copies the arguments.
        unsafe {
            (self.envoy.http_send_response)(
                self.ptr(),
                status,
                headers.as_ptr(),
                headers.len(),
                Buffer::of(body),
                Buffer::of(details.as_bytes()),
            );
        }
    }

    /// Resumes a paused request. Envoy may call other hooks during this call.
    pub(crate) fn continue_decoding(self) {
        // SAFETY: the filter exists.
        unsafe { (self.envoy.http_filter_continue_decoding)(self.ptr()) };
    }

    /// A copy of an attribute. `None` if Envoy does not have it.
    pub(crate) fn attribute(self, Attribute(attribute): Attribute) -> Option<Vec<u8>> {
        let mut value = Buffer::NONE;
        // SAFETY: the filter exists, and Envoy writes one buffer.
        let known = unsafe {
            (self.envoy.http_filter_get_attribute_string)(self.ptr(), attribute, &raw mut value)
        };
        // SAFETY: Envoy has written it, and it is copied at once.
        known.then(|| unsafe { value.bytes() }.to_vec())
    }

    pub(crate) fn set_filter_state(self, name: &str, value: &str) -> Result<(), Refused> {
        let [name, value] = [name, value].map(|text| Buffer::of(text.as_bytes()));
        // SAFETY: the filter exists, and Envoy copies name and value.
        let set = unsafe { (self.envoy.http_set_filter_state_bytes)(self.ptr(), name, value) };
        if set { Ok(()) } else { Err(Refused(0)) }
    }

    pub(crate) fn set_metadata(self, namespace: &str, name: &str, value: &str) {
        let [namespace, name, value] =
            [namespace, name, value].map(|text| Buffer::of(text.as_bytes()));
        // SAFETY: the filter exists, and Envoy copies the arguments.
        unsafe {
            (self.envoy.http_set_dynamic_metadata_string)(self.ptr(), namespace, name, value);
        }
    }

    /// Changes a metric, given its id and the values of its labels.
    pub(crate) fn change_metric(self, id: usize, labels: &[&str], change: MetricChange) {
        let labels: Vec<_> = labels
            .iter()
            .map(|text| Buffer::of(text.as_bytes()))
            .collect();
        let (function, value) = match change {
            MetricChange::Count(value) => (self.envoy.http_filter_increment_counter, value),
            MetricChange::Up(value) => (self.envoy.http_filter_increment_gauge, value),
            MetricChange::Down(value) => (self.envoy.http_filter_decrement_gauge, value),
            MetricChange::Set(value) => (self.envoy.http_filter_set_gauge, value),
        };
        // SAFETY: the filter exists, and Envoy copies the labels. A refused change is
        // lost.
        let _ = unsafe { function(self.ptr(), id, labels.as_ptr(), labels.len(), value) };
    }

    /// The scheduler with which other threads request a hook of this request.
    pub(crate) fn scheduler(self) -> Option<Scheduler> {
        // SAFETY: the filter exists.
        let scheduler = unsafe { (self.envoy.http_filter_scheduler_new)(self.ptr()) };
        Scheduler::new(
            scheduler,
            self.envoy.http_filter_scheduler_commit,
            self.envoy.http_filter_scheduler_delete,
        )
    }
}
