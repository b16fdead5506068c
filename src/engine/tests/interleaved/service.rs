//! The thread of the service, and the issuer.

use super::checks::Taken;
use super::{Call, TIMEOUT, Threads};
use crate::engine::tests::signer::{KeyId, Memory, SIGNER};
use crate::engine::{Effect, Env, FetchCall};
use crate::keys::answer::{AnswerHead, Ending};
use crate::telemetry::Event;

impl Threads {
    /// A step of the service's thread: a tick, or the answer to its fetch.
    pub(super) fn serve(&mut self, answer: Option<&(FetchCall, AnswerHead, Vec<KeyId>)>) {
        if std::mem::replace(&mut self.serving, true) {
            return;
        }
        let demands = self.exchange.demands();
        let asked: Vec<Vec<String>> = self.all.iter().map(|one| one.asked.clone()).collect();
        self.maybe_meanwhile();
        let now = self.clock();
        let env = Env {
            now,
            shared: &self.shared,
            host_signatures: &Memory,
            connection: &crate::engine::NoConnection,
        };
        let began = self.call.as_ref().map_or(now, |call| call.sent_at);
        let effects = match answer {
            None => self.service.tick(&demands, env),
            Some((call, head, keys)) => {
                self.call = None;
                let body = || Some(SIGNER.with(|signer| signer.key_set(keys)));
                self.service.fetched(call.id, head, &body, env)
            }
        };
        self.next_tick = now.saturating_add(self.service.next_tick());
        for effect in effects {
            match effect {
                Effect::Fetch(call) => {
                    let out = self
                        .call
                        .as_ref()
                        .map(|call| call.sent_at.saturating_add(TIMEOUT));
                    assert!(out.is_none_or(|out| now >= out), "two concurrent fetches");
                    self.gets += 1;
                    self.began(&asked, now);
                    self.call = Some(Call {
                        call: *call,
                        sent_at: now,
                    });
                }
                Effect::Log(event) if matches!(*event, Event::KeysLoaded { .. }) => {
                    let (_, _, keys) = answer.expect("adopted without an answer");
                    self.taken.push(Taken {
                        keys: keys.clone(),
                        began,
                        at: now,
                        number: self.service.snapshot().number(),
                    });
                }
                Effect::Answer(_) => panic!("the service answered a request"),
                Effect::Measure(_) | Effect::Log(_) => {}
            }
        }
        self.maybe_meanwhile();
        self.exchange.publish(&self.service);
        self.serving = false;
    }

    /// Lets the issuer answer.
    pub(super) fn answer(&mut self) {
        if self.serving {
            return;
        }
        let Some(Call { call, sent_at }) = &self.call else {
            return;
        };
        let timed_out = self.now.saturating_since(*sent_at) >= TIMEOUT;
        let ending = Ending::Status(if self.fails || timed_out { 503 } else { 200 });
        let head = AnswerHead {
            ending,
            body_size: 1000,
            ..AnswerHead::default()
        };
        let answer = (call.clone(), head, self.published.clone());
        self.serve(Some(&answer));
    }
}
