//! One document in one thread.

use std::cell::Cell;
use std::rc::{Rc, Weak};
use std::sync::Arc;
use std::time::Duration;

use edge_authz::cors::ResponseCors;
use edge_authz::engine::{Action, Answer, Effect, Env, Judge, StreamId};
use edge_authz::host::{At, Peer, Settler, State, Stream};
use edge_authz::telemetry::{Level, Reason};
use edge_authz_native::Seat;
use tokio::{task, time};

use super::collector::{Collected, Collector, Reply};
use super::panics::caught_in;
use super::waiting::Waiting;
use super::{Decision, Document, Forwarded, Outcome, Question, Replied};
use crate::clock;
use crate::observation::{Log, Registry, Sink};

/// The period of ticks while no request waits.
const SLOW: Duration = Duration::from_millis(500);
/// The period of ticks while requests wait. New keys and expired deadlines are handled
/// within this time.
const FAST: Duration = Duration::from_millis(10);

/// The judge of one thread, and the requests that wait for its decision.
#[derive(Debug)]
pub(super) struct Worker {
    document: Arc<Document>,
    thread: usize,
    seat: Seat,
    settler: Settler<Sink>,
    /// Counts panics.
    panics: Arc<Registry>,
    waiting: Waiting,
    last_stream: Cell<u32>,
}

impl Worker {
    /// Creates the worker of a document in the thread with this index, and starts its ticks.
    pub(super) fn start(
        document: Arc<Document>,
        thread: usize,
        registry: &Arc<Registry>,
        log: &Arc<Log>,
    ) -> Rc<Self> {
        let policy = Arc::clone(document.policy());
        let judge = Judge::sharing(
            Arc::clone(&policy),
            document.exchange().latest(),
            Arc::clone(document.tokens()),
            document.proofs().clone(),
        );
        let worker = Rc::new(Self {
            seat: Seat::new(judge, thread),
            settler: Settler::new(Rc::new(Sink::new(registry, log)), policy),
            thread,
            panics: Arc::clone(registry),
            waiting: Waiting::default(),
            last_stream: Cell::new(0),
            document,
        });
        task::spawn_local(tick(
            Rc::downgrade(&worker),
            Arc::clone(&worker.document),
            thread,
        ));
        worker
    }

    pub(super) const fn document(&self) -> &Arc<Document> {
        &self.document
    }

    /// Decides a request.
    pub(super) async fn decide(self: &Rc<Self>, question: Question) -> Outcome {
        let Question { head, certificate } = question;
        let collector = Collector::new(certificate);
        let id = self.next_id();
        let connection = &Peer(&collector);
        let effects = self.handle(|judge, env| judge.request(id, head, Env { connection, ..env }));
        let Some(effects) = effects else {
            return self.settle(collector, &self.settler.refusal(id, None));
        };
        let decided = self.apply(effects, Some(id));
        self.report_demand();
        let answer = match decided {
            Some(answer) => answer,
            None => self.wait(id).await,
        };
        self.settle(collector, &answer)
    }

    /// Waits for the decision about a request.
    async fn wait(self: &Rc<Self>, id: StreamId) -> Box<Answer> {
        let place = Place { worker: self, id };
        let Some(decided) = self.waiting.insert(id) else {
            return Box::new(self.settler.refusal(id, None));
        };
        self.document.wake_thread(self.thread);
        let decided = decided.await;
        drop(place);
        decided.unwrap_or_else(|_| Box::new(self.settler.refusal(id, None)))
    }

    /// Applies and reports a decision.
    fn settle(&self, collector: Collector, answer: &Answer) -> Outcome {
        let stream = Stream::new(answer.stream);
        self.settler
            .settle(&collector, &stream, answer, At::Headers);
        if stream.state() == State::Forwarded {
            // The response gets its CORS headers. If that fails, the request is answered.
            self.settler.response_headers(&collector, &stream);
        }
        self.settler.report().flush();
        let state = stream.state();
        let Collected {
            request,
            response,
            reply,
            published,
        } = collector.into_collected();
        let is_refused = matches!(answer.action, Action::Forward(_)) && state != State::Forwarded;
        let decision = Decision {
            reason: if is_refused {
                Reason::InternalError
            } else {
                answer.reason
            },
            route: answer.facts.route.clone(),
            provider: answer.facts.provider.clone(),
            published,
        };
        match (state, reply) {
            (State::Forwarded, None) => {
                let policy = Arc::clone(self.document.policy());
                Outcome::Forward(Forwarded::new(request, response, policy, decision))
            }
            (
                State::Answered,
                Some(Reply {
                    status,
                    headers,
                    body,
                }),
            ) => Outcome::Reply(Replied {
                status,
                headers,
                body,
                decision,
            }),
            (State::Pending | State::Forwarded | State::Answered, _) => empty(decision),
        }
    }

    /// The outcome of a request that could not be judged.
    pub(super) fn failed(&self) -> Outcome {
        let refusal = self.settler.refusal(StreamId(0), None);
        let collector = Collector::new(Ok(None));
        self.settle(collector, &refusal)
    }

    /// The id for a new request. It is reused after 2^32 others.
    fn next_id(&self) -> StreamId {
        let number = self.last_stream.get().wrapping_add(1);
        self.last_stream.set(number);
        StreamId(number)
    }

    /// Handles a tick. Only ticks decide waiting requests.
    fn tick(&self) {
        self.settler.report().refresh();
        match self.handle(Judge::tick) {
            Some(effects) => drop(self.apply(effects, None)),
            // Without a clock, no deadline can be checked.
            None => self.abandon(),
        }
        self.report_demand();
        self.settler.report().flush();
    }

    /// Handles a tick that has panicked. The answers of some requests may be lost, so all are
    /// refused.
    fn abandon_after_panic(&self) {
        self.panics.count_panic();
        if caught_in(|| self.abandon()).is_err() {
            self.panics.count_panic();
        }
    }

    /// The time until the next tick.
    fn next_tick(&self) -> Duration {
        if self.seat.is_behind() {
            Duration::ZERO
        } else if self.waiting.is_empty() {
            SLOW
        } else {
            FAST
        }
    }

    /// Refuses all waiting requests.
    fn abandon(&self) {
        for id in self.waiting.ids() {
            let cors: Option<ResponseCors> = self.seat.cors_of_waiting(id);
            self.apply(self.seat.forget(id), None);
            self.waiting
                .decide(Box::new(self.settler.refusal(id, cors)));
        }
    }

    /// Passes an event to the judge. Returns `None` if that is not possible.
    fn handle(
        &self,
        event: impl FnOnce(&mut Judge, Env<'_>) -> Vec<Effect>,
    ) -> Option<Vec<Effect>> {
        let describes = self.settler.report().is_enabled(Level::Debug);
        self.seat
            .handle(self.document.exchange(), clock::now, describes, event)
    }

    /// Applies the effects of the judge. Returns the decision about the request `here`.
    fn apply(&self, effects: Vec<Effect>, here: Option<StreamId>) -> Option<Box<Answer>> {
        let waiting = |answer| self.waiting.decide(answer);
        edge_authz_native::apply(effects, self.settler.report(), here, waiting)
    }

    fn report_demand(&self) {
        if self.seat.report_demand(self.document.exchange()) {
            self.document.wake_keys();
        }
    }
}

/// The place of a waiting request. It is free when this is dropped, because the request is
/// decided or its client has left.
struct Place<'w> {
    worker: &'w Worker,
    id: StreamId,
}

impl Drop for Place<'_> {
    fn drop(&mut self) {
        if self.worker.waiting.remove(self.id) {
            self.worker.apply(self.worker.seat.forget(self.id), None);
            self.worker.report_demand();
            self.worker.settler.report().flush();
        }
    }
}

/// The ticks of a worker. They end when no request uses it any more.
async fn tick(worker: Weak<Worker>, document: Arc<Document>, thread: usize) {
    loop {
        let Some(pause) = worker.upgrade().map(|worker| worker.next_tick()) else {
            return;
        };
        if pause.is_zero() {
            // Other requests of the thread come first.
            task::yield_now().await;
        } else {
            let woken = document.thread_woken(thread);
            // Either way it is time for a tick.
            let _ = time::timeout(pause, woken).await;
        }
        let Some(worker) = worker.upgrade() else {
            return;
        };
        if caught_in(|| worker.tick()).is_err() {
            worker.abandon_after_panic();
        }
    }
}

/// The outcome if even the refusal could not be made.
fn empty(decision: Decision) -> Outcome {
    Outcome::Reply(Replied {
        status: 503,
        headers: Vec::new(),
        body: Vec::new(),
        decision: Decision {
            reason: Reason::InternalError,
            ..decision
        },
    })
}
