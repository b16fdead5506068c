//! One configuration of one listener, for all threads.

use std::collections::{BTreeMap, VecDeque};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use super::abi::{self, Config, Refused};
use super::alarm::Alarm;
use super::clock;
use super::document::Document;
use super::metrics::Metrics;
use super::routes::{Narrowing, RouteConfig};
use super::sink;
use super::ticker::{self, Ticked};
use edge_authz::config::{self, ConfigErrors, MAX_BYTES};
use edge_authz::engine::{Effect, FetchCall};
use edge_authz::host::Reporting;
use edge_authz::keys::answer::AnswerHead;
use edge_authz::policy::Policy;
use edge_authz::telemetry::{Level, NotSent};
use edge_authz_native::locked;

/// The period of ticks while requests wait in some thread.
const FAST: Duration = Duration::from_millis(10);

/// An active configuration.
pub(crate) struct Listener {
    own: Arc<Document>,
    /// The documents of routes whose requests used this listener, by the number of the
    /// route's configuration. `routes` bounds their number.
    of_routes: Mutex<BTreeMap<u64, OfRoute>>,
    metrics: Metrics,
    /// Requests the hook on the main thread.
    alarm: Alarm,
    /// The period of these hooks in milliseconds.
    period: AtomicU64,
    /// Whether a configuration of another module on a route was already logged.
    has_logged_foreign_route: AtomicBool,
    closed: AtomicBool,
}

struct OfRoute {
    config: Arc<RouteConfig>,
    document: Arc<Document>,
}

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
        metrics.carry_over(config);
        let scheduler = config.scheduler().ok_or("Envoy provided no scheduler")?;
        let own = Document::new(Arc::new(policy), abi::concurrency(), now);
        let listener = Arc::new(Self {
            own: Arc::new(own),
            of_routes: Mutex::default(),
            metrics,
            alarm: Alarm::new(scheduler),
            period: AtomicU64::new(0),
            has_logged_foreign_route: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        });
        listener.apply(config, &listener.own, listener.own.start());
        listener.pace();
        // A validation of the configuration fetches nothing.
        if !abi::is_validation() {
            let ticked = Arc::clone(&listener);
            ticker::register(listener.number(), ticked)
                .map_err(|_| "the system cannot start a thread")?;
        }
        Ok(listener)
    }

    pub(crate) fn number(&self) -> u64 {
        self.own.number()
    }

    /// The listener's own document.
    pub(crate) const fn document(&self) -> &Arc<Document> {
        &self.own
    }

    /// The document of a route, which narrows the listener's own. `None` if the route has
    /// none, or if the system has no clock; in the latter case its requests must be
    /// refused.
    pub(crate) fn document_of(&self, route: &Arc<RouteConfig>) -> Option<Arc<Document>> {
        let mut all = locked(&self.of_routes);
        if let Some(known) = all.get(&route.number()) {
            return Some(Arc::clone(&known.document));
        }
        let policy = match route.narrowing() {
            Narrowing::Enforce => return None,
            Narrowing::Denied => {
                let responses = self.own.policy().responses.clone();
                Arc::new(config::denied(responses).ok()?)
            }
            Narrowing::By(policy) => Arc::clone(policy),
        };
        let document = Arc::new(self.own.for_route(policy, clock::now()?));
        let entry = OfRoute {
            config: Arc::clone(route),
            document: Arc::clone(&document),
        };
        all.insert(route.number(), entry);
        drop(all);
        self.wake_soon();
        Some(document)
    }

    /// Logs once that a route has a configuration of another module.
    pub(crate) fn log_foreign_route(&self) {
        if !self.has_logged_foreign_route.swap(true, Ordering::Relaxed) {
            let line = "a route has a configuration of another module or of another version of \
                this one; its requests are refused; name the same library in \
                `typed_per_filter_config` as in the filter";
            sink::log(Level::Error, line);
        }
    }

    pub(crate) const fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// Ends the ticks, because no request uses the configuration any more.
    pub(crate) fn close(&self) {
        self.closed.store(true, Ordering::Release);
        ticker::unregister(self.number());
        self.metrics.leave_collected();
        for document in self.documents() {
            document.close();
        }
    }

    pub(crate) fn is_closed(&self) -> bool {
        self.closed.load(Ordering::Acquire)
    }

    /// Requests a tick on the main thread soon.
    pub(crate) fn wake_soon(&self) {
        ticker::wake_soon(self.number());
    }

    /// Handles a tick on the main thread.
    pub(crate) fn tick(&self, config: Config<'_>) {
        self.alarm.fired();
        self.metrics.carry_over(config);
        self.metrics.report_collected(config);
        self.drop_closed_routes();
        for document in self.documents() {
            self.apply(config, &document, document.start());
            self.apply(config, &document, document.tick());
        }
        self.pace();
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
        for document in self.documents() {
            if let Some(effects) = document.fetched(number, head, body) {
                self.apply(config, &document, effects);
                self.pace();
                return;
            }
        }
    }

    /// All documents, with its own first.
    fn documents(&self) -> Vec<Arc<Document>> {
        let of_routes = locked(&self.of_routes);
        let others = of_routes.values().map(|known| &known.document);
        std::iter::once(&self.own).chain(others).cloned().collect()
    }

    /// Drops the documents of routes that Envoy has dropped and in which no request
    /// waits. A request holds its route, but another filter may choose a new one while the
    /// request waits.
    fn drop_closed_routes(&self) {
        locked(&self.of_routes).retain(|_, known| {
            let is_closed = known.config.is_closed() && !known.document.has_waiting();
            if is_closed {
                known.document.close();
            }
            !is_closed
        });
    }

    /// Applies the effects of a document's key service, and publishes its snapshot. The
    /// document is not locked during this, because Envoy may call back.
    fn apply(&self, config: Config<'_>, document: &Document, effects: Vec<Effect>) {
        document.publish();
        let mut effects = VecDeque::from(effects);
        while let Some(effect) = effects.pop_front() {
            match effect {
                Effect::Fetch(call) => match send(config, &call) {
                    Ok(number) => document.sent(number, call.id),
                    Err(why) => {
                        effects.extend(document.not_sent(call.id, why));
                        document.publish();
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
    }

    /// Sets the period of ticks.
    fn pace(&self) {
        let documents = self.documents();
        let period = documents.iter().map(|document| document.next_tick()).min();
        let period = period.unwrap_or(FAST).as_millis();
        let period = u64::try_from(period).unwrap_or(u64::MAX);
        self.period.store(period, Ordering::Relaxed);
    }
}

impl Ticked for Listener {
    fn request_ticks(&self) -> Duration {
        self.alarm.request_tick();
        let period = Duration::from_millis(self.period.load(Ordering::Relaxed));
        let documents = self.documents();
        let waiting = documents
            .iter()
            .filter(|document| document.wake_threads())
            .count();
        if waiting > 0 {
            period.min(FAST)
        } else {
            period
        }
    }
}

/// Sends a fetch, and returns Envoy's id for it.
fn send(config: Config<'_>, call: &FetchCall) -> Result<u64, NotSent> {
    let millis = u64::try_from(call.timeout.as_millis()).unwrap_or(u64::MAX);
    let sent = config.callout(&call.cluster, &call.headers(), millis.max(1));
    sent.map_err(|refused| match refused {
        Refused(2) => NotSent::UnknownCluster,
        Refused(4) => NotSent::NoHost,
        Refused(_) => NotSent::Refused,
    })
}

fn log_errors(errors: &ConfigErrors) {
    for line in errors.log_lines() {
        sink::log(Level::Error, &line);
    }
}
