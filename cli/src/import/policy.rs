//! Resource policies of REST APIs.

use super::model::{Api, Note};
use super::scope::Scope;
use crate::tree::{Node, Value};

/// Denies all routes of an API whose resource policy restricts who may call it.
pub(super) fn restrict(scope: &Scope<'_>, api: &mut Api, node: &Node) {
    if !allows_all(scope, node) {
        let reason = "the API has a resource policy, which has no equivalent";
        api.restricted = Some(Note::new(&node.span, reason));
    }
}

/// Whether a resource policy allows everyone everything, so that it restricts nothing.
fn allows_all(scope: &Scope<'_>, policy: &Node) -> bool {
    let Some(statements) = scope.get(policy, "Statement") else {
        return false;
    };
    let statements = match &statements.value {
        Value::List(_) => scope.elements(&statements),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) | Value::Object(_) => {
            vec![statements]
        }
    };
    !statements.is_empty()
        && statements.iter().all(|statement| {
            let is = |name: &str, accepted: &[&str]| {
                statement
                    .get(name)
                    .and_then(Node::text)
                    .is_some_and(|text| accepted.contains(&text))
            };
            let anyone = is("Principal", &["*"])
                || statement
                    .descend(&["Principal", "AWS"])
                    .and_then(Node::text)
                    == Some("*");
            let plain = ["Condition", "NotAction", "NotResource", "NotPrincipal"]
                .iter()
                .all(|name| statement.get(name).is_none());
            is("Effect", &["Allow"])
                && anyone
                && plain
                && is("Action", &["execute-api:Invoke", "execute-api:*", "*"])
                && is("Resource", &["execute-api:/*", "execute-api:/*/*/*", "*"])
        })
}
