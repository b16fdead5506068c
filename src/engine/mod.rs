//! What happens over time: events in, effects out.
//!
//! The engine owns the key cache, the tokens that verified and the requests
//! that wait. It is told of requests, ticks and answers, decides with
//! [`crate::authz`], and returns what is to be done as values. It does no I/O
//! and knows neither the proxy nor the clock; what it must ask for while it
//! decides, it asks through [`Surroundings`].
//!
//! A request is let through by an [`Effect::Answer`] and by nothing else: what
//! is lost, late or unforeseen leaves it where it is.

mod fetch;
mod key_cache;
mod ledger;
mod newcomers;
mod random;
mod shared;
mod source;
mod tables;
#[cfg(test)]
mod tests;
mod token_cache;
mod waiting;

use std::rc::Rc;
use std::time::Duration;

use crate::authz::{self, Context, Decision, Forward, Refusal, Verdict, Verified};
use crate::cors::ResponseCors;
use crate::crypto::NativeSignatures;
use crate::http::{LocalReply, RequestHead};
use crate::keys::answer::AnswerHead;
use crate::policy::{Policy, SourceId};
use crate::telemetry::{Event, Metric, Reason};
use crate::time::UnixTime;

pub use fetch::{FetchCall, FetchId};
use key_cache::KeyCache;
use random::Random;
pub use shared::{NotSet, SharedData, Unavailable};
use tables::Tables;
use token_cache::TokenCache;
use waiting::{Waiter, Waiting};

/// The tick that suffices while nothing is going on.
const SLOW_TICK: Duration = Duration::from_millis(500);
/// The tick while requests wait.
const FAST_TICK: Duration = Duration::from_millis(10);

/// Names a request for as long as it lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct StreamId(pub u32);

/// What the engine may ask for while it handles an event.
#[derive(Clone, Copy)]
pub struct Surroundings<'a> {
    /// The time of the event.
    pub now: UnixTime,
    /// What the workers of a proxy share.
    pub shared: &'a dyn SharedData,
    /// The proxy's own signature checks.
    pub native: &'a dyn NativeSignatures,
}

/// Something to be done.
#[derive(Debug)]
pub enum Effect {
    /// A request is decided: for good, once.
    Answer(Box<Answer>),
    /// A request goes to an issuer; how it ends is told to
    /// [`Engine::fetched`], also when it could not be sent.
    Fetch(FetchCall),
    /// Something is counted.
    Measure(Metric),
    /// Something is worth a line in the log.
    Log(Event),
}

/// How a request was decided.
#[derive(Debug)]
pub struct Answer {
    /// The request.
    pub stream: StreamId,
    /// What happens to it.
    pub action: Action,
    /// Why.
    pub reason: Reason,
    /// The route that it reached, as configured.
    pub route: Option<Rc<str>>,
    /// The provider of its token, where one took part.
    pub provider: Option<Rc<str>>,
    /// The issuer of its token, where it was good.
    pub issuer: Option<Rc<str>>,
    /// What CORS does to the answer that the client gets.
    pub cors: Option<ResponseCors>,
}

/// What happens to a decided request.
#[derive(Debug)]
pub enum Action {
    /// It goes on to the upstream, changed so.
    Forward(Forward),
    /// It is answered here.
    Reply(LocalReply),
}

/// One listener's filter: its policy, and all that changes.
#[derive(Debug)]
pub struct Engine {
    policy: Rc<Policy>,
    keys: KeyCache,
    tokens: TokenCache,
    tables: Tables,
    waiting: Waiting,
    /// The time of the last event.
    latest: UnixTime,
}

impl Engine {
    /// An engine without keys. `seed` differs between workers: it names this
    /// one, and spreads its fetches.
    #[must_use]
    pub fn new(policy: Rc<Policy>, seed: u64) -> Self {
        let keys = KeyCache::new(&policy, Random::new(seed));
        let tokens = TokenCache::new(policy.max_tokens);
        Self {
            policy,
            keys,
            tokens,
            tables: Tables::default(),
            waiting: Waiting::default(),
            latest: UnixTime::EPOCH,
        }
    }

    /// The policy in force.
    #[must_use]
    pub const fn policy(&self) -> &Rc<Policy> {
        &self.policy
    }

    /// Takes the keys that other workers, or this one before it was reloaded,
    /// have left. Fetches nothing: that is for the first tick, since whoever
    /// only checks a configuration never ticks.
    pub fn start(&mut self, around: Surroundings<'_>) -> Vec<Effect> {
        self.reach(around.now);
        let mut effects = Vec::new();
        self.keys.look_at_all(around, &mut effects);
        effects
    }

    /// A request has come.
    pub fn request(
        &mut self,
        stream: StreamId,
        head: RequestHead,
        around: Surroundings<'_>,
    ) -> Vec<Effect> {
        self.reach(around.now);
        let mut effects = Vec::with_capacity(3);
        let decision = self.decide(&head, around.now, around);
        self.settle(stream, head, around.now, decision, around, &mut effects);
        effects
    }

    /// A request is over, decided or not.
    pub fn forget(&mut self, stream: StreamId) -> Vec<Effect> {
        match self.waiting.remove(stream) {
            Some(_) => vec![Effect::Measure(Metric::WaitingRequests { change: -1 })],
            None => Vec::new(),
        }
    }

    /// What CORS does to the answer of a request that waits, should the proxy
    /// answer it by itself.
    #[must_use]
    pub fn cors_of_waiting(&self, stream: StreamId) -> Option<&ResponseCors> {
        self.waiting.get(stream)?.answer.cors.as_ref()
    }

    /// Time has passed: [`Engine::next_tick`] of it, or any other.
    pub fn tick(&mut self, around: Surroundings<'_>) -> Vec<Effect> {
        let mut effects = Vec::new();
        self.reach(around.now);
        let wanted = self.waiting.wanted();
        let changed = self.keys.tick(&wanted, around, &mut effects);
        self.after_change(&changed, around, &mut effects);
        self.expire(around.now, &mut effects);
        self.share_memory();
        effects
    }

    /// A fetch has ended. `body` copies the answer's body; it is asked for
    /// only when the head is good.
    pub fn fetched(
        &mut self,
        fetch: FetchId,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        around: Surroundings<'_>,
    ) -> Vec<Effect> {
        self.reach(around.now);
        let mut effects = Vec::new();
        let changed = self.keys.fetched(fetch, head, body, around, &mut effects);
        self.after_change(changed.as_slice(), around, &mut effects);
        effects
    }

    /// How long until the next tick is needed.
    #[must_use]
    pub fn next_tick(&self) -> Duration {
        if self.waiting.is_empty() && !self.keys.is_starting() {
            SLOW_TICK
        } else {
            FAST_TICK
        }
    }

    /// Notices a clock that was set back: what happened before it must not look
    /// as if it came after.
    fn reach(&mut self, now: UnixTime) {
        if now < self.latest {
            self.waiting.set_back(now);
            self.keys.set_back(now);
        }
        self.latest = now;
    }

    fn decide(
        &mut self,
        head: &RequestHead,
        arrived: UnixTime,
        around: Surroundings<'_>,
    ) -> Decision {
        let Surroundings { now, native, .. } = around;
        let keys = self.keys.at(now);
        let context = Context {
            keys: &keys,
            remembered: &self.tokens,
            native,
            arrived,
            now,
        };
        let mut decision = authz::evaluate(&self.policy, head, context);
        if decision.verified.is_some() {
            self.tables.count();
        }
        if let Some(Verified {
            token,
            provider,
            jwt,
        }) = decision.verified.take()
            // Tokens of no further use must not push others out.
            && jwt.expires() > now
        {
            self.tokens.remember(token, provider, jwt);
        }
        if let Some(absent) = &decision.absent {
            self.keys.found_absent(absent, now);
        }
        decision
    }

    /// Turns a decision into effects; one that has to wait is put aside.
    fn settle(
        &mut self,
        stream: StreamId,
        head: RequestHead,
        arrived: UnixTime,
        decision: Decision,
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) {
        let Decision {
            verdict,
            reason,
            cors,
            route,
            provider,
            recalled,
            ..
        } = decision;
        let route = route
            .and_then(|id| self.policy.route(id))
            .map(|route| Rc::clone(&route.name));
        let (action, wanted) = match verdict {
            Verdict::Forward(forward) => (Action::Forward(forward), None),
            Verdict::Reply(reply) => (Action::Reply(reply), None),
            // Until it is judged again it is a refusal.
            Verdict::Wait(wanted) => {
                let refusal = Refusal::from(Reason::InternalError);
                let reply = refusal.reply(&self.policy.responses);
                (Action::Reply(reply), Some(wanted))
            }
        };
        let provider = provider.and_then(|id| self.policy.providers.get(id));
        let issuer = provider.filter(|_| reason == Reason::Allowed);
        let answer = Answer {
            stream,
            action,
            reason,
            route,
            provider: provider.map(|provider| Rc::clone(&provider.name)),
            issuer: issuer.map(|provider| Rc::clone(&provider.expectations.issuer)),
            cors,
        };
        if let Some(wanted) = wanted {
            let timeout = self.keys.timeout(&wanted);
            let deadline = arrived.saturating_add(timeout);
            let waiter = Waiter {
                head,
                arrived,
                deadline,
                wanted,
                answer,
            };
            match self.waiting.insert(stream, waiter) {
                Ok(()) => effects.push(Effect::Measure(Metric::WaitingRequests { change: 1 })),
                Err(waiter) => {
                    self.give_up(*waiter, Reason::TooManyWaiting, around.now, effects);
                }
            }
            return;
        }
        if let Some(hit) = recalled {
            effects.push(Effect::Measure(Metric::token_cache(hit)));
        }
        Self::answer(answer, effects);
    }

    fn answer(answer: Answer, effects: &mut Vec<Effect>) {
        if let (Action::Forward(Forward { dropped: 1.., .. }), Some(provider)) =
            (&answer.action, &answer.provider)
        {
            let provider = Rc::clone(provider);
            effects.push(Effect::Measure(Metric::IdentityDropped { provider }));
        }
        effects.push(Effect::Answer(Box::new(answer)));
    }

    /// Judges the requests again that wait for one of these sources.
    fn after_change(
        &mut self,
        changed: &[SourceId],
        around: Surroundings<'_>,
        effects: &mut Vec<Effect>,
    ) {
        for source in changed {
            let keys = &self.keys;
            self.tokens.retain(|provider, jwt| {
                keys.still_counts(&self.policy, *source, (provider, jwt), around.now)
            });
            for (stream, waiter) in self.waiting.take_those_for(*source) {
                effects.push(Effect::Measure(Metric::WaitingRequests { change: -1 }));
                let Waiter { head, arrived, .. } = waiter;
                let decision = self.decide(&head, arrived, around);
                self.settle(stream, head, arrived, decision, around, effects);
            }
        }
    }

    /// Answers the requests whose time is up.
    fn expire(&mut self, now: UnixTime, effects: &mut Vec<Effect>) {
        for waiter in self.waiting.take_expired(now) {
            effects.push(Effect::Measure(Metric::WaitingRequests { change: -1 }));
            self.give_up(waiter, Reason::KeysUnavailable, now, effects);
        }
    }

    fn give_up(&self, waiter: Waiter, reason: Reason, now: UnixTime, effects: &mut Vec<Effect>) {
        let retry_after = Some(self.keys.retry_after(&waiter.wanted, now));
        let refusal = Refusal {
            retry_after,
            ..reason.into()
        };
        let action = Action::Reply(refusal.reply(&self.policy.responses));
        Self::answer(
            Answer {
                action,
                reason,
                ..waiter.answer
            },
            effects,
        );
    }
}
