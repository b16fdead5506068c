//! `Globals`: properties that all APIs of a kind share.

use crate::import::scope::{Scope, function};
use crate::tree::{Member, Node, Value};

/// The properties of a resource, together with those of `Globals`. Objects are merged,
/// lists are joined, and anything else of the resource replaces what is global.
pub(super) fn merged(scope: &Scope<'_>, global: Option<&Node>, own: Option<&Node>) -> Option<Node> {
    let (global, own) = match (global, own) {
        (None, None) => return None,
        (Some(one), None) | (None, Some(one)) => return Some(one.clone()),
        (Some(global), Some(own)) => (global, own),
    };
    if function(global).is_some() || function(own).is_some() {
        scope.problems.report(
            &own.span,
            "a function cannot be combined with `Globals` here; import the processed template",
        );
        return None;
    }
    Some(match (&global.value, &own.value) {
        (Value::Object(all), Value::Object(_)) => {
            let mut members: Vec<Member> = Vec::new();
            for member in all {
                let value = merged(scope, Some(&member.value), own.get(&member.name));
                members.extend(value.map(|value| Member {
                    value,
                    ..member.clone()
                }));
            }
            let new = own
                .members()
                .iter()
                .filter(|one| global.get(&one.name).is_none());
            members.extend(new.cloned());
            Node {
                span: own.span.clone(),
                value: Value::Object(members),
            }
        }
        (Value::List(first), Value::List(second)) => Node {
            span: own.span.clone(),
            value: Value::List(first.iter().chain(second).cloned().collect()),
        },
        _ => own.clone(),
    })
}
