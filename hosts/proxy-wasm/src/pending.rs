//! Configurations that wait until there is memory for them.
//!
//! They are kept, since a host passes a configuration only once, and memory becomes free
//! when superseded listeners are drained. The amount that is kept is bounded, and the
//! newest comes first: an older one may be superseded itself.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::time::Duration;

use super::configuration::Configuration;
use super::host;
use super::listeners;
use super::memory::Need;
use edge_authz::time::UnixTime;

/// The maximum that is kept, in bytes: four of the largest configurations.
const MOST: usize = 32 * 1024 * 1024;

/// How often memory is checked.
const LOOK_EVERY: Duration = Duration::from_secs(1);

thread_local! {
    /// By root context id. A newer root context has a larger id.
    static PENDING: RefCell<BTreeMap<u32, Kept>> = const { RefCell::new(BTreeMap::new()) };
}

struct Kept {
    configuration: Configuration,
    need: Need,
    looked_at: UnixTime,
}

/// Keeps a root context's configuration for later, and drops older ones if necessary.
/// False if there is no memory at all.
pub(super) fn keep(root: u32, configuration: Configuration) -> bool {
    if !Configuration::is_kept_easily() {
        return false;
    }
    let need = configuration.need();
    let kept = Kept {
        configuration,
        need,
        looked_at: host::now().unwrap_or(UnixTime::EPOCH),
    };
    with(|pending| {
        pending.insert(root, kept);
        while size(pending) > MOST {
            pending.pop_first();
        }
        pending.contains_key(&root)
    })
    .unwrap_or(false)
}

/// The state of a configuration that is kept.
pub(super) enum Outcome {
    /// There is memory for it now.
    Now(Configuration),
    /// There is no memory yet.
    Later,
    /// It was dropped, or never kept.
    Never,
}

/// Checks whether there is memory by now, if a check is due.
pub(super) fn look(root: u32) -> Outcome {
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

/// Forgets a root context's configuration.
pub(super) fn forget(root: u32) {
    with(|pending| pending.remove(&root));
}

/// Whether a check is due, and for how much memory. The check then counts as done.
fn due(pending: &mut BTreeMap<u32, Kept>, root: u32, now: UnixTime) -> Option<(bool, Need)> {
    let need = need_of(pending, root)?;
    let looked_at = &mut pending.get_mut(&root)?.looked_at;
    let recent = *looked_at <= now && now.saturating_since(*looked_at) < LOOK_EVERY;
    if !recent {
        *looked_at = now;
    }
    Some((!recent, need))
}

/// The memory that a configuration needs, plus what newer ones need, which it must not
/// use.
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
    // `None` when the thread ends.
    PENDING.try_with(act).ok()?
}
