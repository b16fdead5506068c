//! Whether the module has the memory for what is about to be taken.

pub(super) use edge_authz::memory::Need;

/// Whether so much memory can be taken now.
pub(super) fn is_there(need: Need) -> bool {
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

/// From now on this thread's module has so much memory left.
#[cfg(test)]
pub(super) fn pretend(bytes: Option<usize>) {
    MEMORY.set(bytes);
}
