//! The requests to issuers that are under way.

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::host::{self, HostError, Map};
use edge_authz::engine::{FetchCall, FetchId};
use edge_authz::keys::answer::{AnswerHead, Ending};
use edge_authz::telemetry::NotSent;

/// The host's numbers of the requests, and the engine's names of them.
#[derive(Debug, Default)]
pub(super) struct Fetches {
    by_number: RefCell<BTreeMap<u32, FetchId>>,
}

impl Fetches {
    /// Sends a request on behalf of the root context.
    pub(super) fn send(&self, root: u32, call: &FetchCall) -> Result<(), NotSent> {
        let number = host::get(root, &call.cluster, call.headers(), call.timeout)?;
        let mut by_number = self
            .by_number
            .try_borrow_mut()
            .map_err(|_| NotSent::Refused)?;
        by_number.insert(number, call.id);
        Ok(())
    }

    /// The request that this answer is to, if it is one of ours.
    pub(super) fn take(&self, number: u32) -> Option<FetchId> {
        self.by_number.try_borrow_mut().ok()?.remove(&number)
    }
}

/// The head of an answer that never comes, since nobody was asked.
pub(super) fn not_sent(why: NotSent) -> AnswerHead {
    AnswerHead {
        ending: Ending::NotSent(why),
        ..AnswerHead::default()
    }
}

/// The head of the answer that the current callback brings.
///
/// # Errors
///
/// The host failed. An answer without fields never came: nothing of it can be
/// read, and trying would fail.
pub(super) fn answer_head(fields: usize, body_size: usize) -> Result<AnswerHead, HostError> {
    if fields == 0 {
        return Ok(AnswerHead::default());
    }
    let headers = host::headers(Map::AnswerHeaders)?;
    Ok(AnswerHead::read(&headers, body_size))
}
