//! `Auth` of an API and of an event.

use std::collections::BTreeMap;
use std::ops::Range;

use crate::import::authorizer::{self, API_KEY, IAM};
use crate::import::model::{Authorizer, Kind, Rule, Scopes};
use crate::import::scope::Scope;
use crate::tree::Node;

/// Who may use the routes of an API.
#[derive(Default)]
pub(super) struct Auth {
    default: Option<String>,
    /// Each with the scopes of routes that name none.
    authorizers: BTreeMap<String, (Range<usize>, Node, Vec<String>)>,
    key_needed: bool,
}

impl Auth {
    pub(super) fn read(scope: &Scope<'_>, node: &Node) -> Self {
        let mut auth = Self {
            default: scope
                .get(node, "DefaultAuthorizer")
                .and_then(|name| scope.text(&name)),
            authorizers: BTreeMap::new(),
            key_needed: scope
                .get(node, "ApiKeyRequired")
                .is_some_and(|flag| scope.flag(&flag)),
        };
        if let Some(all) = scope.get(node, "Authorizers") {
            for (member, settings) in scope.members(&all) {
                let scopes = scope
                    .get(&settings, "AuthorizationScopes")
                    .map_or_else(Vec::new, |list| scope.texts(&list));
                let entry = (member.name_span.clone(), settings.into_owned(), scopes);
                auth.authorizers.insert(member.name.clone(), entry);
            }
        }
        auth
    }

    /// The rule of an event with its own `Auth`.
    pub(super) fn of_event(&self, scope: &Scope<'_>, own: &Node) -> Rule {
        let name = scope
            .get(own, "Authorizer")
            .and_then(|name| scope.text(&name));
        let scopes = scope
            .get(own, "AuthorizationScopes")
            .map(|list| scope.texts(&list));
        if scope.get(own, "ResourcePolicy").is_some() {
            return Rule::Denied("it has a resource policy, which has no equivalent".to_owned());
        }
        let key = scope.get(own, "ApiKeyRequired");
        let key = key.map_or(self.key_needed, |flag| scope.flag(&flag));
        if key {
            return Rule::Denied(API_KEY.to_owned());
        }
        self.decide(name.as_deref(), scopes)
    }

    /// The rule for an authorizer and scopes; absent ones are those of the API.
    pub(super) fn rule(&self, name: Option<&str>, scopes: Option<Vec<String>>) -> Rule {
        if self.key_needed {
            return Rule::Denied(API_KEY.to_owned());
        }
        self.decide(name, scopes)
    }

    fn decide(&self, name: Option<&str>, scopes: Option<Vec<String>>) -> Rule {
        let Some(name) = name.or(self.default.as_deref()) else {
            return if scopes.is_none_or(|scopes| scopes.is_empty()) {
                Rule::Public
            } else {
                Rule::Denied("it has scopes, but no authorizer".to_owned())
            };
        };
        match (name, self.authorizers.get(name)) {
            (_, Some((_, _, usual))) => {
                let scopes = scopes.unwrap_or_else(|| usual.clone());
                Rule::Token(vec![name.to_owned()], Scopes::AnyOf(scopes))
            }
            ("NONE", None) => Rule::Public,
            ("AWS_IAM", None) => Rule::Denied(IAM.to_owned()),
            (_, None) => Rule::Denied(format!("its authorizer `{name}` is not in the file")),
        }
    }

    /// An authorizer that a route names.
    pub(super) fn authorizer(
        &self,
        scope: &Scope<'_>,
        kind: Kind,
        name: &str,
    ) -> Option<Authorizer> {
        let (at, settings, _) = self.authorizers.get(name)?;
        let get = |member: &str| scope.get(settings, member);
        if kind == Kind::Http {
            return Some(match get("JwtConfiguration") {
                Some(jwt) => {
                    let sources = get("IdentitySource");
                    let sources = sources.map_or_else(Vec::new, |list| scope.texts(&list));
                    authorizer::jwt(scope, at, Some(&jwt), &sources)
                }
                None => authorizer::lambda(at, name),
            });
        }
        let Some(pools) = get("UserPoolArn") else {
            return Some(authorizer::lambda(at, name));
        };
        let identity = |member: &str| scope.descend(settings, &["Identity", member]);
        let header = identity("Header").and_then(|header| scope.text(&header));
        let source = format!(
            "method.request.header.{}",
            header.as_deref().unwrap_or("Authorization")
        );
        let restricted = identity("ValidationExpression").is_some();
        Some(authorizer::cognito(
            scope,
            at,
            Some(&pools),
            &[source],
            restricted,
        ))
    }
}
