//! The keys of one document. They are managed on Envoy's main thread.

use edge_authz::crypto::NoHostSignatures;
use edge_authz::engine::{Effect, Env, FetchCall, FetchId, KeyService, NoConnection};
use edge_authz::host::Fetches;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::telemetry::NotSent;
use edge_authz::time::UnixTime;

use super::abi::{Config, Refused};
use super::shared::SHARED;

/// The key service, and its requests that are in progress.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) service: KeyService,
    /// The fetches in progress, by Envoy's id.
    pub(crate) fetches: Fetches<u64>,
    /// The time that was read last.
    latest: UnixTime,
}

impl Keeper {
    pub(crate) fn new(policy: &Policy, seed: u64, now: UnixTime) -> Self {
        Self {
            service: KeyService::new(policy, seed),
            fetches: Fetches::new(),
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
        event(&mut self.service, env(now))
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
        self.service.fetched(fetch, head, body, env(self.latest))
    }
}

/// The environment of the service. The shared data also serve other configurations with
/// the same sources.
fn env(now: UnixTime) -> Env<'static> {
    Env {
        now,
        shared: &SHARED,
        host_signatures: &NoHostSignatures,
        connection: &NoConnection,
    }
}

/// Sends a fetch, and returns Envoy's id for it.
pub(crate) fn send(config: Config<'_>, call: &FetchCall) -> Result<u64, NotSent> {
    let millis = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
    let sent = config.callout(&call.cluster, &call.headers(), millis.max(1));
    sent.map_err(|refused| match refused {
        Refused(2) => NotSent::UnknownCluster,
        Refused(4) => NotSent::NoHost,
        Refused(_) => NotSent::Refused,
    })
}
