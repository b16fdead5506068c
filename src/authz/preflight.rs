//! Preflights. They are answered before any other check.

use super::{Decision, Facts, Learned, PreflightStep, Refusal, Step, Target, Trace, Verdict};
use crate::cors::{Preflight, PreflightAnswer, RouteMethods};
use crate::http::{LocalReply, RequestHead, SafeText};
use crate::policy::Policy;
use crate::telemetry::Reason;

/// Answers a preflight from the policy of the route that the requested method
/// would reach. Without a route, and for a path that is refused, the top-level
/// policy answers, so that the page can read the error. A preflight needs no
/// token and never reaches the upstream. Without a policy it is treated as an
/// ordinary request.
pub(super) fn answer<T: Trace>(
    policy: &Policy,
    head: &RequestHead,
    target: Option<&Target<'_>>,
    trace: &mut T,
) -> Option<Decision> {
    let preflight = Preflight::detect(head.method()?, head.headers().iter());
    let Some(preflight) = preflight else {
        trace.step(Step::Preflight(PreflightStep::Ordinary));
        return None;
    };
    let method = preflight.requested_method().map(str::as_bytes);
    // A request with an ambiguous method is refused before its route is looked
    // up.
    let method = method.filter(|method| policy.table.has_one_reading(method));
    let reached = target.zip(method);
    let reached = reached.and_then(|(target, method)| target.reached(policy, method));
    let route = reached.map(|(_, route)| route);
    let cors = route.map_or(policy.cors.as_ref(), |route| route.cors.as_ref());
    let Some(cors) = cors else {
        let step = PreflightStep::NoPolicy(&preflight, route);
        trace.step(Step::Preflight(step));
        return None;
    };
    let methods = target.map_or_else(RouteMethods::default, |target| target.methods(policy, cors));
    let answer = preflight.answer(cors, &methods);
    let step = PreflightStep::Answered(&preflight, route, &answer.faults);
    trace.step(Step::Preflight(step));
    let (reason, reply) = reply(policy, &answer);
    Some(Decision {
        verdict: Verdict::Reply(reason, reply),
        facts: Facts {
            route: route.map(|route| route.name.clone()),
            preflight: answer.faults,
            ..Facts::default()
        },
        learned: Learned::default(),
    })
}

fn reply(policy: &Policy, answer: &PreflightAnswer<'_>) -> (Reason, LocalReply) {
    let reason = if answer.faults.is_empty() {
        Reason::Preflight
    } else {
        Reason::PreflightRefused
    };
    let mut reply = if answer.status == 204 {
        LocalReply {
            status: 204,
            headers: Vec::new(),
            body: Vec::new(),
            details: reason.details(),
        }
    } else {
        Refusal::from(reason).reply(&policy.responses)
    };
    let headers = answer.headers.iter();
    reply
        .headers
        .extend(headers.map(|(name, value)| (*name, SafeText::filtered(&**value))));
    (reason, reply)
}
