//! Checks whether the module has enough memory for a step.

pub(super) use edge_authz::memory::Need;

/// Whether this much memory can be allocated now.
pub(super) fn is_available(need: Need) -> bool {
    #[cfg(test)]
    if let Some(memory) = MEMORY.get() {
        return need.all <= memory;
    }
    edge_authz::memory::has_room(need)
}

#[cfg(test)]
thread_local! {
    static MEMORY: std::cell::Cell<Option<usize>> = const { std::cell::Cell::new(None) };
}

/// Sets the amount of memory that this thread's module has left.
#[cfg(test)]
pub(super) fn pretend(bytes: Option<usize>) {
    MEMORY.set(bytes);
}
