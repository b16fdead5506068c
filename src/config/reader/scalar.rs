//! Readers of single values.

use std::time::Duration;

use super::{Node, Text};
use crate::config::duration::{self, Written};
use crate::config::error::Sink;
use crate::config::problem::{Excerpt, ValueProblem, Wanted};
use crate::config::value::Value;
use crate::json::decimal;

/// Reads a name, or a value that is sent or received: not empty, without control
/// characters.
pub(in crate::config) fn text<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Text<'d>> {
    let text = any_text(node, sink)?;
    let problem = match text.value.chars().find(|character| character.is_control()) {
        Some(character) => ValueProblem::ControlCharacter(character),
        None if text.value.is_empty() => ValueProblem::EmptyText,
        None => return Some(text),
    };
    sink.report(&node.at, problem);
    None
}

/// Reads any text. A number or boolean was probably text before YAML read it.
pub(in crate::config) fn any_text<'d>(node: &Node<'d>, sink: &mut Sink) -> Option<Text<'d>> {
    let problem = match node.value {
        Value::Text(text) => return Some(node.locate(&**text)),
        Value::Number(number) => ValueProblem::UnquotedNumber(digits(number).into()),
        Value::Bool(value) => ValueProblem::UnquotedBoolean(*value),
        Value::Null | Value::List(_) | Value::Object(_) | Value::Duplicate => {
            return node.refuse(Wanted::Text, sink);
        }
    };
    sink.report(&node.at, problem);
    None
}

/// Reads one of the given words.
pub(in crate::config) fn choice<'d, T: Copy>(
    words: &'static [(&'static str, T)],
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<T> {
    move |node, sink| {
        let written = any_text(node, sink)?.value;
        let found = words.iter().find(|(word, _)| *word == written);
        if found.is_none() {
            let found = Excerpt::of(written);
            let choices = words.iter().map(|(word, _)| *word).collect();
            sink.report(&node.at, ValueProblem::NotAChoice { found, choices });
        }
        found.map(|(_, value)| *value)
    }
}

/// Reads `true` or `false`.
pub(in crate::config) fn boolean(node: &Node<'_>, sink: &mut Sink) -> Option<bool> {
    match node.value {
        Value::Bool(value) => Some(*value),
        Value::Null
        | Value::Number(_)
        | Value::Text(_)
        | Value::List(_)
        | Value::Object(_)
        | Value::Duplicate => node.refuse(Wanted::Boolean, sink),
    }
}

/// Reads a whole number from 0 to `most`.
pub(in crate::config) fn count<'d>(most: usize) -> impl Fn(&Node<'d>, &mut Sink) -> Option<usize> {
    move |node, sink| {
        let Value::Number(number) = node.value else {
            return node.refuse(Wanted::Number, sink);
        };
        let written = digits(number);
        let whole = written.strip_prefix('-').unwrap_or(&written);
        if !whole.bytes().all(|byte| byte.is_ascii_digit()) {
            sink.report(&node.at, ValueProblem::Fraction(written.into()));
            return None;
        }
        let value = written.parse().ok().filter(|value| *value <= most);
        if value.is_none() {
            let most = most.to_string().into();
            let found = written.into();
            sink.report(
                &node.at,
                ValueProblem::OutOfRange {
                    found,
                    least: "0".into(),
                    most,
                },
            );
        }
        value
    }
}

/// The number as text. A whole number is written without a fraction, although
/// proxies that pass every number as a double may send `2e4` or `20000.0`.
fn digits(number: &serde_json::Number) -> String {
    let whole = number.as_f64().filter(|double| double.fract() == 0.0);
    let whole = whole.filter(|_| number.is_f64()).and_then(decimal);
    whole.unwrap_or_else(|| number.to_string())
}

/// Reads a duration from `least` to `most`.
pub(in crate::config) fn duration<'d>(
    least: Duration,
    most: Duration,
) -> impl Fn(&Node<'d>, &mut Sink) -> Option<Duration> {
    move |node, sink| {
        let written = match node.value {
            Value::Text(text) => text,
            Value::Number(number) => {
                let found = digits(number).into();
                sink.report(&node.at, ValueProblem::NoUnit(found));
                return None;
            }
            Value::Null | Value::Bool(_) | Value::List(_) | Value::Object(_) | Value::Duplicate => {
                return node.refuse(Wanted::Duration, sink);
            }
        };
        let Some(duration) = duration::parse(written) else {
            sink.report(&node.at, ValueProblem::NotADuration(Excerpt::of(written)));
            return None;
        };
        if (least..=most).contains(&duration) {
            return Some(duration);
        }
        let problem = ValueProblem::OutOfRange {
            found: Written(duration).to_string().into(),
            least: Written(least).to_string().into(),
            most: Written(most).to_string().into(),
        };
        sink.report(&node.at, problem);
        None
    }
}
