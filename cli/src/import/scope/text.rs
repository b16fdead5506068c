//! Evaluates values to texts, and the functions that make texts and lists.

use crate::import::append::append;
use std::borrow::Cow;
use std::ops::Range;

use super::{Scope, function};
use crate::tree::{Node, Value};

impl<'t> Scope<'t> {
    /// A value as text; `None` after a report.
    pub(in crate::import) fn text(&self, node: &Node) -> Option<String> {
        let Some(node) = self.resolve(node) else {
            self.problems
                .report(&node.span, "has no value (`AWS::NoValue`); write one");
            return None;
        };
        match &node.value {
            Value::Text(text) => self.not_dynamic(text, &node.span),
            Value::Bool(value) => Some(value.to_string()),
            Value::Number(number) => self.as_written(number, &node),
            Value::Object(_) => self.made_text(&node),
            Value::Null | Value::List(_) => {
                self.problems.report(&node.span, "is not text; write text");
                None
            }
        }
    }

    /// A number is accepted as text only if YAML has not changed it: `0123` is 83.
    fn as_written(&self, number: &str, node: &Node) -> Option<String> {
        if self.problems.text(&node.span) == number {
            return Some(number.to_owned());
        }
        self.problems
            .report(&node.span, "is a number, but text is needed; quote it");
        None
    }

    /// A text with a dynamic reference, such as `{{resolve:ssm:/name}}`, is known only
    /// at the deployment.
    fn not_dynamic(&self, text: &str, at: &Range<usize>) -> Option<String> {
        if !text.contains("{{resolve:") {
            return Some(text.to_owned());
        }
        let given = self.parameters.get(text).map(str::to_owned);
        if given.is_none() {
            self.problems
                .missing(at, text, &format!("the value of `{text}`"));
        }
        given
    }

    fn made_text(&self, node: &Node) -> Option<String> {
        let Some((function, argument)) = function(node) else {
            self.is_plain(node);
            self.problems
                .report(&node.span, "is an object, but text is needed; write text");
            return None;
        };
        match function {
            "Ref" => self.named(argument.text()?, &node.span),
            "Fn::GetAtt" => self.named(&self.attribute(argument)?, &node.span),
            "Fn::Sub" => self.substituted(argument),
            "Fn::Join" => self.joined(argument),
            "Fn::ImportValue" => {
                let name = self.text(argument)?;
                self.given(&name, &node.span, &format!("the export `{name}`"))
            }
            _ => {
                self.is_plain(node);
                None
            }
        }
    }

    /// The name `RESOURCE.ATTRIBUTE` of an `Fn::GetAtt`.
    pub(super) fn attribute(&self, argument: &Node) -> Option<String> {
        match &argument.value {
            Value::Text(name) => Some(name.clone()),
            Value::List(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(|part| self.text(part)).collect();
                Some(parts?.join("."))
            }
            Value::Null | Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
                self.problems.report(
                    &argument.span,
                    "`Fn::GetAtt` has the name of a resource and of an attribute; write both",
                );
                None
            }
        }
    }

    /// The value of `NAME` or `NAME.ATTRIBUTE`: of a parameter, or of a resource, whose
    /// values must be given.
    fn named(&self, name: &str, at: &Range<usize>) -> Option<String> {
        if self.parameter(name).is_some() {
            let value = self.parameter_value(name, at)?;
            if let Value::Text(text) = value {
                return Some(text);
            }
            self.problems
                .report(at, "is a list, but text is needed; join it");
            return None;
        }
        let (resource, attribute) = match name.split_once('.') {
            Some((resource, attribute)) => (resource, Some(attribute)),
            None => (name, None),
        };
        let given = attribute.and_then(|_| self.parameters.get(name));
        if let Some(given) = given {
            return Some(given.to_owned());
        }
        match (self.type_of(resource), attribute) {
            (Some("AWS::Cognito::UserPool"), None) => self.given(
                name,
                at,
                &format!("the ID of the user pool `{name}`, such as `us-east-1_EXAMPLE`"),
            ),
            (
                Some("AWS::Cognito::UserPool"),
                Some(attribute @ ("Arn" | "ProviderURL" | "ProviderName")),
            ) => {
                let pool = self.named(resource, at)?;
                self.of_pool(&pool, attribute, at)
            }
            (Some("AWS::Cognito::UserPoolClient"), None) => {
                self.given(name, at, &format!("the ID of the client `{name}`"))
            }
            _ => self.given(name, at, &format!("the value of `{name}`")),
        }
    }

    /// An attribute of a user pool, from its ID, which contains its region.
    fn of_pool(&self, pool: &str, attribute: &str, at: &Range<usize>) -> Option<String> {
        let Some((region, _)) = pool.split_once('_') else {
            self.problems.report(
                at,
                &format!(
                    "{pool:?} is not the ID of a user pool; write one such as `us-east-1_EXAMPLE`"
                ),
            );
            return None;
        };
        let (partition, domain) = if region.starts_with("cn-") {
            ("aws-cn", "amazonaws.com.cn")
        } else if region.starts_with("us-gov-") {
            ("aws-us-gov", "amazonaws.com")
        } else {
            ("aws", "amazonaws.com")
        };
        let provider = format!("cognito-idp.{region}.{domain}/{pool}");
        Some(match attribute {
            "Arn" => format!("arn:{partition}:cognito-idp:{region}::userpool/{pool}"),
            "ProviderName" => provider,
            _ => format!("https://{provider}"),
        })
    }

    /// A value that only `--param` can give.
    pub(in crate::import) fn given(
        &self,
        name: &str,
        at: &Range<usize>,
        what: &str,
    ) -> Option<String> {
        let given = self.parameters.get(name).map(str::to_owned);
        if given.is_none() {
            self.problems.missing(at, name, what);
        }
        given
    }

    /// The declaration of a parameter of the template.
    pub(super) fn parameter(&self, name: &str) -> Option<&'t Node> {
        self.root.descend(&["Parameters", name])
    }

    pub(super) fn parameter_value(&self, name: &str, at: &Range<usize>) -> Option<Value> {
        let declared = self.parameter(name)?;
        let kind = declared
            .get("Type")
            .and_then(Node::text)
            .unwrap_or_default();
        // The default of an SSM parameter is the name under which SSM has the value.
        let stored = kind.starts_with("AWS::SSM::");
        let text = match self.parameters.get(name) {
            Some(given) => given.to_owned(),
            None => match declared.get("Default") {
                Some(default) if !stored => self.text(default)?,
                Some(_) | None => {
                    self.problems.missing(
                        at,
                        name,
                        &format!("the value of the parameter `{name}`"),
                    );
                    return None;
                }
            },
        };
        if kind != "CommaDelimitedList" && !kind.contains("List<") {
            return Some(Value::Text(text));
        }
        let element = |part: &str| Node {
            span: at.clone(),
            value: Value::Text(part.trim().to_owned()),
        };
        Some(Value::List(text.split(',').map(element).collect()))
    }

    fn substituted(&self, argument: &Node) -> Option<String> {
        let (template, variables) = match argument.elements() {
            [] => (argument, None),
            [template, variables] => (template, Some(variables)),
            _ => {
                self.problems.report(
                    &argument.span,
                    "`Fn::Sub` has a text, or a text and its variables; write one of the two",
                );
                return None;
            }
        };
        let Some(mut rest) = template.text() else {
            self.problems.report(
                &template.span,
                "the text of `Fn::Sub` is not text; write text",
            );
            return None;
        };
        let mut out = String::new();
        let mut complete = true;
        while let Some((before, after)) = rest.split_once("${") {
            out.push_str(before);
            let Some((name, after)) = after.split_once('}') else {
                self.problems
                    .report(&template.span, "`${` has no `}`; close it");
                return None;
            };
            rest = after;
            if let Some(literal) = name.strip_prefix('!') {
                append(&mut out, format_args!("${{{literal}}}"));
                continue;
            }
            let name = name.trim();
            let value = match variables.and_then(|variables| variables.get(name)) {
                Some(variable) => self.text(variable),
                None => self.named(name, &template.span),
            };
            match value {
                Some(value) => out.push_str(&value),
                None => complete = false,
            }
        }
        out.push_str(rest);
        let text = complete.then_some(out)?;
        self.not_dynamic(&text, &template.span)
    }

    fn joined(&self, argument: &Node) -> Option<String> {
        let [separator, list] = argument.elements() else {
            self.problems.report(
                &argument.span,
                "`Fn::Join` has a separator and a list; write both",
            );
            return None;
        };
        let separator = self.text(separator)?;
        let list = self.resolve(list)?;
        let present = list
            .elements()
            .iter()
            .filter(|part| self.resolve(part).is_some());
        let parts: Vec<_> = present.map(|part| self.text(part)).collect();
        let parts: Option<Vec<_>> = parts.into_iter().collect();
        Some(parts?.join(&separator))
    }

    pub(super) fn split(&self, argument: &Node) -> Option<Node> {
        let [separator, text] = argument.elements() else {
            self.problems.report(
                &argument.span,
                "`Fn::Split` has a separator and a text; write both",
            );
            return None;
        };
        let (separator, text) = (self.text(separator)?, self.text(text)?);
        let element = |part: &str| Node {
            span: argument.span.clone(),
            value: Value::Text(part.to_owned()),
        };
        Some(Node {
            span: argument.span.clone(),
            value: Value::List(text.split(&*separator).map(element).collect()),
        })
    }

    pub(super) fn selected(&self, argument: &Node) -> Option<Node> {
        let [index, list] = argument.elements() else {
            self.problems.report(
                &argument.span,
                "`Fn::Select` has a number and a list; write both",
            );
            return None;
        };
        let index: Option<usize> = self.text(index)?.parse().ok();
        let list = self.resolve(list)?;
        let element = index.and_then(|index| list.elements().get(index));
        if element.is_none() {
            self.problems.report(
                &argument.span,
                "the list has no such element; correct the number",
            );
        }
        self.resolve(element?).map(Cow::into_owned)
    }

    pub(super) fn in_map(&self, argument: &Node) -> Option<Node> {
        let [map, first, second] = argument.elements() else {
            self.problems.report(
                &argument.span,
                "`Fn::FindInMap` has the names of a mapping and of two keys; write three",
            );
            return None;
        };
        let (map, first, second) = (self.text(map), self.text(first), self.text(second));
        let (map, first, second) = (map?, first?, second?);
        let found = self.root.descend(&["Mappings", &map, &first, &second]);
        if found.is_none() {
            self.problems.report(
                &argument.span,
                &format!("the mapping `{map}` has no `{first}`, `{second}`; correct the names"),
            );
        }
        found.cloned()
    }
}
