//! Panics end a request or a tick, not the thread.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::task::Poll;

/// The code has panicked.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Panicked;

/// Drives a future, and catches its panics. The future is on the heap, because each layer
/// around it would copy it otherwise.
///
/// # Errors
///
/// The future has panicked.
pub(super) fn caught<T>(
    future: impl Future<Output = T>,
) -> impl Future<Output = Result<T, Panicked>> {
    let mut future = Box::pin(future);
    std::future::poll_fn(move |context| {
        // After a panic the future is only dropped. What it shares with others are the
        // judge and the waiting requests, which change only as a whole.
        let polled = caught_in(|| future.as_mut().poll(context));
        polled.map_or(Poll::Ready(Err(Panicked)), |polled| polled.map(Ok))
    })
}

/// Calls a function, and catches its panics.
///
/// # Errors
///
/// The function has panicked.
pub(super) fn caught_in<T>(function: impl FnOnce() -> T) -> Result<T, Panicked> {
    catch_unwind(AssertUnwindSafe(function)).map_err(|_| Panicked)
}
