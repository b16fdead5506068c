//! `authentication` of a route.

use super::{distinct_texts, is_quotable};
use crate::config::duration::Written;
use crate::config::error::Sink;
use crate::config::problem::{RouteProblem, ValueProblem};
use crate::config::reader::{List, Text};
use crate::config::written;
use crate::rules::Authentication;

/// Compiles `authentication`.
pub(super) fn compile(written: &written::Authentication<'_>, sink: &mut Sink) -> Authentication {
    let acr = written.acr.as_ref().read();
    let max_age = written.max_age.as_ref().read().copied();
    if let Some(max_age) = max_age.filter(|age| age.subsec_nanos() > 0) {
        let problem = ValueProblem::NotWholeSeconds(Written(max_age).to_string().into());
        sink.report(&written.at.member("max_age"), problem);
    }
    Authentication {
        acr_values: acr.map(|list| acr_values(list, sink)),
        max_age,
    }
}

fn acr_values(list: &List<Text<'_>>, sink: &mut Sink) -> Box<str> {
    for word in &list.items {
        let is_unsafe = |one: &char| *one == ' ' || !is_quotable(*one);
        if let Some(character) = word.value.chars().find(is_unsafe) {
            sink.report(&word.at, RouteProblem::Acr(word.excerpt(), character));
        }
    }
    distinct_texts(list, sink).join(" ").into()
}
