//! What a worker must know, and which answers that permits.

use std::time::Duration;

use super::{Adopted, Held, MAX_STALE, Schedule};
use crate::engine::tests::signer::Memory;
use crate::engine::{Action, Effect, Engine, Env, NoConnection};
use crate::telemetry::{Event, Reason};

impl Schedule {
    /// Sends an event to a worker, and checks what it does.
    pub(super) fn event(
        &mut self,
        worker: usize,
        what: impl FnOnce(&mut Engine, Env<'_>) -> Vec<Effect>,
    ) {
        self.now = self.now.saturating_add(Duration::from_micros(1));
        let env = Env {
            now: self.now,
            shared: &self.shared,
            host_signatures: &Memory,
            connection: &NoConnection,
        };
        for effect in what(&mut self.workers[worker].engine, env) {
            let of = &mut self.workers[worker];
            if self.verbose && !matches!(effect, Effect::Measure(_)) {
                println!("{} worker {}: {effect:?}", self.now.as_nanos(), of.life);
            }
            match effect {
                Effect::Fetch(call) => of.calls.push((*call, self.now)),
                Effect::Answer(answer) => {
                    let held = of.held.remove(&answer.stream).expect("answered twice");
                    let passes = matches!(answer.action, Action::Forward(_));
                    assert_eq!(passes, answer.reason == Reason::Allowed);
                    self.check(worker, &held, answer.reason);
                }
                Effect::Log(event) if matches!(*event, Event::ListLoaded { .. }) => {
                    let loaded = of.answered.take();
                    let loaded = loaded.map(|(_, is_same)| is_same);
                    assert!(loaded != Some(true), "an unchanged list was loaded");
                }
                Effect::Log(_) | Effect::Measure(_) => {}
            }
        }
    }

    /// Checks an answer: a list that the worker may have must explain it.
    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "every other reason is wrong"
    )]
    fn check(&mut self, worker: usize, held: &Held, reason: Reason) {
        let knows = self.workers[worker].knows;
        let first = if self.jumps {
            0
        } else {
            knows.saturating_sub(1)
        };
        let may_have = &self.adopted[first..];
        let (now, jumps) = (self.now, self.jumps);
        let age = |list: &Adopted| now.saturating_since(list.at);
        let is_current = |list: &&Adopted| jumps || age(list) <= MAX_STALE;
        let names = |list: &Adopted| list.names.contains(&held.subject);
        let mut current = may_have.iter().filter(is_current);
        match reason {
            Reason::Allowed => {
                assert!(
                    current.any(|list| !names(list)),
                    "{held:?} passed with {may_have:?} at {now:?}"
                );
                self.counts.allowed += 1;
            }
            Reason::Revoked => {
                assert!(
                    current.any(names),
                    "{held:?} is revoked by none of {may_have:?}"
                );
                self.counts.revoked += 1;
            }
            Reason::RevocationListUnavailable => {
                assert!(jumps || now >= held.deadline, "{held:?} at {now:?}");
                if self.adopted.is_empty() {
                    self.counts.unavailable_first += 1;
                } else {
                    self.counts.unavailable_stale += 1;
                }
            }
            other => panic!("{other:?}"),
        }
    }
}
