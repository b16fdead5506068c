//! Thousands of random schedules. The model checks each event.
//!
//! `SIMULATION_SEED=n` runs one of them, and prints what happens.

mod hazards;

use std::rc::Rc;
use std::time::Duration;

use super::dice::Dice;
use super::issuer::{MODES, Mode, Published};
use super::settings::Settings;
use super::signer::{KEYS, KeyId};
use super::world::{Call, ISSUERS, Token, Worker, World};
use crate::engine::judging::Allowance;
use crate::keys::answer::Ending;

/// The events that a schedule can contain.
#[derive(Clone, Copy, Default)]
struct Hazards {
    /// Whether other plugins write to the shared data.
    sabotage: bool,
    /// Whether the clock is set.
    jumps: bool,
    /// Whether workers act between the calls of others.
    interleaving: bool,
}

struct Schedule {
    world: Rc<World>,
    dice: std::cell::RefCell<Dice>,
    hazards: Hazards,
    answered: std::cell::RefCell<Vec<Call>>,
}

fn run(seeds: std::ops::Range<u64>, steps: usize, hazards: Hazards) {
    let only = std::env::var("SIMULATION_SEED").ok();
    let only: Option<u64> = only.and_then(|seed| seed.parse().ok());
    for seed in seeds {
        if only.is_some_and(|only| only != seed) {
            continue;
        }
        let outcome = std::panic::catch_unwind(|| {
            let schedule = Schedule::new(seed, hazards);
            for _ in 0..steps {
                schedule.step();
            }
            schedule.heal();
        });
        if let Err(panic) = outcome {
            println!("schedule {seed} failed");
            std::panic::resume_unwind(panic);
        }
    }
}

#[test]
fn workers_never_allow_wrongly_lose_requests_or_fetch_too_often() {
    run(0..500, 80, Hazards::default());
}

#[test]
fn the_same_holds_when_workers_act_between_each_others_calls() {
    let hazards = Hazards {
        interleaving: true,
        ..Hazards::default()
    };
    run(10_000..10_500, 80, hazards);
}

#[test]
fn the_same_holds_when_others_write_to_the_shared_data() {
    let hazards = Hazards {
        sabotage: true,
        interleaving: true,
        ..Hazards::default()
    };
    run(20_000..20_300, 80, hazards);
}

#[test]
fn the_same_holds_when_the_clock_is_set() {
    let hazards = Hazards {
        jumps: true,
        ..Hazards::default()
    };
    run(30_000..30_300, 80, hazards);
}

impl Schedule {
    fn new(seed: u64, hazards: Hazards) -> Rc<Self> {
        let mut dice = Dice::new(seed);
        let settings = some_settings(&mut dice);
        let world = World::new(0, settings);
        let workers = dice.below(4) + 1;
        world.latency.set(None);
        world.slowness.set(Duration::from_millis(100));
        world.allowance.set(some_allowance(&mut dice));
        world.model.borrow_mut().sabotaged = hazards.sabotage;
        world.model.borrow_mut().jumped = hazards.jumps;
        let schedule = Rc::new(Self {
            world,
            dice: dice.into(),
            hazards,
            answered: std::cell::RefCell::default(),
        });
        if hazards.interleaving {
            let others = Rc::downgrade(&schedule);
            let between = move || {
                if let Some(schedule) = others.upgrade() {
                    schedule.between();
                }
            };
            schedule.world.shared.interleave(Rc::new(between));
        }
        for _ in 0..workers {
            schedule.world.start(settings);
        }
        schedule
    }

    fn percent(&self, percent: usize) -> bool {
        self.dice.borrow_mut().percent(percent)
    }

    fn below(&self, end: usize) -> usize {
        self.dice.borrow_mut().below(end)
    }

    fn a_worker(&self) -> Rc<Worker> {
        let workers = self.world.workers.borrow();
        Rc::clone(self.dice.borrow_mut().pick(&workers))
    }

    /// Acts between two calls of a worker to the shared data.
    fn between(&self) {
        if self.percent(85) {
            return;
        }
        for _ in 0..=self.below(3) {
            self.act_meanwhile();
        }
    }

    fn act_meanwhile(&self) {
        if self.world.workers.borrow().is_empty() {
            return;
        }
        let worker = self.a_worker();
        if worker.engine.try_borrow().is_err() {
            return;
        }
        if self.percent(60) {
            self.world.tick(&worker);
            return;
        }
        let calls = self.world.calls.borrow().clone();
        let of_it = |call: &&Call| call.life == worker.life;
        if let Some(call) = calls.iter().find(of_it) {
            self.world.answer(call);
        }
    }

    fn step(&self) {
        let world = &self.world;
        if world.verbose {
            println!("{} step", world.now().as_nanos());
        }
        let worker = self.a_worker();
        match self.below(100) {
            0..34 => self.request(&worker),
            34..35 => (0..40).for_each(|_| self.request(&worker)),
            35..50 => world.tick(&worker),
            50..68 => {
                self.pass();
                if self.percent(40) {
                    self.answer();
                }
            }
            68..84 => self.answer(),
            84..89 => self.publish(),
            89..92 => {
                let held: Vec<_> = worker.waits.borrow().requests.keys().copied().collect();
                if !held.is_empty() {
                    world.leave(&worker, held[self.below(held.len())]);
                }
            }
            92..95 => self.reload(&worker),
            95..97 if self.hazards.sabotage => self.sabotage(),
            97..100 if self.hazards.jumps => self.jump(),
            _ => world.pass(Duration::from_millis(20)),
        }
    }

    fn request(&self, worker: &Worker) {
        let token = match self.below(10) {
            0 => Token::Forged(format!("made-up-{}", self.below(100))),
            1 => Token::Forged(KeyId(self.below(KEYS)).kid()),
            _ => Token::Good(KeyId(self.below(KEYS))),
        };
        self.world.request(worker, self.below(ISSUERS), token);
    }

    /// Advances the time: a little with all ticks, or a lot with few.
    fn pass(&self) {
        let millis = [1, 9, 40, 300, 700, 1500, 3000, 6000];
        if self.percent(80) {
            let millis = *self.dice.borrow_mut().pick(&millis);
            self.world.pass(Duration::from_millis(millis));
            return;
        }
        let long = [20, 70, 500, 900, 4000, 90_000];
        let long = Duration::from_secs(*self.dice.borrow_mut().pick(&long));
        for _ in 0..4 {
            self.skip(long / 4);
        }
    }

    fn skip(&self, by: Duration) {
        self.set_clock_ahead(by);
        let workers = self.world.workers.borrow().clone();
        for worker in workers {
            self.world.tick(&worker);
        }
    }

    /// Sets the clock ahead. All pending requests must have ended before.
    fn set_clock_ahead(&self, by: Duration) {
        let calls = self.world.calls.borrow().clone();
        let up: Vec<&Call> = calls
            .iter()
            .filter(|call| by >= call.asked.timeout)
            .collect();
        let up_first = self.percent(70);
        let give_up = || {
            for call in &up {
                self.world
                    .answer_call(call, &Published::ending(Ending::Status(504)));
            }
        };
        if up_first {
            give_up();
        }
        self.world.clock.set(self.world.now().saturating_add(by));
        if !up_first {
            give_up();
        }
    }

    fn answer(&self) {
        let world = &self.world;
        let calls = world.calls.borrow().clone();
        if calls.is_empty() || self.percent(5) {
            // An answered fetch is answered once more.
            let answered = self.answered.borrow();
            if !answered.is_empty() {
                let call = answered[self.below(answered.len())].clone();
                if !calls.iter().any(|other| other.asked.id == call.asked.id) {
                    world.answer(&call);
                }
            }
            return;
        }
        let call = self.dice.borrow_mut().pick(&calls).clone();
        if self.percent(4) {
            // The fetch is never answered.
            world
                .calls
                .borrow_mut()
                .retain(|other| other.asked.id != call.asked.id);
            return;
        }
        let now = world.now();
        let in_time = now.saturating_since(call.sent_at) < call.asked.timeout;
        let good = world.issuers[call.source]
            .answer(&call.asked.uri)
            .set
            .is_some();
        let known = world.model.borrow().seen()[call.source];
        world.answer(&call);
        let hazards = self.hazards.jumps || self.hazards.sabotage || self.hazards.interleaving;
        if in_time && good && !hazards {
            let now_known = world.model.borrow().seen()[call.source];
            assert_eq!(now_known, known + 1, "a good answer was wasted");
        }
        self.answered.borrow_mut().push(call);
    }

    fn publish(&self) {
        let issuer = &self.world.issuers[self.below(ISSUERS)];
        if self.percent(60) {
            let published: Vec<usize> = (0..KEYS).filter(|_| self.percent(40)).collect();
            let some = [self.below(KEYS)];
            issuer.publish(if published.is_empty() {
                &some
            } else {
                &published
            });
            let max_ages = [None, None, Some(0), Some(90), Some(7200)];
            issuer.max_age.set(*self.dice.borrow_mut().pick(&max_ages));
            let ages = [0, 0, 0, 1, 4, 600, u32::MAX];
            issuer.age.set(*self.dice.borrow_mut().pick(&ages));
        }
        let mode = if self.percent(50) {
            Mode::Good
        } else {
            *self.dice.borrow_mut().pick(&MODES)
        };
        issuer.mode.set(mode);
    }
}

/// The allowance of a tick. In some worlds it is minimal.
fn some_allowance(dice: &mut Dice) -> Allowance {
    match dice.below(3) {
        0 => Allowance::WHOLE,
        1 => Allowance {
            answers: 4,
            judgements: 2,
            steps: 30,
        },
        _ => Allowance {
            answers: 1 + dice.below(2),
            judgements: 1 + dice.below(3),
            steps: 1 + dice.below(9),
        },
    }
}

fn some_settings(dice: &mut Dice) -> Settings {
    let secs = Duration::from_secs;
    let timeout = *dice.pick(&[secs(5), secs(5), secs(1), secs(20)]);
    let refresh = *dice.pick(&[secs(600), secs(60), secs(3), secs(3600)]);
    let max_stale = *dice.pick(&[secs(3600), secs(86_400), secs(7200)]);
    Settings {
        timeout,
        refresh,
        max_stale,
    }
}
