//! The requests to issuers that are in progress.

use std::cell::RefCell;

use super::Host;
use crate::engine::{FetchCall, FetchId};
use crate::keys::answer::{AnswerHead, Ending};
use crate::telemetry::NotSent;

/// Maps the host's ids of the requests to the engine's. There are no more entries than
/// key sources, since each source has one fetch in progress at most.
#[derive(Debug)]
pub(super) struct Fetches<H: Host> {
    under_way: RefCell<Vec<(H::CallId, FetchId)>>,
}

impl<H: Host> Fetches<H> {
    pub(super) const fn new() -> Self {
        Self {
            under_way: RefCell::new(Vec::new()),
        }
    }

    pub(super) fn send(&self, host: &H, call: &FetchCall) -> Result<(), NotSent> {
        let number = host.send(call)?;
        let mut under_way = self
            .under_way
            .try_borrow_mut()
            .map_err(|_| NotSent::Refused)?;
        under_way.push((number, call.id));
        Ok(())
    }

    /// The request that this answer belongs to, if it is one of ours.
    pub(super) fn take(&self, number: H::CallId) -> Option<FetchId> {
        let mut under_way = self.under_way.try_borrow_mut().ok()?;
        let place = under_way.iter().position(|(known, _)| *known == number)?;
        let (_, id) = under_way.swap_remove(place);
        Some(id)
    }
}

/// The head of a missing answer, for a request that was not sent.
pub(super) fn not_sent(why: NotSent) -> AnswerHead {
    AnswerHead {
        ending: Ending::NotSent(why),
        ..AnswerHead::default()
    }
}
