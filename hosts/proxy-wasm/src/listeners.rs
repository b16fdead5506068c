//! The listeners of this worker, including replaced ones.
//!
//! A host does not tell a listener that a newer configuration has replaced it. It creates
//! another root context, and deletes the former one when its last connections have ended,
//! up to ten minutes later. So a new listener is treated as the replacement of the others
//! of the same plugin. This assumption can be wrong, because two listeners may have a
//! filter of the same name. Then the other listener has to check a few signatures again.

use std::cell::RefCell;
use std::rc::{Rc, Weak};

use super::host;
use super::memory::{self, Need};
use super::port::Listener;

/// A listener that existed at the last check.
struct Entry {
    /// Identifies the plugin, as in the proxy's configuration.
    plugin: Rc<[u8]>,
    listener: Weak<Listener>,
}

thread_local! {
    static LISTENERS: RefCell<Vec<Entry>> = const { RefCell::new(Vec::new()) };
}

/// Registers a new listener. Others of the same plugin release memory that is not
/// essential.
pub(super) fn begin(listener: &Rc<Listener>) {
    let plugin: Rc<[u8]> = host::plugin().into();
    let _ = LISTENERS.try_with(|listeners| {
        let Ok(mut listeners) = listeners.try_borrow_mut() else {
            return;
        };
        listeners.retain(|entry| entry.listener.strong_count() > 0);
        for entry in &*listeners {
            if entry.plugin == plugin
                && let Some(listener) = entry.listener.upgrade()
            {
                listener.release_memory();
            }
        }
        listeners.push(Entry {
            plugin,
            listener: Rc::downgrade(listener),
        });
    });
}

/// Whether there is room. If necessary, all listeners release memory that is not
/// essential.
pub(super) fn make_room(need: Need) -> bool {
    if memory::is_available(need) {
        return true;
    }
    let all = alive();
    let remembered = all.iter().map(|listener| listener.cached_token_bytes());
    let releasable = remembered.fold(0, usize::saturating_add);
    let less = Need {
        block: need.block,
        all: need.all.saturating_sub(releasable),
    };
    if releasable == 0 || !memory::is_available(less) {
        return false;
    }
    for listener in &all {
        listener.release_memory();
    }
    memory::is_available(need)
}

fn alive() -> Vec<Rc<Listener>> {
    let all = |listeners: &RefCell<Vec<Entry>>| {
        let listeners = listeners.try_borrow().ok()?;
        let listeners = listeners.iter();
        let alive = listeners.filter_map(|entry| entry.listener.upgrade());
        Some(alive.collect())
    };
    LISTENERS.try_with(all).ok().flatten().unwrap_or_default()
}
