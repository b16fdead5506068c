//! Events outside a proxy's normal life, and the recovery from them.

use std::time::Duration;

use super::{Schedule, some_settings};
use crate::engine::tests::issuer::Mode;
use crate::engine::tests::settings::SETTINGS;
use crate::engine::tests::signer::KeyId;
use crate::engine::tests::world::{ISSUERS, Token, Worker};
use crate::telemetry::Reason;

impl Schedule {
    /// A worker ends and another starts, or a new configuration is loaded while the old
    /// one drains.
    pub(super) fn reload(&self, worker: &Worker) {
        if self.percent(60) {
            self.world.kill(worker.life);
        } else if self.world.workers.borrow().len() > 5 {
            return;
        }
        let settings = some_settings(&mut self.dice.borrow_mut());
        self.world.start(settings);
    }

    pub(super) fn sabotage(&self) {
        let names = self.world.shared.names("");
        if names.is_empty() {
            return;
        }
        let name = &names[self.below(names.len())];
        let mut value = self.world.shared.peek(name).unwrap_or_default();
        match self.below(4) {
            0 => value.clear(),
            1 => value.truncate(value.len() / 2),
            2 => value = b"another plugin's".to_vec(),
            _ => {
                let index = self.below(value.len().max(1));
                if let Some(byte) = value.get_mut(index) {
                    *byte ^= 1 << self.below(8);
                }
            }
        }
        self.world.shared.sabotage(name, &value);
    }

    pub(super) fn jump(&self) {
        let by = Duration::from_secs([1, 5, 60, 3600, 90_000][self.below(5)]);
        let back = self.percent(60);
        self.world.set_clock(|at| {
            if back {
                at.saturating_sub(by)
            } else {
                at.saturating_add(by)
            }
        });
        // The workers notice this before the clock is set again.
        self.skip(Duration::ZERO);
    }

    /// Lets the issuers recover. Soon everything must work as if nothing had happened.
    pub(super) fn heal(&self) {
        let world = &self.world;
        world.shared.stop_interleaving();
        world.latency.set(Some(Duration::from_millis(20)));
        for issuer in &world.issuers {
            issuer.mode.set(Mode::Good);
            issuer.max_age.set(None);
            issuer.age.set(0);
            issuer.publish(&[0, 2]);
        }
        // The longest lease, and the longest back-off.
        for _ in 0..4 {
            self.skip(Duration::from_secs(22));
        }
        world.pass(Duration::from_secs(2));
        // A new key is found in every state of the refresh.
        let workers = world.workers.borrow().clone();
        let mut streams = Vec::new();
        for worker in &workers {
            for source in 0..ISSUERS {
                let stream = world.request(worker, source, Token::Good(KeyId(2)));
                streams.push((worker.settings.timeout, stream));
            }
        }
        world.pass(Duration::from_millis(5_200));
        for (timeout, stream) in streams {
            if timeout >= SETTINGS.timeout && !self.hazards.sabotage {
                assert_eq!(world.reason(stream), Some(Reason::Allowed), "not healed");
            }
        }
        self.skip(Duration::from_secs(30));
        for worker in &workers {
            let waits = worker.waits.borrow();
            assert!(waits.requests.is_empty(), "a request still waits");
        }
    }
}
