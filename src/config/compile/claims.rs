//! Scopes and claim rules, of routes and providers.

use super::template::{Template, TemplateError};
use super::token_from::{TokenPlaces, not_compared};
use super::{Seen, check_distinct, distinct_texts};
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{ClaimProblem, Excerpt, HeaderProblem, Reserved, RouteProblem};
use crate::config::reader::{Field, List, Text};
use crate::config::suggest::nearest;
use crate::config::written::{ClaimRules, Requirement, RuleValue};
use crate::http::HeaderName;
use crate::rules::{
    self, BadImplications, ClaimName, ClaimRule, Expected, RequestPart, ScopeImplications,
};
use std::collections::BTreeMap;

/// The parts of a request that a rule may compare a claim with.
pub(super) struct Comparable<'v, 'd> {
    pub(super) variables: Variables<'v, 'd>,
    /// The token places, which no claim may be compared with.
    pub(super) token_places: &'v TokenPlaces,
}

/// Which path variables a rule may name.
pub(super) enum Variables<'v, 'd> {
    /// No variable: the rule holds for every path.
    None,
    /// Variables that each of these patterns has. The patterns come with their
    /// places.
    OfPatterns(&'v [(Path<'d>, Vec<&'v str>)]),
    /// Unknown, since some pattern could not be read.
    Unknown,
}

/// Compiles `scopes`.
pub(super) fn scopes(
    written: &Requirement<Text<'_>>,
    sink: &mut Sink,
) -> rules::Requirement<Box<str>> {
    let mut list = |field: &Field<List<Text<'_>>>| {
        let Field::Is(list) = field else {
            return Vec::new();
        };
        for scope in &list.items {
            check_scope(scope, sink);
        }
        distinct_texts(list, sink)
    };
    rules::Requirement {
        any_of: list(&written.any_of),
        all_of: list(&written.all_of),
        none_of: list(&written.none_of),
    }
}

/// Compiles `scope_implies`.
pub(super) fn scope_implies(
    written: Field<Vec<(Text<'_>, List<Text<'_>>)>>,
    sink: &mut Sink,
) -> ScopeImplications {
    let mut all = BTreeMap::new();
    for (broad, narrow) in written.read().into_iter().flatten() {
        check_scope(&broad, sink);
        for scope in &narrow.items {
            check_scope(scope, sink);
        }
        check_distinct(&narrow, sink);
        let narrow: Vec<_> = narrow.items.iter().map(|scope| scope.value).collect();
        all.insert(broad.value, narrow);
    }
    ScopeImplications::new(&all).unwrap_or_else(|problem| {
        let problem = match problem {
            BadImplications::TooMany => RouteProblem::TooManyImplyingScopes,
            BadImplications::Circle(scopes) => {
                RouteProblem::ScopeCircle(scopes.iter().map(|scope| Excerpt::of(scope)).collect())
            }
        };
        sink.report(&Path::root().member("scope_implies"), problem);
        ScopeImplications::default()
    })
}

/// Refuses a scope that a challenge or a token cannot contain.
pub(super) fn check_scope(scope: &Text<'_>, sink: &mut Sink) {
    if let Some(character) = scope.value.chars().find(|one| !is_scope_character(*one)) {
        sink.report(&scope.at, RouteProblem::Scope(scope.excerpt(), character));
    }
}

/// RFC 6749 section 3.3: visible ASCII except `"` and `\`.
const fn is_scope_character(character: char) -> bool {
    character.is_ascii_graphic() && character != '"' && character != '\\'
}

/// Compiles `claims`.
pub(super) fn claim_rules(
    written: &ClaimRules<'_>,
    comparable: &Comparable<'_, '_>,
    sink: &mut Sink,
) -> Vec<ClaimRule> {
    let mut compiled = Vec::with_capacity(written.len());
    for (name, requirement) in written {
        let mut list = |field: &Field<List<RuleValue<'_>>>| {
            let Field::Is(list) = field else {
                return Vec::new();
            };
            check_distinct_values(list, sink);
            let value = |value: &RuleValue<'_>| comparable.expected(value, sink);
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

fn check_distinct_values(list: &List<RuleValue<'_>>, sink: &mut Sink) {
    if list.items.len() < 2 {
        return;
    }
    let (mut texts, mut prefixes) = (Seen::default(), Seen::default());
    for value in &list.items {
        match value {
            RuleValue::Text(text) => texts.check(&text.at, text.value, sink),
            RuleValue::Prefix(text) => prefixes.check(&text.at, text.value, sink),
        };
    }
}

impl Comparable<'_, '_> {
    /// The value that a claim is compared with.
    fn expected(&self, written: &RuleValue<'_>, sink: &mut Sink) -> Expected {
        let (text, is_prefix) = match written {
            RuleValue::Text(text) => (text, false),
            RuleValue::Prefix(text) => (text, true),
        };
        let template = match Template::parse(text.value) {
            Ok(None) if is_prefix => return Expected::Prefix(text.value.into()),
            Ok(None) => return Expected::Text(text.value.into()),
            Ok(Some(_)) | Err(_) if is_prefix => {
                sink.report(&text.at, ClaimProblem::InPrefix(text.excerpt()));
                return Expected::Prefix(text.value.into());
            }
            Ok(Some(template)) => template,
            Err(error) => {
                let excerpt = text.excerpt();
                sink.report(
                    &text.at,
                    match error {
                        TemplateError::VariableBesideText => ClaimProblem::PartOfText(excerpt),
                        TemplateError::BesideText => ClaimProblem::RequestInText(excerpt),
                        TemplateError::Blanks => ClaimProblem::Blanks(excerpt),
                        TemplateError::QueryName => ClaimProblem::QueryName(excerpt),
                    },
                );
                return Expected::Text(text.value.into());
            }
        };
        Expected::Part(match template {
            Template::Variable(name) => {
                self.check_variable(text, name, sink);
                RequestPart::Variable(name.into())
            }
            Template::Header(name) => {
                self.check_no_variable(text, sink);
                RequestPart::Header(self.header(text, name, sink))
            }
            Template::Query(name) => {
                self.check_no_variable(text, sink);
                if self.token_places.has_query(name) {
                    let problem = ClaimProblem::NotCompared {
                        name: Excerpt::of(name),
                        because: Reserved::Token,
                    };
                    sink.report(&text.at, problem);
                }
                RequestPart::Query(name.into())
            }
        })
    }

    fn check_variable(&self, text: &Text<'_>, name: &str, sink: &mut Sink) {
        let meant = || Template::probably(name).map(|meant| Excerpt::of(&meant));
        match self.variables {
            Variables::Unknown => {}
            Variables::None => {
                let value = text.excerpt();
                let meant = meant();
                sink.report(&text.at, ClaimProblem::OfProvider { value, meant });
            }
            Variables::OfPatterns(patterns) => {
                let lacking = patterns.iter().find(|(_, names)| !names.contains(&name));
                let Some((pattern, names)) = lacking else {
                    return;
                };
                let near = || {
                    let near = nearest(name, names.iter())?;
                    Some(Excerpt::of(&format!("{{{near}}}")))
                };
                let problem = ClaimProblem::NoSuchVariable {
                    name: Excerpt::of(name),
                    pattern: pattern.to_owned(),
                    meant: meant().or_else(near),
                };
                sink.report(&text.at, problem);
            }
        }
    }

    /// Refuses a header or query parameter that is also a path variable: both
    /// are written alike.
    fn check_no_variable(&self, text: &Text<'_>, sink: &mut Sink) {
        let Variables::OfPatterns(patterns) = self.variables else {
            return;
        };
        let name = text.value.trim_matches(['{', '}']);
        let having = patterns.iter().find(|(_, names)| names.contains(&name));
        if let Some((pattern, _)) = having {
            let problem = ClaimProblem::AlsoVariable {
                value: text.excerpt(),
                pattern: pattern.to_owned(),
            };
            sink.report(&text.at, problem);
        }
    }

    /// The name of a header, in lower case.
    fn header(&self, text: &Text<'_>, name: &str, sink: &mut Sink) -> Box<str> {
        let Ok(header) = HeaderName::parse(name) else {
            let excerpt = Excerpt::of(name);
            let problem = if name.starts_with(':') {
                HeaderProblem::Pseudo(excerpt)
            } else {
                HeaderProblem::NotAName(excerpt)
            };
            sink.report(&text.at, problem);
            return name.into();
        };
        if let Some(because) = not_compared(&header, self.token_places) {
            let name = Excerpt::of(name);
            sink.report(&text.at, ClaimProblem::NotCompared { name, because });
        }
        header.as_str().into()
    }
}
