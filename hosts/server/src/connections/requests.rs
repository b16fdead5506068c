//! The requests of one HTTP/2 connection.
//!
//! A proxy sends the requests of many clients in one packet. If each were answered in a task of
//! its own, the connection would send all answers after the last of them. Here the connection's
//! task answers requests itself, and sends the answers of a few before it goes on. So the proxy
//! works on these while the others are judged, and a request that is decided at once needs no
//! task.

use std::cell::RefCell;
use std::collections::VecDeque;
use std::future::poll_fn;
use std::pin::{Pin, pin};
use std::rc::{Rc, Weak};
use std::task::{Context, Poll};

use hyper::rt::Executor;
use tokio::task;

use crate::service::Service;

/// The number of answers that are sent together. With fewer answers, the system calls cost
/// more than the proxy gains.
const TOGETHER: usize = 4;
/// How often the connection's task does so before other connections of the thread have their
/// turn. Further requests get tasks.
const TIMES: usize = 16;

type Answering = Pin<Box<dyn Future<Output = ()>>>;

/// Requests that nobody has begun to answer. There are none while the connection's task waits,
/// so their number is bounded by what the connection reads at once.
type Queue = RefCell<VecDeque<Answering>>;

/// Answers the requests of a connection.
#[derive(Default)]
pub(super) struct Requests(Rc<Queue>);

/// Where hyper's connection leaves its requests. The requests contain it, too.
#[derive(Clone)]
pub(super) struct Arrivals(Weak<Queue>);

impl<F: Future<Output = ()> + 'static> Executor<F> for Arrivals {
    fn execute(&self, request: F) {
        // Without the queue, the connection has ended.
        let Some(queue) = self.0.upgrade() else {
            return;
        };
        match queue.try_borrow_mut() {
            Ok(mut queue) => queue.push_back(Box::pin(request)),
            Err(_) => drop(task::spawn_local(request)),
        }
    }
}

impl Requests {
    pub(super) fn arrivals(&self) -> Arrivals {
        Arrivals(Rc::downgrade(&self.0))
    }

    /// Serves a connection that leaves its requests here, until it ends.
    pub(super) async fn serve<T>(
        self,
        service: &Service,
        connection: impl Future<Output = T>,
    ) -> T {
        let mut connection = pin!(connection);
        poll_fn(|context| {
            for _ in 0..TIMES {
                // This sends all answers that there are, and takes new requests.
                if let Poll::Ready(ended) = connection.as_mut().poll(context) {
                    return Poll::Ready(ended);
                }
                if !self.answer_some(service, context) {
                    return Poll::Pending;
                }
            }
            let polled = connection.as_mut().poll(context);
            for request in self.waiting() {
                task::spawn_local(request);
            }
            polled
        })
        .await
    }

    /// Begins to answer a few requests. Returns whether there are any.
    fn answer_some(&self, service: &Service, context: &mut Context<'_>) -> bool {
        let mut has_some = false;
        for mut request in self.waiting().take(TOGETHER) {
            has_some = true;
            // A panic ends this request, and not those of other clients.
            let polled = service.caught_in(|| request.as_mut().poll(context));
            if polled.is_ok_and(|polled| polled.is_pending()) {
                task::spawn_local(request);
            }
        }
        has_some
    }

    /// Takes the requests, one after the other.
    fn waiting(&self) -> impl Iterator<Item = Answering> {
        std::iter::from_fn(|| self.0.try_borrow_mut().ok()?.pop_front())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::service::tests::in_service;

    /// What happens, in order.
    #[derive(Clone, Copy, Debug, PartialEq, Eq)]
    enum Event {
        Sent,
        Answered(usize),
        OfAnother,
    }

    type Events = Rc<RefCell<Vec<Event>>>;

    fn count(events: &Events) -> usize {
        let is_answer = |event: &&Event| matches!(event, Event::Answered(_));
        events.borrow().iter().filter(is_answer).count()
    }

    /// A connection on which these requests arrive at once. It ends when so many are answered.
    async fn connection(
        arrivals: Arrivals,
        events: Events,
        requests: Vec<Answering>,
        answers: usize,
    ) {
        let mut requests = requests.into_iter();
        poll_fn(|context| {
            events.borrow_mut().push(Event::Sent);
            requests
                .by_ref()
                .for_each(|request| arrivals.execute(request));
            if count(&events) == answers {
                return Poll::Ready(());
            }
            context.waker().wake_by_ref();
            Poll::Pending
        })
        .await;
    }

    fn answered(events: &Events, number: usize) -> Answering {
        let events = Rc::clone(events);
        Box::pin(async move { events.borrow_mut().push(Event::Answered(number)) })
    }

    #[test]
    fn the_answers_of_a_few_requests_are_sent_before_the_others_are_judged() {
        in_service(|service, _| async move {
            let (requests, events) = (Requests::default(), Events::default());
            let all = (0..6).map(|number| answered(&events, number)).collect();
            let connection = connection(requests.arrivals(), Rc::clone(&events), all, 6);
            requests.serve(&service, connection).await;
            let numbers = |range: std::ops::Range<usize>| range.map(Event::Answered);
            let mut expected = vec![Event::Sent];
            expected.extend(numbers(0..4));
            expected.push(Event::Sent);
            expected.extend(numbers(4..6));
            expected.push(Event::Sent);
            assert_eq!(*events.borrow(), expected);
        });
    }

    #[test]
    fn a_panic_and_a_request_that_waits_stop_no_other() {
        in_service(|service, registry| async move {
            let (requests, events) = (Requests::default(), Events::default());
            let later = Rc::clone(&events);
            let all: Vec<Answering> = vec![
                Box::pin(async { panic!("a deliberate panic") }),
                Box::pin(async move {
                    task::yield_now().await;
                    later.borrow_mut().push(Event::Answered(0));
                }),
                answered(&events, 1),
            ];
            let connection = connection(requests.arrivals(), Rc::clone(&events), all, 2);
            requests.serve(&service, connection).await;
            let (first, second) = (Event::Answered(1), Event::Answered(0));
            let order: Vec<Event> = events.borrow().iter().copied().collect();
            let at = |event| order.iter().position(|known| *known == event);
            assert!(at(first) < at(second), "{order:?}");
            assert_eq!(registry.panics(), 1);
        });
    }

    #[test]
    fn other_connections_have_their_turn() {
        in_service(|service, _| async move {
            const MANY: usize = 10 * TIMES * TOGETHER;
            let (requests, events) = (Requests::default(), Events::default());
            let all = (0..MANY).map(|number| answered(&events, number)).collect();
            let connection = connection(requests.arrivals(), Rc::clone(&events), all, MANY);
            let of_another = Rc::clone(&events);
            task::spawn_local(async move { of_another.borrow_mut().push(Event::OfAnother) });
            requests.serve(&service, connection).await;
            let order: Vec<Event> = events.borrow().iter().copied().collect();
            let before = order.iter().position(|event| *event == Event::OfAnother);
            let before = &order[..before.unwrap()];
            let answered = before.iter().filter(|event| **event != Event::Sent);
            assert_eq!(answered.count(), TIMES * TOGETHER);
        });
    }
}
