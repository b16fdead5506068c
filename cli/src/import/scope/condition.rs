//! Evaluates a template's conditions.

use std::ops::Range;

use super::Scope;
use crate::tree::{Node, Value};

/// The most conditions that may refer to each other in a chain. `CloudFormation`'s
/// templates have far fewer, and the stack is limited.
const MAX_CHAIN: usize = 64;

impl Scope<'_> {
    /// The result of a named condition; `None` after a report.
    pub(super) fn condition(&self, name: &str, at: &Range<usize>) -> Option<bool> {
        if let Some(known) = self.conditions.borrow().get(name) {
            return *known;
        }
        let Some(node) = self.root.descend(&["Conditions", name]) else {
            self.problems.report(
                at,
                &format!("there is no condition `{name}`; correct the name"),
            );
            return None;
        };
        if self.depth.get() >= MAX_CHAIN {
            self.problems.report(
                at,
                "its conditions refer to each other too often; simplify them",
            );
            return None;
        }
        // A condition that refers to itself finds this entry.
        self.conditions.borrow_mut().insert(name.to_owned(), None);
        self.depth.set(self.depth.get().saturating_add(1));
        let result = self.test(node);
        self.depth.set(self.depth.get().saturating_sub(1));
        if result.is_none() {
            self.problems.report(
                at,
                &format!("the condition `{name}` cannot be evaluated; see the other errors"),
            );
        }
        self.conditions.borrow_mut().insert(name.to_owned(), result);
        result
    }

    fn test(&self, node: &Node) -> Option<bool> {
        if let Value::Bool(value) = &node.value {
            return Some(*value);
        }
        let [member] = node.members() else {
            self.problems.report(
                &node.span,
                "is not a condition; write one function, such as `Fn::Equals`",
            );
            return None;
        };
        let argument = &member.value;
        // All are evaluated, so that all missing values are reported at once.
        let all = || -> Option<Vec<bool>> {
            let results: Vec<_> = argument
                .elements()
                .iter()
                .map(|one| self.test(one))
                .collect();
            results.into_iter().collect()
        };
        match &*member.name {
            "Condition" => self.condition(argument.text()?, &argument.span),
            "Fn::And" => Some(all()?.into_iter().all(|one| one)),
            "Fn::Or" => Some(all()?.into_iter().any(|one| one)),
            "Fn::Not" => match *all()? {
                [one] => Some(!one),
                _ => None,
            },
            "Fn::Equals" => {
                let [left, right] = argument.elements() else {
                    return None;
                };
                let (left, right) = (self.text(left), self.text(right));
                Some(left? == right?)
            }
            other => {
                self.problems.report(
                    &member.name_span,
                    &format!(
                        "`{other}` is not known in a condition; import the processed template"
                    ),
                );
                None
            }
        }
    }
}
