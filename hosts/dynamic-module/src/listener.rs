//! One configuration of one listener, for all threads.

use std::collections::VecDeque;
use std::process;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::abi::{self, Config, Scheduler};
use super::clock;
use super::keeper::{self, Keeper};
use super::lock::locked;
use super::metrics::Metrics;
use super::sink;
use super::ticker::{self, Paced};
use edge_authz::config::{self, ConfigErrors, MAX_BYTES};
use edge_authz::engine::{Effect, Exchange, FetchId, KeyService, TokenCache};
use edge_authz::host::{Reporting, seed};
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::telemetry::{Level, NotSent};

/// The period of ticks while requests wait in some thread.
const FAST: Duration = Duration::from_millis(10);

/// An active configuration.
pub(crate) struct Listener {
    /// Identifies the configuration in the process.
    number: u64,
    policy: Arc<Policy>,
    exchange: Exchange,
    /// The verified tokens of all threads.
    tokens: Arc<TokenCache>,
    metrics: Metrics,
    keeper: Mutex<Keeper>,
    /// The number of the latest snapshot for which the threads were woken.
    woken_for: AtomicU64,
    /// Requests the hook on the main thread.
    pulse: Alarm,
    /// The period of these hooks in milliseconds.
    period: AtomicU64,
    /// The alarm of one request that waits in each thread, by thread index.
    alarms: Box<[Mutex<Option<Arc<Alarm>>>]>,
    closed: AtomicBool,
}

/// Requests a hook. It requests it only once until Envoy calls the hook.
pub(crate) struct Alarm {
    scheduler: Scheduler,
    is_pending: AtomicBool,
}

impl Alarm {
    pub(crate) const fn new(scheduler: Scheduler) -> Self {
        Self {
            scheduler,
            is_pending: AtomicBool::new(false),
        }
    }

    /// Requests the tick hook.
    pub(crate) fn ring(&self) {
        if !self.is_pending.swap(true, Ordering::AcqRel) {
            self.scheduler.commit(TICK);
        }
    }

    /// Requests the hook that applies the decision about this request.
    pub(crate) fn notify(&self) {
        self.scheduler.commit(DECIDED);
    }

    /// Records that Envoy has called the hook.
    pub(crate) fn fired(&self) {
        self.is_pending.store(false, Ordering::Release);
    }
}

/// The event number of the tick hook.
pub(crate) const TICK: u64 = 1;
/// The event number of the hook that applies a decision.
pub(crate) const DECIDED: u64 = 2;

/// The number of the next configuration.
static NUMBERS: AtomicU64 = AtomicU64::new(1);

impl Listener {
    /// Activates a configuration. `None` if it is invalid or Envoy cannot support it. The
    /// reasons are logged here, because Envoy does not report any.
    pub(crate) fn new(config: Config<'_>, text: &[u8]) -> Option<Arc<Self>> {
        let compiled = if text.len() > MAX_BYTES {
            Err(ConfigErrors::too_large())
        } else {
            config::compile(text)
        };
        let policy = compiled.map_err(|errors| log_errors(&errors)).ok()?;
        match Self::with(config, policy) {
            Ok(listener) => Some(listener),
            Err(why) => {
                sink::log(Level::Error, &format!("configuration: {why}"));
                None
            }
        }
    }

    fn with(config: Config<'_>, policy: Policy) -> Result<Arc<Self>, &'static str> {
        let now = clock::now().ok_or("the system has no clock")?;
        let metrics = Metrics::define(config).map_err(|_| "Envoy takes no metrics")?;
        let pulse = config.scheduler().ok_or("Envoy gives no scheduler")?;
        let number = NUMBERS.fetch_add(1, Ordering::Relaxed);
        let seed = seed(now, number) ^ u64::from(process::id()).rotate_left(48);
        let mut keeper = Keeper::new(&policy, seed, now);
        let effects = keeper.ask(Some(now), KeyService::start);
        let threads = abi::concurrency();
        let listener = Arc::new(Self {
            number,
            exchange: Exchange::new(&keeper.service, threads),
            tokens: TokenCache::new(&policy, threads),
            policy: Arc::new(policy),
            metrics,
            woken_for: AtomicU64::new(keeper.service.snapshot().number()),
            keeper: Mutex::new(keeper),
            pulse: Alarm::new(pulse),
            period: AtomicU64::new(0),
            alarms: std::iter::repeat_with(Mutex::default)
                .take(threads)
                .collect(),
            closed: AtomicBool::new(false),
        });
        listener.apply(config, effects);
        // A validation of the configuration fetches nothing.
        if !abi::is_validation() {
            let paced = Arc::clone(&listener);
            ticker::register(number, paced).map_err(|_| "the system gives no thread")?;
        }
        Ok(listener)
    }

    pub(crate) const fn number(&self) -> u64 {
        self.number
    }

    pub(crate) const fn policy(&self) -> &Arc<Policy> {
        &self.policy
    }

    pub(crate) const fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    pub(crate) const fn tokens(&self) -> &Arc<TokenCache> {
        &self.tokens
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Ends the ticks, because no request uses the configuration any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        ticker::unregister(self.number);
        // Threads that have served this configuration drop it later.
        self.tokens.clear();
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Sets the alarm of a request that waits in the thread of this index; `None` if no
    /// request waits there.
    pub(crate) fn set_alarm(&self, thread: usize, alarm: Option<Arc<Alarm>>) {
        let is_new = alarm.is_some();
        if let Some(place) = self.alarms.get(thread) {
            *locked(place) = alarm;
        }
        if is_new {
            self.wake_soon();
        }
    }

    /// Requests a tick on the main thread soon.
    pub(crate) fn wake_soon(&self) {
        ticker::wake_soon(self.number);
    }

    /// Handles a tick on the main thread.
    pub(crate) fn pulse(&self, config: Config<'_>) {
        self.pulse.fired();
        self.tokens.release_half();
        let demands = self.exchange.demands();
        let mut keeper = locked(&self.keeper);
        let effects = keeper.ask(clock::now(), |service, env| service.tick(&demands, env));
        drop(keeper);
        self.apply(config, effects);
    }

    /// Handles the end of a fetch, with or without an answer. Envoy calls this on the
    /// main thread.
    pub(crate) fn fetched(
        &self,
        config: Config<'_>,
        number: u64,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
    ) {
        let mut keeper = locked(&self.keeper);
        let Some(fetch) = keeper.fetches.take(&number) else {
            return;
        };
        let effects = keeper.ended(clock::now(), fetch, head, body);
        drop(keeper);
        self.apply(config, effects);
    }

    /// Applies the effects of the key service, and publishes its snapshot. The keeper is
    /// not locked during this, because Envoy may call back.
    fn apply(&self, config: Config<'_>, effects: Vec<Effect>) {
        self.publish();
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Fetch(call) => match keeper::send(config, &call) {
                    Ok(number) => locked(&self.keeper).fetches.sent(number, call.id),
                    Err(why) => {
                        effects.extend(self.not_sent(call.id, why));
                        self.publish();
                    }
                },
                Effect::Measure(measurement) => self.metrics.measure(config, measurement),
                Effect::Log(event) => {
                    let level = event.level();
                    let least = sink::Sink::default().log_level().ok().flatten();
                    if least.is_some_and(|least| level >= least) {
                        sink::log(level, &event.to_string());
                    }
                }
                // The service decides no requests.
                Effect::Answer(_) => {}
            }
        }
        let keeper = locked(&self.keeper);
        let period = u64::try_from(keeper.service.next_tick().as_millis()).unwrap_or(u64::MAX);
        self.period.store(period, Ordering::Relaxed);
    }

    fn not_sent(&self, fetch: FetchId, why: NotSent) -> Vec<Effect> {
        let head = AnswerHead::not_sent(why);
        locked(&self.keeper).ended(clock::now(), fetch, &head, &|| None)
    }

    /// Publishes the current snapshot, and wakes the threads in which requests wait.
    fn publish(&self) {
        let keeper = locked(&self.keeper);
        self.exchange.publish(&keeper.service);
        let number = keeper.service.snapshot().number();
        drop(keeper);
        if self.woken_for.swap(number, Ordering::Relaxed) != number {
            self.ring();
        }
    }

    /// Wakes the threads in which requests wait. Returns whether there are any.
    fn ring(&self) -> bool {
        let mut any = false;
        for place in &self.alarms {
            let alarm = locked(place).clone();
            if let Some(alarm) = alarm {
                alarm.ring();
                any = true;
            }
        }
        any
    }
}

impl Paced for Listener {
    fn beat(&self) -> Duration {
        self.pulse.ring();
        let period = Duration::from_millis(self.period.load(Ordering::Relaxed));
        if self.ring() {
            period.min(FAST)
        } else {
            period
        }
    }
}

fn log_errors(errors: &ConfigErrors) {
    for line in errors.log_lines() {
        sink::log(Level::Error, &line);
    }
}
