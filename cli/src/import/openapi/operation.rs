//! The operations of a document, and who may use them.

use std::borrow::Cow;

use super::Document;
use super::path::widened;
use crate::import::authorizer::{API_KEY, IAM, MOCK};
use crate::import::cors;
use crate::import::model::{Api, Cors, Kind, Route, Rule, Scopes};
use crate::tree::{Member, Node, Value};

const METHODS: [&str; 9] = [
    "get", "put", "post", "delete", "options", "head", "patch", "trace", "query",
];

/// Reads operations into an API.
pub(super) struct Operations<'o, 'd> {
    document: &'o Document<'d>,
    api: &'o mut Api,
    /// The security of operations that have none of their own.
    common: Option<Cow<'d, Node>>,
    /// The CORS policies of mock integrations.
    answers: Vec<Cors>,
}

/// One alternative: schemes that are all needed, each with its scopes.
type Requirement = Vec<(String, Vec<String>)>;

impl<'o, 'd> Operations<'o, 'd> {
    pub(super) fn new(document: &'o Document<'d>, api: &'o mut Api) -> Self {
        Self {
            common: document.scope.get(document.root, "security"),
            document,
            api,
            answers: Vec::new(),
        }
    }

    /// Reads the operations of a path.
    pub(super) fn path(&mut self, path: &Member, item: &Node) {
        let scope = self.document.scope;
        let (pattern, narrower) = widened(&path.name);
        if pattern != "$default" {
            self.api
                .paths
                .push((pattern.clone(), path.name_span.clone()));
        }
        for (member, operation) in scope.members(item) {
            let any = member.name == "x-amazon-apigateway-any-method";
            if !any && !METHODS.contains(&&*member.name) {
                if member.name == "servers" || member.name == "additionalOperations" {
                    self.api.leave_out(
                        &member.name_span,
                        format!("`{}` of `{}`", member.name, path.name),
                    );
                }
                continue;
            }
            let method = if any {
                "ANY".to_owned()
            } else {
                member.name.to_ascii_uppercase()
            };
            let mut rule = match &narrower {
                Some(reason) => Rule::Denied(reason.clone()),
                None => self.rule(&operation),
            };
            if self.api.kind == Kind::Rest
                && method == "OPTIONS"
                && self.is_mock(member, &operation)
            {
                rule = Rule::Denied(MOCK.to_owned());
            }
            let pattern = match &*pattern {
                "$default" => pattern.clone(),
                _ => format!("{method} {pattern}"),
            };
            self.api
                .routes
                .push(Route::new(pattern, &member.name_span, rule));
        }
    }

    /// Settings that several operations have in common.
    pub(super) fn finish(self) {
        cors::common(self.api, self.answers);
    }

    /// Whether an operation has a mock integration. Its CORS headers are collected.
    fn is_mock(&mut self, member: &Member, operation: &Node) -> bool {
        let scope = self.document.scope;
        let Some(integration) = scope.get(operation, "x-amazon-apigateway-integration") else {
            return false;
        };
        let kind = scope
            .get(&integration, "type")
            .and_then(|kind| scope.text(&kind));
        if !kind.is_some_and(|kind| kind.eq_ignore_ascii_case("mock")) {
            return false;
        }
        let responses = scope.get(&integration, "responses");
        let answer = responses.as_deref().and_then(|responses| {
            let responses = scope.members(responses);
            responses.iter().find_map(|(_, response)| {
                let parameters = scope.get(response, "responseParameters")?;
                cors::mock(scope, &member.name_span, &parameters)
            })
        });
        match answer {
            Some(answer) => self.answers.push(answer),
            None => self.api.leave_out(
                &member.name_span,
                "its mock integration sets no CORS headers",
            ),
        }
        true
    }

    fn rule(&self, operation: &Node) -> Rule {
        let scope = self.document.scope;
        let own = scope.get(operation, "security");
        let security = own.as_deref().or(self.common.as_deref());
        if let Some(auth) = scope.get(operation, "x-amazon-apigateway-auth") {
            let kind = scope.get(&auth, "type").and_then(|kind| scope.text(&kind));
            match kind.as_deref() {
                Some("NONE") if security.is_none() => {}
                Some("AWS_IAM") => return Rule::Denied(IAM.to_owned()),
                _ => return Rule::Denied("its authorization is contradictory".to_owned()),
            }
        }
        let Some(security) = security else {
            return Rule::Public;
        };
        if !matches!(security.value, Value::List(_)) {
            scope.problems.report(
                &security.span,
                "is not a list of requirements; write a list",
            );
            return Rule::Denied("its security is not a list".to_owned());
        }
        let requirements: Vec<Requirement> = scope
            .elements(security)
            .iter()
            .map(|one| {
                let members = scope.members(one).into_iter();
                members
                    .map(|(member, scopes)| (member.name.clone(), scope.texts(&scopes)))
                    .collect()
            })
            .collect();
        self.alternatives(&requirements)
    }

    /// The rule for alternatives, of which one must be met.
    fn alternatives(&self, requirements: &[Requirement]) -> Rule {
        let denied = |reason: &str| Rule::Denied(reason.to_owned());
        match requirements {
            [] => return Rule::Public,
            [one] => return self.all(one),
            _ => {}
        }
        if self.document.gateway {
            return denied("it has alternative requirements, which API Gateway does not enforce");
        }
        let several = "its alternative requirements cannot be expressed";
        let mut names: Vec<String> = Vec::new();
        let mut lists: Vec<&Vec<String>> = Vec::new();
        let mut anonymous = false;
        for requirement in requirements {
            match (&**requirement, self.all(requirement)) {
                ([], _) => anonymous = true,
                ([(name, scopes)], Rule::Token(..)) => {
                    lists.push(scopes);
                    if !names.contains(name) {
                        names.push(name.clone());
                    }
                }
                _ => return denied(several),
            }
        }
        let same = lists.windows(2).all(|pair| pair.first() == pair.last());
        let first = lists.first().map_or_else(Vec::new, |list| (*list).clone());
        match (anonymous, names.len()) {
            (true, 0) => Rule::Public,
            (true, _) if lists.iter().all(|list| list.is_empty()) => Rule::Optional(names),
            (false, _) if same => Rule::Token(names, Scopes::AllOf(first)),
            // `[a]` or `[b]` of one scheme is any of both.
            (false, 1) if lists.iter().all(|list| list.len() == 1) => {
                let any = lists.into_iter().flatten().cloned().collect();
                Rule::Token(names, Scopes::AnyOf(any))
            }
            (true | false, _) => denied(several),
        }
    }

    /// The rule for schemes that are all needed.
    fn all(&self, schemes: &Requirement) -> Rule {
        match &**schemes {
            [] => Rule::Public,
            [(name, scopes)] => self.one(name, scopes),
            _ => Rule::Denied("it needs several security schemes at the same time".to_owned()),
        }
    }

    fn one(&self, name: &str, scopes: &[String]) -> Rule {
        let scope = self.document.scope;
        let gateway = self.document.gateway;
        let Some(scheme) = self.document.scheme(name) else {
            // SAM writes this name where an event has no authorizer.
            return if gateway && name == "NONE" && scopes.is_empty() {
                Rule::Public
            } else {
                Rule::Denied(format!("the security scheme `{name}` is not in the file"))
            };
        };
        let text = |member: &str| {
            scope
                .get(&scheme, member)
                .and_then(|node| scope.text(&node))
        };
        let is = |member: &str, value: &str| {
            text(member).is_some_and(|text| text.eq_ignore_ascii_case(value))
        };
        let token = |scopes| Rule::Token(vec![name.to_owned()], scopes);
        if scheme.get("x-amazon-apigateway-authorizer").is_some() {
            return token(Scopes::AnyOf(scopes.to_vec()));
        }
        if is("x-amazon-apigateway-authtype", "awsSigv4") {
            return Rule::Denied(IAM.to_owned());
        }
        if gateway {
            return Rule::Denied(if is("type", "apiKey") {
                API_KEY.to_owned()
            } else {
                format!("API Gateway ignores the security scheme `{name}`, which has no authorizer")
            });
        }
        let bearer = is("type", "http") && is("scheme", "bearer");
        if bearer || is("type", "oauth2") || is("type", "openIdConnect") {
            return token(Scopes::AllOf(scopes.to_vec()));
        }
        Rule::Denied(format!("the security scheme `{name}` has no equivalent"))
    }
}
