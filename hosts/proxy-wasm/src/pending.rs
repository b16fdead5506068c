//! Configurations that wait for memory.
//!
//! They are kept because a host passes a configuration only once, and memory becomes free
//! when replaced listeners are drained. Their total size is bounded. The newest
//! configuration comes first, because an older one may already be replaced.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::configuration::Configuration;
use super::host;
use super::listeners;
use super::memory::Need;
use edge_authz::time::UnixTime;

/// The maximum total size, in bytes: four configurations of the maximum size.
const MAX_BYTES: usize = 32 * 1024 * 1024;

/// How often memory is checked.
const CHECK_PERIOD: Duration = Duration::from_secs(1);

thread_local! {
    /// The configurations by root context id. A newer root context has a larger id.
    static PENDING: RefCell<BTreeMap<u32, Kept>> = const { RefCell::new(BTreeMap::new()) };
}

struct Kept {
    configuration: Configuration,
    need: Need,
    checked_at: UnixTime,
}

/// Keeps a root context's configuration for later, and drops older ones if necessary.
/// Returns false if memory is insufficient even without the older ones.
pub(super) fn keep(root: u32, configuration: Configuration) -> bool {
    if !Configuration::is_kept_easily() {
        return false;
    }
    let need = configuration.need();
    let kept = Kept {
        configuration,
        need,
        checked_at: host::now().unwrap_or(UnixTime::EPOCH),
    };
    with(|pending| {
        pending.insert(root, kept);
        while size(pending) > MAX_BYTES {
            pending.pop_first();
        }
        pending.contains_key(&root)
    })
    .unwrap_or(false)
}

/// The state of a root context's configuration.
pub(super) enum Outcome {
    /// There is enough memory now.
    Now(Configuration),
    /// There is no memory yet.
    Later,
    /// The configuration was dropped, or was never kept.
    Never,
}

/// Checks whether there is enough memory now, if a check is due.
pub(super) fn check(root: u32) -> Outcome {
    let Ok(now) = host::now() else {
        return Outcome::Later;
    };
    let Some((is_due, need)) = with(|pending| due(pending, root, now)).flatten() else {
        return Outcome::Never;
    };
    if !is_due || !listeners::make_room(need) {
        return Outcome::Later;
    }
    match with(|pending| pending.remove(&root)).flatten() {
        Some(Kept { configuration, .. }) => Outcome::Now(configuration),
        None => Outcome::Never,
    }
}

/// Drops a root context's configuration.
pub(super) fn forget(root: u32) {
    with(|pending| pending.remove(&root));
}

/// Whether a check is due, and for how much memory. It then counts as done.
fn due(pending: &mut BTreeMap<u32, Kept>, root: u32, now: UnixTime) -> Option<(bool, Need)> {
    let need = need_of(pending, root)?;
    let checked_at = &mut pending.get_mut(&root)?.checked_at;
    let recent = *checked_at <= now && now.saturating_since(*checked_at) < CHECK_PERIOD;
    if !recent {
        *checked_at = now;
    }
    Some((!recent, need))
}

/// The memory that a configuration needs, plus the memory that is reserved for newer
/// ones.
fn need_of(pending: &BTreeMap<u32, Kept>, root: u32) -> Option<Need> {
    let own = pending.get(&root)?.need;
    let newer = pending.range(root.saturating_add(1)..);
    Some(newer.fold(own, |sum, (_, kept)| Need {
        block: sum.block.max(kept.need.block),
        all: sum.all.saturating_add(kept.need.all),
    }))
}

fn size(pending: &BTreeMap<u32, Kept>) -> usize {
    pending
        .values()
        .map(|kept| kept.configuration.size())
        .fold(0, usize::saturating_add)
}

fn with<T>(act: impl FnOnce(&mut BTreeMap<u32, Kept>) -> T) -> Option<T> {
    let act =
        |pending: &RefCell<BTreeMap<u32, Kept>>| Some(act(&mut *pending.try_borrow_mut().ok()?));
    // This is `None` while the thread ends.
    PENDING.try_with(act).ok()?
}
