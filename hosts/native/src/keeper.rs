//! The keys of one document. One thread of the process manages them.

use edge_authz::crypto::NoHostSignatures;
use edge_authz::engine::{Effect, Env, FetchId, KeyService, NoConnection};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::time::UnixTime;

use super::shared::Shared;

/// The key service, and the time of its last event.
#[derive(Debug)]
pub(crate) struct Keeper {
    /// The key service.
    pub(crate) service: KeyService,
    shared: &'static Shared,
    /// The time that was read last.
    latest: UnixTime,
}

impl Keeper {
    /// Creates a key service without documents, for these shared data.
    pub(crate) fn sharing(
        shared: &'static Shared,
        policy: &Policy,
        seed: u64,
        now: UnixTime,
    ) -> Self {
        Self {
            service: KeyService::new(policy, seed),
            shared,
            latest: now,
        }
    }

    /// Passes an event to the service. Without a clock it does nothing.
    pub(crate) fn handle(
        &mut self,
        now: Option<UnixTime>,
        event: impl FnOnce(&mut KeyService, Env<'_>) -> Vec<Effect>,
    ) -> Vec<Effect> {
        let Some(now) = now else { return Vec::new() };
        self.latest = now;
        event(&mut self.service, env(self.shared, now))
    }

    /// Reports the end of a fetch to the service. It must be called for every fetch, because
    /// the service starts no other fetch of the source before.
    pub(crate) fn ended(
        &mut self,
        now: Option<UnixTime>,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        let no_answer = AnswerHead::default();
        // Without a clock, the answer is not used.
        let head = if now.is_some() { head } else { &no_answer };
        self.latest = now.unwrap_or(self.latest);
        let env = env(self.shared, self.latest);
        self.service.fetched(fetch, head, body, env)
    }
}

/// The environment of the service. The shared data also serve other configurations with
/// the same sources.
fn env(shared: &'static Shared, now: UnixTime) -> Env<'static> {
    Env {
        now,
        shared,
        host_signatures: &NoHostSignatures,
        connection: &NoConnection,
    }
}
