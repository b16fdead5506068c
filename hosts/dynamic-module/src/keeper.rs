//! The keys of one configuration, kept on Envoy's main thread.

use edge_authz::crypto::NoHostSignatures;
use edge_authz::engine::{Effect, Env, FetchCall, FetchId, KeyService};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::telemetry::NotSent;
use edge_authz::time::UnixTime;

use super::abi::{Config, Refused};
use super::shared::SHARED;

/// The key service, and its requests that are under way.
#[derive(Debug)]
pub(crate) struct Keeper {
    pub(crate) service: KeyService,
    /// Envoy's numbers of the requests, and the service's names. No more than there
    /// are key sources, of which each has one fetch under way.
    under_way: Vec<(u64, FetchId)>,
    /// The time that was last read.
    latest: UnixTime,
}

impl Keeper {
    pub(crate) fn new(policy: &Policy, seed: u64, now: UnixTime) -> Self {
        Self {
            service: KeyService::new(policy, seed),
            under_way: Vec::new(),
            latest: now,
        }
    }

    /// Tells the service of an event that needs the time; without a clock nothing
    /// happens.
    pub(crate) fn ask(
        &mut self,
        now: Option<UnixTime>,
        event: impl FnOnce(&mut KeyService, Env<'_>) -> Vec<Effect>,
    ) -> Vec<Effect> {
        let Some(now) = now else { return Vec::new() };
        self.latest = now;
        event(&mut self.service, env(now))
    }

    /// A fetch was sent by this number.
    pub(crate) fn sent(&mut self, number: u64, fetch: FetchId) {
        self.under_way.push((number, fetch));
    }

    /// The fetch that this answer is to, if it is one of ours.
    pub(crate) fn take(&mut self, number: u64) -> Option<FetchId> {
        let place = self
            .under_way
            .iter()
            .position(|(known, _)| *known == number)?;
        let (_, fetch) = self.under_way.swap_remove(place);
        Some(fetch)
    }

    /// Tells the service how a fetch has ended. It must be told in any case: it begins
    /// no other before.
    pub(crate) fn ended(
        &mut self,
        now: Option<UnixTime>,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) -> Vec<Effect> {
        let no_answer = AnswerHead::default();
        // Nothing is decided by a clock that stands still.
        let head = if now.is_some() { head } else { &no_answer };
        self.latest = now.unwrap_or(self.latest);
        self.service.fetched(fetch, head, body, env(self.latest))
    }
}

/// Services of other configurations may have the same sources.
fn env(now: UnixTime) -> Env<'static> {
    Env {
        now,
        shared: &SHARED,
        host_signatures: &NoHostSignatures,
    }
}

/// Sends a fetch, and returns Envoy's number of it.
pub(crate) fn send(config: Config<'_>, call: &FetchCall) -> Result<u64, NotSent> {
    let millis = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
    let sent = config.callout(&call.cluster, &call.headers(), millis.max(1));
    sent.map_err(|refused| match refused {
        Refused(2) => NotSent::UnknownCluster,
        Refused(4) => NotSent::NoHost,
        Refused(_) => NotSent::Refused,
    })
}
