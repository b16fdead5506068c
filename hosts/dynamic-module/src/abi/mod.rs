//! The part of Envoy's C interface for dynamic modules (`abi.h`) that this module uses.
//!
//! Envoy's functions are looked up by name when the module is loaded: those of 1.38 and,
//! if they exist, later ones. If an Envoy lacks a required function, the module is not
//! loaded, instead of crashing at the first call.
//!
//! # Safety
//!
//! Each function has the signature that `abi.h` declares. Envoy guarantees that released
//! functions do not change, and adds changed ones under other names. All of them follow
//! these rules:
//!
//! * A pointer to a filter, or to the configuration of one, belongs to Envoy. It is valid
//!   from the hook that passes it until that hook returns. [`Filter`] and [`Config`]
//!   cannot outlive the hook or leave its thread.
//! * A buffer that is passed to Envoy is read only during the call.
//! * A buffer that Envoy returns is valid until the next call that changes something. It
//!   is copied before such a call, within this module.
//! * A scheduler belongs to the module. It may be used from any thread, may outlive the
//!   object that it was made from, and is deleted once.

#![expect(
    unsafe_code,
    reason = "a foreign interface; each use is argued for above and where it is"
)]

mod config;
mod filter;
mod scheduler;

use std::ffi::{CStr, c_char, c_int, c_void};
use std::ptr::{self, NonNull};
use std::sync::OnceLock;

pub(crate) use config::Config;
pub(crate) use filter::{Attribute, Filter, List};
pub(crate) use scheduler::Scheduler;

/// Bytes that belong to the module or to Envoy.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Buffer {
    data: *const u8,
    length: usize,
}

/// A header field that belongs to the module or to Envoy.
#[repr(C)]
#[derive(Clone, Copy)]
pub(crate) struct Field {
    name: Buffer,
    value: Buffer,
}

impl Buffer {
    const NONE: Self = Self {
        data: ptr::null(),
        length: 0,
    };

    /// A buffer for one call.
    const fn of(bytes: &[u8]) -> Self {
        Self {
            data: bytes.as_ptr(),
            length: bytes.len(),
        }
    }

    /// The bytes of the buffer.
    ///
    /// # Safety
    ///
    /// Envoy must have just returned the buffer, and nothing may change it while the
    /// bytes are used.
    pub(crate) const unsafe fn bytes<'b>(self) -> &'b [u8] {
        if self.data.is_null() || self.length == 0 {
            return &[];
        }
        // SAFETY: the caller guarantees this number of bytes.
        unsafe { std::slice::from_raw_parts(self.data, self.length) }
    }
}

impl Field {
    /// A field for one call.
    const fn of(name: &[u8], value: &[u8]) -> Self {
        Self {
            name: Buffer::of(name),
            value: Buffer::of(value),
        }
    }
}

/// The names and values of fields.
///
/// # Safety
///
/// See [`Buffer::bytes`]. `fields` must point to `count` fields.
pub(crate) unsafe fn fields<'f>(fields: *const Field, count: usize) -> Fields<'f> {
    let fields = if fields.is_null() || count == 0 {
        &[]
    } else {
        // SAFETY: the caller guarantees this number of fields.
        unsafe { std::slice::from_raw_parts(fields, count) }
    };
    Fields(fields.iter())
}

/// Header fields that Envoy has returned. Only [`fields`] makes them, so their buffers are
/// valid for `'f`.
#[derive(Clone)]
pub(crate) struct Fields<'f>(std::slice::Iter<'f, Field>);

impl<'f> Iterator for Fields<'f> {
    type Item = (&'f [u8], &'f [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let field = self.0.next()?;
        // SAFETY: the caller of `fields` guarantees it.
        Some(unsafe { (field.name.bytes(), field.value.bytes()) })
    }
}

/// The bytes of a body in chunks.
///
/// # Safety
///
/// See [`Buffer::bytes`]. `chunks` must point to `count` buffers.
pub(crate) unsafe fn chunks<'c>(
    chunks: *const Buffer,
    count: usize,
) -> impl Iterator<Item = &'c [u8]> + Clone {
    let chunks = if chunks.is_null() || count == 0 {
        &[]
    } else {
        // SAFETY: the caller guarantees this number of buffers.
        unsafe { std::slice::from_raw_parts(chunks, count) }
    };
    // SAFETY: the caller guarantees it.
    chunks.iter().map(|chunk| unsafe { chunk.bytes() })
}

type Ptr = *mut c_void;

/// Declares Envoy's functions that the module uses.
macro_rules! functions {
    (
        $(needed $name:ident($($type:ty),*) $(-> $result:ty)?;)*
        $(optional $later:ident($($later_type:ty),*) $(-> $later_result:ty)?;)*
    ) => {
        /// Envoy's functions.
        #[derive(Clone, Copy)]
        struct Functions {
            $($name: unsafe extern "C" fn($($type),*) $(-> $result)?,)*
            $($later: Option<unsafe extern "C" fn($($later_type),*) $(-> $later_result)?>,)*
        }

        impl Functions {
            /// Looks up all functions. The error is the name of a missing one.
            fn find(
                find: impl Fn(&'static str) -> Option<NonNull<c_void>>,
            ) -> Result<Self, &'static str> {
                Ok(Self {
                    $($name: {
                        let found = find(concat!(
                            "envoy_dynamic_module_callback_", stringify!($name), "\0"
                        ));
                        let found = found.ok_or(stringify!($name))?;
                        // SAFETY: the function with this name has this signature.
                        unsafe {
                            std::mem::transmute::<
                                NonNull<c_void>,
                                unsafe extern "C" fn($($type),*) $(-> $result)?,
                            >(found)
                        }
                    },)*
                    $($later: {
                        let found = find(concat!(
                            "envoy_dynamic_module_callback_", stringify!($later), "\0"
                        ));
                        // SAFETY: the function with this name has this signature.
                        found.map(|found| unsafe {
                            std::mem::transmute::<
                                NonNull<c_void>,
                                unsafe extern "C" fn($($later_type),*) $(-> $later_result)?,
                            >(found)
                        })
                    },)*
                })
            }
        }
    };
}

functions! {
    needed log(c_int, Buffer);
    needed log_enabled(c_int) -> bool;
    needed get_concurrency() -> u32;
    needed is_validation_mode() -> bool;
    needed http_filter_config_define_counter(Ptr, Buffer, *const Buffer, usize, *mut usize) -> c_int;
    needed http_filter_config_define_gauge(Ptr, Buffer, *const Buffer, usize, *mut usize) -> c_int;
    needed http_filter_increment_counter(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    needed http_filter_increment_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    needed http_filter_decrement_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    needed http_filter_set_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    needed http_get_headers_size(Ptr, c_int) -> usize;
    needed http_get_headers(Ptr, c_int, *mut Field) -> bool;
    needed http_set_header(Ptr, c_int, Buffer, Buffer) -> bool;
    needed http_add_header(Ptr, c_int, Buffer, Buffer) -> bool;
    needed http_send_response(Ptr, u32, *const Field, usize, Buffer, Buffer);
    needed http_filter_get_attribute_string(Ptr, c_int, *mut Buffer) -> bool;
    needed http_set_dynamic_metadata_string(Ptr, Buffer, Buffer, Buffer);
    needed http_set_filter_state_bytes(Ptr, Buffer, Buffer) -> bool;
    needed http_filter_get_worker_index(Ptr) -> u32;
    needed get_most_specific_route_config(Ptr) -> *const c_void;
    needed http_filter_continue_decoding(Ptr);
    needed http_filter_scheduler_new(Ptr) -> Ptr;
    needed http_filter_scheduler_commit(Ptr, u64);
    needed http_filter_scheduler_delete(Ptr);
    needed http_filter_config_scheduler_new(Ptr) -> Ptr;
    needed http_filter_config_scheduler_commit(Ptr, u64);
    needed http_filter_config_scheduler_delete(Ptr);
    needed http_filter_config_http_callout(
        Ptr, *mut u64, Buffer, *const Field, usize, Buffer, u64
    ) -> c_int;
    // Since Envoy 1.39.
    optional http_filter_config_increment_counter(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    optional http_filter_config_increment_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    optional http_filter_config_decrement_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    optional http_filter_config_set_gauge(Ptr, usize, *const Buffer, usize, u64) -> c_int;
    // Since Envoy 1.40. An Envoy with this function uses version 0.2 of the interface.
    optional log_v2(c_int, Buffer, Buffer, c_int);
}

unsafe extern "C" {
    /// From the C library, which Envoy has loaded.
    fn dlsym(handle: *mut c_void, name: *const c_char) -> *mut c_void;
}

/// Looks up a function of the program that has loaded this module.
fn find(name: &'static str) -> Option<NonNull<c_void>> {
    let name = CStr::from_bytes_with_nul(name.as_bytes()).ok()?;
    // SAFETY: the null handle means a search in the whole program, and the name ends with
    // a zero byte.
    NonNull::new(unsafe { dlsym(ptr::null_mut(), name.as_ptr()) })
}

static FUNCTIONS: OnceLock<Functions> = OnceLock::new();

/// Looks up Envoy's functions. Returns the version of the interface that this Envoy uses.
///
/// # Errors
///
/// The name of a function that this Envoy lacks.
pub(crate) fn load() -> Result<&'static CStr, &'static str> {
    load_from(find)
}

/// The same with another look-up. It is given names that end with a zero byte, and must
/// find a function with the signature of that name.
pub(crate) fn load_from(
    find: impl Fn(&'static str) -> Option<NonNull<c_void>>,
) -> Result<&'static CStr, &'static str> {
    let found = Functions::find(find)?;
    let is_new = found.log_v2.is_some();
    // The functions of a process do not change.
    FUNCTIONS.get_or_init(|| found);
    Ok(if is_new { c"v0.2.0" } else { c"v0.1.0" })
}

/// The numbers of the log levels.
#[derive(Clone, Copy, Debug)]
#[repr(i32)]
pub(crate) enum LogLevel {
    Debug = 1,
    Info = 2,
    Warn = 3,
    Error = 4,
}

impl LogLevel {
    const fn number(self) -> c_int {
        match self {
            Self::Debug => 1,
            Self::Info => 2,
            Self::Warn => 3,
            Self::Error => 4,
        }
    }
}

/// Writes a line to Envoy's log.
pub(crate) fn log(level: LogLevel, line: &str) {
    if let Some(envoy) = FUNCTIONS.get() {
        // SAFETY: the line is read during the call.
        unsafe { (envoy.log)(level.number(), Buffer::of(line.as_bytes())) };
    }
}

/// Whether Envoy logs lines of this level.
pub(crate) fn log_enabled(level: LogLevel) -> bool {
    // SAFETY: no pointers are passed.
    let asks = |envoy: &Functions| unsafe { (envoy.log_enabled)(level.number()) };
    FUNCTIONS.get().is_some_and(asks)
}

/// The number of Envoy's workers. It may be called on the main thread only.
pub(crate) fn concurrency() -> usize {
    // SAFETY: no pointers are passed.
    let asks = |envoy: &Functions| unsafe { (envoy.get_concurrency)() };
    FUNCTIONS
        .get()
        .map(asks)
        .and_then(|count| usize::try_from(count).ok())
        .unwrap_or(0)
}

/// Whether Envoy only validates its configuration.
pub(crate) fn is_validation() -> bool {
    // SAFETY: no pointers are passed.
    let asks = |envoy: &Functions| unsafe { (envoy.is_validation_mode)() };
    FUNCTIONS.get().is_some_and(asks)
}

/// How a metric changes.
#[derive(Clone, Copy, Debug)]
pub(crate) enum MetricChange {
    Count(u64),
    Up(u64),
    Down(u64),
    Set(u64),
}

/// Envoy refused a call. The value is its result.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Refused(pub(crate) c_int);
