//! Scopes and claim rules, of routes and providers.

use super::{check_distinct, distinct_texts};
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{Excerpt, ProviderProblem, RouteProblem};
use crate::config::reader::{Field, List, Text};
use crate::config::written::{ClaimRules, Requirement};
use crate::rules::{self, ClaimName, ClaimRule, Expected};

/// Which path variables a rule may name.
pub(super) enum Variables<'v, 'd> {
    /// None: the rule holds for every path.
    None,
    /// Those that every one of these patterns has, each with its place.
    OfPatterns(&'v [(Path<'d>, Vec<&'v str>)]),
    /// Not known, as some pattern could not be read.
    Unknown,
}

/// Compiles `scopes`.
pub(super) fn scopes(written: &Requirement<'_>, sink: &mut Sink) -> rules::Requirement<Box<str>> {
    let mut list = |field: &Field<List<Text<'_>>>| {
        let Field::Is(list) = field else {
            return Vec::new();
        };
        for scope in &list.items {
            if let Some(character) = scope.value.chars().find(|one| !is_scope_character(*one)) {
                sink.report(&scope.at, RouteProblem::Scope(scope.excerpt(), character));
            }
        }
        distinct_texts(list, sink)
    };
    rules::Requirement {
        any_of: list(&written.any_of),
        all_of: list(&written.all_of),
        none_of: list(&written.none_of),
    }
}

/// RFC 6749 section 3.3: visible ASCII but `"` and `\`.
const fn is_scope_character(character: char) -> bool {
    character.is_ascii_graphic() && character != '"' && character != '\\'
}

/// Compiles `claims`.
pub(super) fn claim_rules(
    written: &ClaimRules<'_>,
    variables: &Variables<'_, '_>,
    sink: &mut Sink,
) -> Vec<ClaimRule> {
    let mut compiled = Vec::with_capacity(written.len());
    for (name, requirement) in written {
        let mut list = |field: &Field<List<Text<'_>>>| {
            let Field::Is(list) = field else {
                return Vec::new();
            };
            check_distinct(list, sink);
            let value = |text: &Text<'_>| expected(text, variables, sink);
            list.items.iter().map(value).collect()
        };
        compiled.push(ClaimRule {
            name: ClaimName::new(name.value),
            requirement: rules::Requirement {
                any_of: list(&requirement.any_of),
                all_of: list(&requirement.all_of),
                none_of: list(&requirement.none_of),
            },
        });
    }
    compiled
}

/// What a claim is compared with: a text, or the variable that `{…}` names.
fn expected(text: &Text<'_>, variables: &Variables<'_, '_>, sink: &mut Sink) -> Expected {
    let Some(name) = variable(text.value) else {
        if has_variable_inside(text.value) {
            sink.report(&text.at, RouteProblem::PartOfText(text.excerpt()));
        }
        return Expected::Text(text.value.into());
    };
    match variables {
        Variables::Unknown => {}
        Variables::None => sink.report(&text.at, ProviderProblem::Variable(text.excerpt())),
        Variables::OfPatterns(patterns) => {
            let lacking = patterns.iter().find(|(_, names)| !names.contains(&name));
            if let Some((pattern, _)) = lacking {
                let problem = RouteProblem::NoSuchVariable {
                    name: Excerpt::of(name),
                    pattern: pattern.to_owned(),
                };
                sink.report(&text.at, problem);
            }
        }
    }
    Expected::Variable(name.into())
}

/// The name in `{name}`, where the text is nothing else. `{name+}` is written
/// in patterns; the variable is `name` there too.
fn variable(text: &str) -> Option<&str> {
    let name = text.strip_prefix('{')?.strip_suffix('}')?;
    let name = name.strip_suffix('+').unwrap_or(name);
    is_variable_name(name).then_some(name)
}

/// Whether a text looks like one that somebody wants filled in, as in
/// `user-{id}`; other braces are text.
fn has_variable_inside(text: &str) -> bool {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .any(|(name, _)| is_variable_name(name.strip_suffix('+').unwrap_or(name)))
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_around_a_name_are_a_variable() {
        for (text, name) in [
            ("{id}", Some("id")),
            ("{proxy+}", Some("proxy")),
            ("{a.b-c_1}", Some("a.b-c_1")),
            ("{}", None),
            ("{a b}", None),
            ("{id", None),
            ("id}", None),
            ("id", None),
            ("{a}{b}", None),
            ("", None),
        ] {
            assert_eq!(variable(text), name, "{text}");
        }
    }

    #[test]
    fn a_name_in_braces_beside_other_text_is_no_plain_text() {
        for text in ["user-{id}", "{a}{b}", " {id}", "{{id}}", "x{id+}y"] {
            assert!(has_variable_inside(text), "{text}");
        }
        for text in ["{", "{}", "}{", "{\"a\":1}", "a{b", "{a b}"] {
            assert!(!has_variable_inside(text), "{text}");
        }
    }
}
