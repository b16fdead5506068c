//! The contexts: each root context is a configuration of a listener, and each other one a
//! request.

use std::cell::RefCell;
use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasherDefault, Hasher};
use std::rc::Rc;

use super::port::Wasm;
use super::request::Request;
use super::root::Root;
use edge_authz::host::Fallback;

thread_local! {
    static CONTEXTS: Contexts = const {
        Contexts {
            roots: RefCell::new(BTreeMap::new()),
            requests: RefCell::new(HashMap::with_hasher(BuildHasherDefault::new())),
        }
    };
}

struct Contexts {
    roots: RefCell<BTreeMap<u32, Rc<RefCell<Root>>>>,
    requests: RefCell<HashMap<u32, Request, BuildHasherDefault<Spread>>>,
}

/// Creates a root context if `root` is 0, and otherwise the context of a request. A request
/// of an unknown root context will be refused.
pub(super) fn create(id: u32, root: u32) {
    if root == 0 {
        let new = Rc::new(RefCell::new(Root::new(id)));
        // A former one is dropped when no map is borrowed.
        let _former = with(|contexts| contexts.roots.try_borrow_mut().ok()?.insert(id, new));
        return;
    }
    let request = root_of(root).and_then(|root| Some(root.try_borrow().ok()?.request(id)));
    let request = request.unwrap_or_else(|| {
        let host = Rc::new(Wasm::new(root));
        Request::Refused(Rc::new(Fallback::new(host)))
    });
    let _former = with(|contexts| contexts.requests.try_borrow_mut().ok()?.insert(id, request));
}

/// Calls a root context. `None` if it is unknown, or is being called.
pub(super) fn with_root<T>(id: u32, act: impl FnOnce(&mut Root) -> T) -> Option<T> {
    let root = root_of(id)?;
    let mut root = root.try_borrow_mut().ok()?;
    Some(act(&mut root))
}

fn root_of(id: u32) -> Option<Rc<RefCell<Root>>> {
    with(|contexts| contexts.roots.try_borrow().ok()?.get(&id).cloned())
}

/// The request of a context. `None` if it is unknown.
pub(super) fn request(id: u32) -> Option<Request> {
    with(|contexts| contexts.requests.try_borrow().ok()?.get(&id).cloned())
}

/// Ends a context.
pub(super) fn delete(id: u32) {
    match with(|contexts| contexts.requests.try_borrow_mut().ok()?.remove(&id)) {
        Some(request) => request.end(),
        None => {
            let _ended = with(|contexts| contexts.roots.try_borrow_mut().ok()?.remove(&id));
        }
    }
}

/// No call of the host, and no code of a context, runs inside.
fn with<T>(act: impl FnOnce(&Contexts) -> Option<T>) -> Option<T> {
    // This fails while the thread ends.
    CONTEXTS.try_with(act).ok()?
}

/// Spreads ids, which the host counts up, over the bits of a hash. No client chooses them.
#[derive(Default)]
struct Spread(u64);

impl Hasher for Spread {
    fn write_u32(&mut self, id: u32) {
        // 2^64 divided by the golden ratio.
        self.0 = u64::from(id).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = self.0.rotate_left(8) ^ u64::from(*byte);
        }
    }

    fn finish(&self) -> u64 {
        self.0
    }
}
