//! A request, as Envoy holds it.

use std::ffi::{c_int, c_void};
use std::marker::PhantomData;
use std::ptr::NonNull;

use super::{Buffer, FUNCTIONS, Field, Functions, MetricChange, Ptr, Refused, Scheduler, fields};

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

/// The number of a text that Envoy knows of a request.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Attribute(c_int);

impl Attribute {
    /// SHA-256 of the certificate that the client has shown, in hexadecimal digits.
    pub(crate) const PEER_CERTIFICATE_DIGEST: Self = Self(38);
}

/// A request, during one of its hooks.
#[derive(Clone, Copy)]
pub(crate) struct Filter<'hook> {
    envoy: &'static Functions,
    pointer: NonNull<c_void>,
    hook: PhantomData<&'hook Ptr>,
}

impl Filter<'_> {
    /// `None` where Envoy gives none.
    ///
    /// # Safety
    ///
    /// The pointer is the one that a hook of a filter was given, and `'hook` ends
    /// when that hook returns.
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
        // SAFETY: the filter is there.
        let index = unsafe { (self.envoy.http_filter_get_worker_index)(self.ptr()) };
        usize::try_from(index).unwrap_or(usize::MAX)
    }

    /// How many fields a list has.
    pub(crate) fn count(self, list: List) -> usize {
        // SAFETY: the filter is there.
        unsafe { (self.envoy.http_get_headers_size)(self.ptr(), list.number()) }
    }

    /// Hands over all fields of a list, which `take` has to copy.
    pub(crate) fn with_fields<T>(
        self,
        list: List,
        take: impl FnOnce(&mut dyn Iterator<Item = (&[u8], &[u8])>) -> T,
    ) -> Option<T> {
        let count = self.count(list);
        let none = Field {
            name: Buffer::NONE,
            value: Buffer::NONE,
        };
        let mut known = vec![none; count];
        // SAFETY: the filter is there, and Envoy writes as many fields as it has
        // just said, since nothing has changed them.
        let found = count > 0
            && unsafe {
                (self.envoy.http_get_headers)(self.ptr(), list.number(), known.as_mut_ptr())
            };
        // SAFETY: Envoy has written them, and `take` has no way to change them.
        let mut fields = unsafe { fields(known.as_ptr(), known.len()) };
        found.then(|| take(&mut fields))
    }

    /// Replaces every line of this name by one; one without a value is none.
    pub(crate) fn set_header(self, list: List, name: &[u8], value: &[u8]) -> Result<(), Refused> {
        let value = if value.is_empty() {
            Buffer::NONE
        } else {
            Buffer::of(value)
        };
        // SAFETY: the filter is there, and Envoy copies name and value.
        let set = unsafe {
            (self.envoy.http_set_header)(self.ptr(), list.number(), Buffer::of(name), value)
        };
        if set { Ok(()) } else { Err(Refused(0)) }
    }

    /// Adds a line.
    pub(crate) fn add_header(self, list: List, name: &[u8], value: &[u8]) -> Result<(), Refused> {
        let (name, value) = (Buffer::of(name), Buffer::of(value));
        // SAFETY: the filter is there, and Envoy copies name and value.
        let added = unsafe { (self.envoy.http_add_header)(self.ptr(), list.number(), name, value) };
        if added { Ok(()) } else { Err(Refused(0)) }
    }

    /// Answers the request. Envoy may come back meanwhile.
    pub(crate) fn send_response(
        self,
        status: u32,
        headers: &[(&[u8], &[u8])],
        body: &[u8],
        details: &str,
    ) {
        let of = |(name, value): &(&[u8], &[u8])| Field::of(name, value);
        let headers: Vec<_> = headers.iter().map(of).collect();
        // SAFETY: the filter is there, and Envoy copies what it is given.
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

    /// Lets a paused request go on. Envoy may come back meanwhile.
    pub(crate) fn continue_decoding(self) {
        // SAFETY: the filter is there.
        unsafe { (self.envoy.http_filter_continue_decoding)(self.ptr()) };
    }

    /// A copy of what Envoy knows; `None` where it knows nothing.
    pub(crate) fn attribute(self, Attribute(attribute): Attribute) -> Option<Vec<u8>> {
        let mut value = Buffer::NONE;
        // SAFETY: the filter is there, and Envoy writes one buffer.
        let known = unsafe {
            (self.envoy.http_filter_get_attribute_string)(self.ptr(), attribute, &raw mut value)
        };
        // SAFETY: Envoy has written it, and it is copied at once.
        known.then(|| unsafe { value.bytes() }.to_vec())
    }

    pub(crate) fn set_filter_state(self, name: &str, value: &str) -> Result<(), Refused> {
        let [name, value] = [name, value].map(|text| Buffer::of(text.as_bytes()));
        // SAFETY: the filter is there, and Envoy copies name and value.
        let set = unsafe { (self.envoy.http_set_filter_state_bytes)(self.ptr(), name, value) };
        if set { Ok(()) } else { Err(Refused(0)) }
    }

    pub(crate) fn set_metadata(self, namespace: &str, name: &str, value: &str) {
        let [namespace, name, value] =
            [namespace, name, value].map(|text| Buffer::of(text.as_bytes()));
        // SAFETY: the filter is there, and Envoy copies what it is given.
        unsafe {
            (self.envoy.http_set_dynamic_metadata_string)(self.ptr(), namespace, name, value);
        }
    }

    /// Changes a metric, by its number and the values of its labels.
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
        // SAFETY: the filter is there, and Envoy copies the labels. What it refuses is
        // lost.
        let _ = unsafe { function(self.ptr(), id, labels.as_ptr(), labels.len(), value) };
    }

    /// By which other threads have this request's own call a hook.
    pub(crate) fn scheduler(self) -> Option<Scheduler> {
        // SAFETY: the filter is there.
        let scheduler = unsafe { (self.envoy.http_filter_scheduler_new)(self.ptr()) };
        Scheduler::new(
            scheduler,
            self.envoy.http_filter_scheduler_commit,
            self.envoy.http_filter_scheduler_delete,
        )
    }
}
