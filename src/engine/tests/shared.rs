//! The data that the workers share, with the semantics of Envoy.

use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::rc::Rc;

use crate::engine::{NotSet, SharedData, Unavailable};

/// An action between two calls of one worker, by workers that are equally fast.
type Between = Rc<dyn Fn()>;

/// Changes are numbered from one, over all keys. A number is compared only if there is a
/// value; zero and `None` overwrite.
#[derive(Default)]
pub(super) struct FakeShared {
    entries: RefCell<BTreeMap<String, (Vec<u8>, u32)>>,
    changes: Cell<u32>,
    /// Whether the host fails to read.
    pub(super) unreadable: Cell<bool>,
    /// Whether the host fails to write.
    pub(super) unwritable: Cell<bool>,
    /// Whether the host also compares the number if there is no value.
    pub(super) strict: Cell<bool>,
    pub(super) gets: Cell<usize>,
    between: RefCell<Option<Between>>,
}

impl FakeShared {
    pub(super) fn interleave(&self, between: Between) {
        *self.between.borrow_mut() = Some(between);
    }

    /// Lets the other workers act once. Their actions are not interleaved again.
    fn let_others(&self) {
        let between = self.between.borrow_mut().take();
        if let Some(between) = between {
            between();
            *self.between.borrow_mut() = Some(between);
        }
    }

    pub(super) fn stop_interleaving(&self) {
        *self.between.borrow_mut() = None;
    }

    /// The keys whose names have this ending.
    pub(super) fn names(&self, end: &str) -> Vec<String> {
        let entries = self.entries.borrow();
        let names = entries.keys().filter(|name| name.ends_with(end));
        names.cloned().collect()
    }

    /// Writes as another plugin could.
    pub(super) fn sabotage(&self, name: &str, value: &[u8]) {
        let change = self.changes.get() + 1;
        self.changes.set(change);
        let mut entries = self.entries.borrow_mut();
        entries.insert(name.to_owned(), (value.to_vec(), change));
    }

    pub(super) fn peek(&self, name: &str) -> Option<Vec<u8>> {
        let entries = self.entries.borrow();
        entries.get(name).map(|(value, _)| value.clone())
    }
}

/// Access from outside, during which no other worker acts.
pub(super) struct Quiet<'a>(pub(super) &'a FakeShared);

impl SharedData for Quiet<'_> {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Ok(self.0.entries.borrow().get(key).cloned())
    }

    fn set(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), NotSet> {
        Err(NotSet::Unavailable)
    }
}

impl SharedData for FakeShared {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        self.let_others();
        self.gets.set(self.gets.get() + 1);
        if self.unreadable.get() {
            return Err(Unavailable);
        }
        Ok(self.entries.borrow().get(key).cloned())
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        self.let_others();
        if self.unwritable.get() {
            return Err(NotSet::Unavailable);
        }
        let mut entries = self.entries.borrow_mut();
        let known = entries.get(key).map(|(_, change)| *change);
        let expected = last_change.filter(|change| *change != 0);
        match (expected, known) {
            (Some(expected), Some(known)) if expected != known => return Err(NotSet::Changed),
            (Some(_), None) if self.strict.get() => return Err(NotSet::Changed),
            (Some(_) | None, Some(_) | None) => {}
        }
        let change = self.changes.get() + 1;
        self.changes.set(change);
        entries.insert(key.to_owned(), (value.to_vec(), change));
        Ok(())
    }
}
