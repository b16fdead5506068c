//! Schedulers, which request hooks.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::Ptr;

/// Requests a hook on the thread of a request, or on the main thread.
pub(crate) struct Scheduler {
    pointer: NonNull<c_void>,
    commit: unsafe extern "C" fn(Ptr, u64),
    delete: unsafe extern "C" fn(Ptr),
}

// SAFETY: Envoy's schedulers may be used from any thread, and from several at once. A
// call posts to the event loop of the scheduler's thread and changes nothing else.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl Scheduler {
    /// Wraps a scheduler that Envoy has just made, with its functions.
    pub(super) fn new(
        scheduler: Ptr,
        commit: unsafe extern "C" fn(Ptr, u64),
        delete: unsafe extern "C" fn(Ptr),
    ) -> Option<Self> {
        Some(Self {
            pointer: NonNull::new(scheduler)?,
            commit,
            delete,
        })
    }

    /// Requests the hook with this event number, as soon as its thread is available. The
    /// hook is never called if the object that the scheduler was made from is gone.
    pub(crate) fn commit(&self, event: u64) {
        // SAFETY: the scheduler exists until it is dropped.
        unsafe { (self.commit)(self.pointer.as_ptr(), event) };
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it belongs to the module, and nothing uses it any more.
        unsafe { (self.delete)(self.pointer.as_ptr()) };
    }
}
