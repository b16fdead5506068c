//! The requests that are decided later.

use std::collections::VecDeque;
use std::rc::Rc;

use super::Stream;
use crate::engine::StreamId;

/// The waiting requests by id. Hosts assign ids in ascending order, so this is the order
/// of arrival. The engine bounds their number.
#[derive(Debug, Default)]
pub(super) struct Waiting(VecDeque<Rc<Stream>>);

impl Waiting {
    fn place(&self, id: StreamId) -> Result<usize, usize> {
        self.0.binary_search_by_key(&id, |stream| stream.id())
    }

    pub(super) fn insert(&mut self, stream: Rc<Stream>) {
        match self.place(stream.id()) {
            Ok(place) => {
                if let Some(former) = self.0.get_mut(place) {
                    *former = stream;
                }
            }
            Err(place) => self.0.insert(place, stream),
        }
    }

    pub(super) fn get(&self, id: StreamId) -> Option<&Stream> {
        self.0.get(self.place(id).ok()?).map(|stream| &**stream)
    }

    pub(super) fn remove(&mut self, id: StreamId) -> Option<Rc<Stream>> {
        self.0.remove(self.place(id).ok()?)
    }

    /// The request that arrived first.
    pub(super) fn first(&self) -> Option<StreamId> {
        self.0.front().map(|stream| stream.id())
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}
