//! The condition of a route about MCP requests.

use super::Seen;
use crate::config::error::Sink;
use crate::config::problem::{RouteProblem, ValueProblem};
use crate::config::reader::{Field, Text};
use crate::config::written::{Mcp, McpName as WrittenName};
use crate::http::{MAX_MCP_VALUE, MethodPattern, RoutePattern};
use crate::policy::routes::{McpCondition, McpName};

/// The requests of a route.
pub(super) enum Requests {
    Every,
    Of(McpCondition),
    /// They could not be read.
    Unknown,
}

impl Requests {
    pub(super) fn condition(&self) -> Option<&McpCondition> {
        match self {
            Self::Of(condition) => Some(condition),
            Self::Every | Self::Unknown => None,
        }
    }
}

/// Compiles `mcp`.
pub(super) fn compile(written: &Field<Mcp<'_>>, sink: &mut Sink) -> Requests {
    match written {
        Field::Absent => Requests::Every,
        Field::Unreadable => Requests::Unknown,
        Field::Is(written) => match condition(written, sink) {
            Some(condition) => Requests::Of(condition),
            None => Requests::Unknown,
        },
    }
}

fn condition(written: &Mcp<'_>, sink: &mut Sink) -> Option<McpCondition> {
    let methods = methods(written, sink);
    let names = names(written, sink);
    let several = methods.as_ref().is_some_and(|methods| methods.len() > 1);
    if several && written.name.is_present() {
        let at = written.at.member("name");
        sink.report(&at, RouteProblem::NameOfSeveralMethods);
        return None;
    }
    Some(McpCondition {
        methods: methods?,
        names: names?,
    })
}

fn methods(written: &Mcp<'_>, sink: &mut Sink) -> Option<Vec<Box<str>>> {
    let list = written.method.as_ref().read()?;
    let mut seen = Seen::default();
    let mut methods = Vec::with_capacity(list.items.len());
    for text in &list.items {
        if can_be_sent(text, sink) && seen.check(&text.at, text.value, sink) {
            methods.push(text.value.into());
        }
    }
    (list.complete && methods.len() == list.items.len()).then_some(methods)
}

fn names(written: &Mcp<'_>, sink: &mut Sink) -> Option<Vec<McpName>> {
    let list = match &written.name {
        Field::Absent => return Some(Vec::new()),
        Field::Unreadable => return None,
        Field::Is(list) => list,
    };
    let (mut exact, mut prefixes) = (Seen::default(), Seen::default());
    let mut names = Vec::with_capacity(list.items.len());
    for name in &list.items {
        let (text, seen, name) = match name {
            WrittenName::Text(text) => (text, &mut exact, McpName::Exact(text.value.into())),
            WrittenName::Prefix(text) => (text, &mut prefixes, McpName::Prefix(text.value.into())),
        };
        if can_be_sent(text, sink) && seen.check(&text.at, text.value, sink) {
            names.push(name);
        }
    }
    (list.complete && names.len() == list.items.len()).then_some(names)
}

/// Whether the value of an MCP header can be this text. Requests with others are refused.
fn can_be_sent(text: &Text<'_>, sink: &mut Sink) -> bool {
    if let Some(character) = text.value.chars().find(|character| character.is_control()) {
        sink.report(&text.at, ValueProblem::ControlCharacter(character));
        return false;
    }
    if text.value.len() > MAX_MCP_VALUE {
        sink.report(&text.at, RouteProblem::LongMcpValue);
        return false;
    }
    true
}

/// Refuses a pattern for which no request could meet the condition.
pub(super) fn check_pattern(text: &Text<'_>, pattern: &RoutePattern, sink: &mut Sink) -> bool {
    let is_post = match pattern {
        RoutePattern::Default => false,
        RoutePattern::Path { method, .. } => match method {
            MethodPattern::Any => false,
            MethodPattern::Named(method) => method.as_str() == "POST",
        },
    };
    if !is_post {
        sink.report(&text.at, RouteProblem::McpNotPost(text.excerpt()));
    }
    is_post
}
