//! Runs the tasks of hyper in the current thread.

use hyper::rt::Executor;

/// Spawns tasks in the current [`tokio::task::LocalSet`].
#[derive(Clone, Copy, Debug)]
pub(super) struct Local;

impl<F: Future + 'static> Executor<F> for Local
where
    F::Output: 'static,
{
    fn execute(&self, future: F) {
        tokio::task::spawn_local(future);
    }
}
