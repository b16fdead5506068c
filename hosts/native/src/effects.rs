//! The effects of a judge.

use edge_authz::engine::{Answer, Effect, StreamId};
use edge_authz::host::{Report, Reporting};

/// Reports measurements and events of a judge, and passes on its decisions. Returns the one
/// about the request `here`; the others are about requests that wait.
pub fn apply<R: Reporting>(
    effects: Vec<Effect>,
    report: &Report<R>,
    here: Option<StreamId>,
    mut waiting: impl FnMut(Box<Answer>),
) -> Option<Box<Answer>> {
    let mut decided = None;
    for effect in effects {
        match effect {
            Effect::Answer(answer) if Some(answer.stream) == here => decided = Some(answer),
            Effect::Answer(answer) => waiting(answer),
            Effect::Measure(measurement) => report.measure(measurement),
            Effect::Log(event) => report.log(&event),
            // A judge fetches nothing.
            Effect::Fetch(_) => {}
        }
    }
    decided
}
