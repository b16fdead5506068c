//! What has Envoy call a hook.

use std::ffi::c_void;
use std::ptr::NonNull;

use super::Ptr;

/// Has a hook called on the thread of a request, or on the main thread.
pub(crate) struct Scheduler {
    pointer: NonNull<c_void>,
    commit: unsafe extern "C" fn(Ptr, u64),
    delete: unsafe extern "C" fn(Ptr),
}

// SAFETY: Envoy's schedulers may be used from any thread, and from several at once:
// using one posts to the event loop of its thread, and changes nothing else.
unsafe impl Send for Scheduler {}
// SAFETY: as above.
unsafe impl Sync for Scheduler {}

impl Scheduler {
    /// One that Envoy has just made, and the functions for it.
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

    /// The hook is called with this number as soon as its thread can; never, where
    /// what it was made of is gone.
    pub(crate) fn commit(&self, event: u64) {
        // SAFETY: the scheduler is there until it is dropped.
        unsafe { (self.commit)(self.pointer.as_ptr(), event) };
    }
}

impl Drop for Scheduler {
    fn drop(&mut self) {
        // SAFETY: it is the module's, and nobody uses it any more.
        unsafe { (self.delete)(self.pointer.as_ptr()) };
    }
}
