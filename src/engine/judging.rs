//! The judging of requests, at their arrival and again when documents have changed.

use std::sync::Arc;
use std::time::Duration;

use super::judge::Judge;
use super::snapshot::KeysAt;
use super::token_cache::TokenCache;
use super::waiting::{Certificate, QueueNumber, Waiter};
use super::{Action, Answer, Effect, Env, StreamId, Turn};
use crate::authz::{
    self, CertificateUnknown, Connection, Context, Decision, Facts, Forward, Learned,
    NeededDocument, Refusal, Remembered, Steps, Verdict, Verifications, Verified,
};
use crate::http::RequestHead;
use crate::jwk::AskedKid;
use crate::jwt::KnownHeaders;
use crate::telemetry::{Measurement, Metric, Reason};
use crate::time::UnixTime;

/// The work that one tick may do for waiting requests.
///
/// It is bounded because a host nests the answers of one callback, and all other requests
/// are blocked during the callback.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// The number of requests that are answered.
    pub(super) answers: usize,
    /// The number of requests that are judged. Each may need a signature check.
    pub(super) judgements: usize,
    /// The number of needed keys that are checked. One request can need the keys of a
    /// thousand sources.
    pub(super) steps: usize,
}

impl Allowance {
    /// The full allowance of one tick. It takes one or two milliseconds with fast signature
    /// algorithms, and less than 30 with the slowest.
    pub(super) const WHOLE: Self = Self {
        answers: 32,
        judgements: 16,
        steps: 8192,
    };
    /// The steps that a judgement costs for each key that the request needed.
    pub(super) const STEPS_PER_JUDGEMENT: usize = 4;
}

/// A request that is being judged.
pub(super) struct PendingRequest {
    pub(super) stream: StreamId,
    pub(super) head: RequestHead,
    pub(super) arrived: UnixTime,
    /// Its queue number, if it has waited before.
    pub(super) number: Option<QueueNumber>,
    /// The client certificate of its connection, if it has waited and needs it.
    pub(super) certificate: Option<Certificate>,
}

impl Connection for PendingRequest {
    fn client_certificate(&self) -> Certificate {
        self.certificate.unwrap_or(Err(CertificateUnknown))
    }
}

/// The cached data about earlier tokens.
struct Known<'j> {
    tokens: &'j TokenCache,
    headers: &'j KnownHeaders,
}

impl Remembered for Known<'_> {
    fn recall(&self, token: &[u8]) -> Option<Arc<Verifications>> {
        self.tokens.recall(token)
    }

    fn headers(&self) -> Option<&KnownHeaders> {
        Some(self.headers)
    }
}

impl Judge {
    /// Judges the requests whose keys have changed, in order of arrival, and refuses
    /// those whose deadline has passed. It stops when the allowance is used up.
    pub(super) fn serve_waiting(&mut self, turn: &mut Turn<'_>) {
        let mut allowance = self.allowance;
        while allowance.answers > 0 && allowance.judgements > 0 {
            let Some(number) = self.waiting.next_due(&mut allowance.steps) else {
                break;
            };
            self.judge_again(number, &mut allowance, turn);
        }
        while allowance.answers > 0
            && let Some((number, is_due)) = self.waiting.next_expired(turn.env.now)
        {
            // A request is not refused while a key that it waits for may have arrived.
            if !is_due {
                allowance.answers = allowance.answers.saturating_sub(1);
                if let Some(waiter) = self.waiting.take(number) {
                    turn.measure(Measurement::waiting(-1));
                    let reason = NeededDocument::unavailable(&waiter.needed, &self.policy);
                    self.refuse(waiter, reason, turn);
                }
            } else if allowance.judgements > 0 {
                self.judge_again(number, &mut allowance, turn);
            } else {
                break;
            }
        }
    }

    fn judge_again(&mut self, number: QueueNumber, allowance: &mut Allowance, turn: &mut Turn<'_>) {
        allowance.judgements = allowance.judgements.saturating_sub(1);
        let Some(waiter) = self.waiting.take(number) else {
            return;
        };
        let steps = waiter.size().saturating_mul(Allowance::STEPS_PER_JUDGEMENT);
        allowance.steps = allowance.steps.saturating_sub(steps);
        let Waiter {
            stream,
            head,
            arrived,
            certificate,
            ..
        } = waiter;
        let request = PendingRequest {
            stream,
            head,
            arrived,
            number: Some(number),
            certificate,
        };
        if self.judge(request, turn) {
            allowance.answers = allowance.answers.saturating_sub(1);
        }
    }

    /// Judges a request. Returns true if it is answered, and false if it waits.
    pub(super) fn judge(&mut self, mut request: PendingRequest, turn: &mut Turn<'_>) -> bool {
        let Decision {
            verdict,
            facts,
            learned,
        } = self.decide(&request, turn);
        let (reason, action) = match verdict {
            Verdict::Forward(forward) => (forward.reason(), Action::Forward(forward)),
            Verdict::Reply(reason, reply) => (reason, Action::Reply(reply)),
            Verdict::Wait(needed) => {
                // The host reports it only now, in the callback of the request.
                if learned.needs_certificate && request.number.is_none() {
                    request.certificate = Some(turn.env.connection.client_certificate());
                }
                return self.wait(request, needed, facts, turn);
            }
        };
        if request.number.is_some() {
            turn.measure(Measurement::waiting(-1));
        }
        if let Some(hit) = learned.recalled {
            turn.measure(Measurement::token_cache(hit));
        }
        if let (Action::Forward(Forward { dropped: 1.., .. }), Some(provider)) =
            (&action, &facts.provider)
        {
            let provider = Arc::clone(provider);
            turn.measure(Measurement::count(Metric::IdentityDropped { provider }));
        }
        turn.effects.push(Effect::Answer(Box::new(Answer {
            stream: request.stream,
            action,
            reason,
            facts,
        })));
        true
    }

    fn decide(&mut self, request: &PendingRequest, turn: &mut Turn<'_>) -> Decision {
        let Env {
            now,
            shared,
            host_signatures,
            connection,
        } = turn.env;
        let has_waited = request.number.is_some();
        let keys = KeysAt {
            snapshot: &self.snapshot,
            absent: &self.absent,
            now,
        };
        let proofs = self.proofs.counting(shared);
        let context = Context {
            keys: &keys,
            remembered: &Known {
                tokens: &self.tokens,
                headers: &self.headers,
            },
            host_signatures,
            connection: if has_waited { request } else { connection },
            proofs: &proofs,
            arrived: request.arrived,
            now,
        };
        let mut steps = Steps::new(self.describes_steps);
        let mut decision = authz::evaluate_traced(&self.policy, &request.head, context, &mut steps);
        decision.facts.steps = steps.into_text();
        for _ in 0..proofs.forgotten.get() {
            let measurement = Measurement::count(Metric::ProofsForgotten);
            turn.measure(measurement);
        }
        self.learn(&mut decision.learned, now);
        decision
    }

    /// Records what later decisions can reuse.
    fn learn(&mut self, learned: &mut Learned, now: UnixTime) {
        if learned.verified.is_some() {
            self.checks = self.checks.saturating_add(1);
        }
        if let Some(verified) = learned.verified.take()
            // A token that has expired must not evict one that is still valid.
            && verified.jwt.expires() > now
        {
            let Verified {
                token,
                provider,
                jwt,
            } = *verified;
            self.headers.remember(jwt.header());
            self.tokens.remember(token, provider, jwt);
        }
        if let Some(absent) = &learned.absent {
            let kid = AskedKid::new(&absent.kid);
            for source in &absent.sources {
                // The `kid` is absent as of the fetch of these keys, even if the request
                // was judged later. The issuer may have published the key since.
                let shown_at = self.snapshot.fetched_at(*source);
                if let Some(absent) = self.absent.get_mut(source.index()) {
                    absent.insert(*kid.digest(), shown_at.unwrap_or(now));
                }
            }
        }
        if let Some(sought) = &learned.sought {
            for source in &sought.sources {
                self.sought.insert(*source, sought.kid, now);
            }
        }
        for source in &learned.doubted {
            self.doubt(*source, now);
        }
    }

    /// Queues a request, or refuses it if too many requests wait. Returns true if it is
    /// refused.
    fn wait(
        &mut self,
        request: PendingRequest,
        needed: Vec<NeededDocument>,
        facts: Facts,
        turn: &mut Turn<'_>,
    ) -> bool {
        let PendingRequest {
            stream,
            head,
            arrived,
            number,
            certificate,
        } = request;
        let waiter = Waiter {
            stream,
            head,
            arrived,
            deadline: arrived.saturating_add(self.timeout(&needed)),
            needed: needed.into(),
            certificate,
            // The limit on the memory of waiting requests does not count their steps.
            facts: Facts {
                steps: None,
                ..facts
            },
        };
        let (queued, has_waited) = match number {
            Some(number) => (self.waiting.put_back(number, waiter), true),
            None => (self.waiting.insert(waiter), false),
        };
        let change = i64::from(queued.is_ok()).saturating_sub(i64::from(has_waited));
        if change != 0 {
            turn.measure(Measurement::waiting(change));
        }
        match queued {
            Ok(()) => false,
            Err(waiter) => {
                self.refuse(*waiter, Reason::TooManyWaiting, turn);
                true
            }
        }
    }

    /// The longest timeout of these sources.
    fn timeout(&self, needed: &[NeededDocument]) -> Duration {
        let sources = needed
            .iter()
            .filter_map(|needed| self.policy.sources.get(needed.source.index()));
        sources
            .map(|source| source.timeout)
            .max()
            .unwrap_or_default()
    }

    /// Refuses a request because a document is unavailable or too many requests wait.
    fn refuse(&self, waiter: Waiter, reason: Reason, turn: &mut Turn<'_>) {
        let retry_after = Some(self.snapshot.retry_after(&waiter.needed, turn.env.now));
        let refusal = Refusal {
            retry_after,
            ..reason.into()
        };
        turn.effects.push(Effect::Answer(Box::new(Answer {
            stream: waiter.stream,
            action: Action::Reply(refusal.reply(&self.policy.responses)),
            reason,
            facts: waiter.facts,
        })));
    }
}
