//! Queries about the state of a world.

use super::{Outcome, Token, World};
use crate::engine::StreamId;
use crate::engine::tests::signer::KeyId;
use crate::telemetry::Reason;

impl World {
    /// The answer to a request; `None` while it waits.
    pub(in crate::engine::tests) fn outcome(&self, stream: StreamId) -> Option<Outcome> {
        self.answers.borrow().get(&stream).cloned()
    }

    pub(in crate::engine::tests) fn reason(&self, stream: StreamId) -> Option<Reason> {
        self.outcome(stream).map(|outcome| outcome.reason)
    }

    /// The number of requests that an issuer has received.
    pub(in crate::engine::tests) fn gets_of(&self, issuer: usize) -> usize {
        let gets = self.gets.borrow();
        gets.iter().filter(|get| get.source == issuer).count()
    }

    pub(in crate::engine::tests) fn paths_of(&self, issuer: usize) -> Vec<String> {
        let gets = self.gets.borrow();
        let of = gets.iter().filter(|get| get.source == issuer);
        of.map(|get| get.asked.uri.path().to_owned()).collect()
    }

    /// Whether every worker allows a token of this key at once.
    pub(in crate::engine::tests) fn all_allow(&self, issuer: usize, key: usize) -> bool {
        let workers = self.workers.borrow().clone();
        workers.iter().all(|worker| {
            let stream = self.request(worker, issuer, Token::Good(KeyId(key)));
            self.reason(stream) == Some(Reason::Allowed)
        })
    }
}
