//! Requests that are judged: when they come, and again when keys have changed.

use std::sync::Arc;
use std::time::Duration;

use super::judge::Judge;
use super::snapshot::KeysAt;
use super::waiting::{QueueNumber, Waiter};
use super::{Action, Answer, Effect, Env, StreamId, Turn};
use crate::authz::{
    self, Context, Decision, Facts, Forward, Refusal, Steps, Verdict, Verified, Wanted,
};
use crate::http::RequestHead;
use crate::jwk::AskedKid;
use crate::telemetry::{Measurement, Metric, Reason};
use crate::time::UnixTime;

/// How much one tick does for requests that wait.
///
/// A host nests the answers that it is given in one callback, and other requests
/// stand still for as long as it lasts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Allowance {
    /// Requests that are answered.
    pub(super) answers: usize,
    /// Requests that are judged: each may cost a signature check.
    pub(super) judgements: usize,
    /// Wanted keys that are looked at: a request may want those of a thousand
    /// sources.
    pub(super) steps: usize,
}

impl Allowance {
    /// A millisecond or two with cheap signatures, and less than 30 with the most
    /// expensive.
    pub(super) const WHOLE: Self = Self {
        answers: 32,
        judgements: 16,
        steps: 8192,
    };
    /// What a judgement costs for each key that was wanted, in steps.
    pub(super) const STEPS_PER_JUDGEMENT: usize = 4;
}

/// A request that is judged.
pub(super) struct Asking {
    pub(super) stream: StreamId,
    pub(super) head: RequestHead,
    pub(super) arrived: UnixTime,
    /// Its number among those that wait, where it has waited.
    pub(super) number: Option<QueueNumber>,
}

impl Judge {
    /// Judges requests that wait for keys that have changed, in order of arrival,
    /// and answers those whose time is up: as many as one allowance permits.
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
            // A request is not refused while a key that it waits for may be there.
            if !is_due {
                allowance.answers = allowance.answers.saturating_sub(1);
                if let Some(waiter) = self.waiting.take(number) {
                    turn.effects.push(Effect::Measure(Measurement::waiting(-1)));
                    self.send_away(waiter, Reason::KeysUnavailable, turn);
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
            ..
        } = waiter;
        let asking = Asking {
            stream,
            head,
            arrived,
            number: Some(number),
        };
        if self.judge(asking, turn) {
            allowance.answers = allowance.answers.saturating_sub(1);
        }
    }

    /// Judges a request: it is answered, which is what is returned, or waits.
    pub(super) fn judge(&mut self, asking: Asking, turn: &mut Turn<'_>) -> bool {
        let Decision {
            verdict,
            facts,
            learned,
        } = self.decide(&asking, turn.env);
        let (reason, action) = match verdict {
            Verdict::Forward(forward) => (forward.reason(), Action::Forward(forward)),
            Verdict::Reply(reason, reply) => (reason, Action::Reply(reply)),
            Verdict::Wait(wanted) => return self.wait(asking, wanted, facts, turn),
        };
        if asking.number.is_some() {
            turn.effects.push(Effect::Measure(Measurement::waiting(-1)));
        }
        if let Some(hit) = learned.recalled {
            turn.effects
                .push(Effect::Measure(Measurement::token_cache(hit)));
        }
        if let (Action::Forward(Forward { dropped: 1.., .. }), Some(provider)) =
            (&action, &facts.provider)
        {
            let provider = Arc::clone(provider);
            turn.effects.push(Effect::Measure(Measurement::count(
                Metric::IdentityDropped { provider },
            )));
        }
        turn.effects.push(Effect::Answer(Box::new(Answer {
            stream: asking.stream,
            action,
            reason,
            facts,
        })));
        true
    }

    fn decide(&mut self, asking: &Asking, env: Env<'_>) -> Decision {
        let Env {
            now,
            host_signatures,
            ..
        } = env;
        let keys = KeysAt {
            snapshot: &self.snapshot,
            absent: &self.absent,
            now,
        };
        let context = Context {
            keys: &keys,
            remembered: &self.tokens,
            host_signatures,
            arrived: asking.arrived,
            now,
        };
        let mut steps = Steps::new(self.describes_steps);
        let mut decision = authz::evaluate_traced(&self.policy, &asking.head, context, &mut steps);
        decision.facts.steps = steps.into_text();
        let learned = &mut decision.learned;
        if learned.verified.is_some() {
            self.checks = self.checks.saturating_add(1);
        }
        if let Some(Verified {
            token,
            provider,
            jwt,
        }) = learned.verified.take()
            // Tokens of no further use must not push others out.
            && jwt.expires() > now
        {
            self.tokens.remember(token, provider, jwt);
        }
        if let Some(absent) = &learned.absent {
            let kid = AskedKid::new(&absent.kid);
            for source in &absent.sources {
                // It is the keys that show it, however long the request had to wait
                // for its turn: the issuer may have published the key since.
                let shown_at = self.snapshot.fetched_at(*source);
                if let Some(absent) = self.absent.get_mut(source.index()) {
                    absent.insert(&kid, shown_at.unwrap_or(now));
                }
            }
        }
        for source in &decision.learned.doubted {
            self.doubt(*source, now);
        }
        decision
    }

    /// Puts a request aside, or refuses it where too many wait.
    fn wait(
        &mut self,
        asking: Asking,
        wanted: Vec<Wanted>,
        facts: Facts,
        turn: &mut Turn<'_>,
    ) -> bool {
        let Asking {
            stream,
            head,
            arrived,
            number,
        } = asking;
        let waiter = Waiter {
            stream,
            head,
            arrived,
            deadline: arrived.saturating_add(self.timeout(&wanted)),
            wanted: wanted.into(),
            // The bound on the memory of waiting requests does not count their steps.
            facts: Facts {
                steps: None,
                ..facts
            },
        };
        let (seated, has_waited) = match number {
            Some(number) => (self.waiting.put_back(number, waiter), true),
            None => (self.waiting.insert(waiter), false),
        };
        let change = i64::from(seated.is_ok()).saturating_sub(i64::from(has_waited));
        if change != 0 {
            turn.effects
                .push(Effect::Measure(Measurement::waiting(change)));
        }
        match seated {
            Ok(()) => false,
            Err(waiter) => {
                self.send_away(*waiter, Reason::TooManyWaiting, turn);
                true
            }
        }
    }

    /// The longest that a request waits for these sources.
    fn timeout(&self, wanted: &[Wanted]) -> Duration {
        let sources = wanted
            .iter()
            .filter_map(|wanted| self.policy.sources.get(wanted.source.index()));
        sources
            .map(|source| source.timeout)
            .max()
            .unwrap_or_default()
    }

    /// Refuses a request because its keys are unavailable or too many requests wait.
    fn send_away(&self, waiter: Waiter, reason: Reason, turn: &mut Turn<'_>) {
        let retry_after = Some(self.snapshot.retry_after(&waiter.wanted, turn.env.now));
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
