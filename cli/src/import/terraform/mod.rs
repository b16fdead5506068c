//! Reads the output of `terraform show -json`: API Gateway's resources with their values, as
//! they are in a state or will be after a plan.

mod address;
mod attributes;
mod http;
mod paths;
mod plan;
mod references;
mod rest;
mod unknown;
mod values;

use std::borrow::Cow;
use std::ops::Range;

use super::authorizer::{API_KEY, IAM, lambda_reason};
use super::model::{Api, Rule, Scopes};
use super::parameters::Parameters;
use super::problems::Problems;
use super::scope::Scope;
use crate::tree::{Node, Value};

/// A resource: its address and its values.
struct Resource<'n> {
    /// The place of its address.
    at: &'n Range<usize>,
    address: &'n str,
    kind: &'n str,
    values: Cow<'n, Node>,
}

/// Resources that restrict or change APIs in ways that have no equivalent.
const WITHOUT_EQUIVALENT: [(&str, &str); 10] = [
    ("aws_wafv2_web_acl_association", "the web ACL"),
    ("aws_wafregional_web_acl_association", "the web ACL"),
    (
        "aws_api_gateway_usage_plan",
        "the usage plan (quota and throttling)",
    ),
    (
        "aws_api_gateway_gateway_response",
        "the gateway response; refusals have CORS headers here",
    ),
    (
        "aws_api_gateway_request_validator",
        "the request validation",
    ),
    (
        "aws_api_gateway_domain_name",
        "the domain name, with its TLS settings",
    ),
    (
        "aws_apigatewayv2_domain_name",
        "the domain name, with its TLS settings",
    ),
    (
        "aws_api_gateway_base_path_mapping",
        "the base path; write `paths.base` if clients send it",
    ),
    (
        "aws_apigatewayv2_api_mapping",
        "the base path; write `paths.base` if clients send it",
    ),
    (
        "aws_api_gateway_stage",
        "the stage; write its name as `paths.base` if clients send it",
    ),
];

/// Whether a document is a state or a plan.
pub(super) fn is_terraform(root: &Node) -> bool {
    root.get("format_version").is_some() && module(root).is_some()
}

fn module(root: &Node) -> Option<&Node> {
    let values = root.get("planned_values").or_else(|| root.get("values"));
    values.and_then(|values| values.get("root_module"))
}

/// The APIs of a state or a plan.
pub(super) fn read(root: &Node, problems: &Problems<'_>, parameters: &Parameters) -> Vec<Api> {
    if let Some(version) = root.get("format_version") {
        let known = |text: &str| matches!(text.split('.').next(), Some("0" | "1"));
        if !version.text().is_some_and(known) {
            problems.report(
                &version.span,
                "this version of the format is not known; use one that begins with `1.`",
            );
        }
    }
    let mut all = Vec::new();
    if let Some(module) = module(root) {
        collect(module, &mut all);
    }
    if root.get("planned_values").is_some() {
        plan::complete(root, &mut all, problems, parameters);
    }
    let reader = Reader {
        all,
        problems,
        scope: Scope::new(root, parameters, problems),
    };
    let http = reader
        .of("aws_apigatewayv2_api")
        .map(|api| reader.http(api));
    let rest = reader
        .of("aws_api_gateway_rest_api")
        .map(|api| reader.rest(api));
    let mut apis: Vec<Api> = http.chain(rest).collect();
    for api in &mut apis {
        for one in &reader.all {
            api.labels.insert(one.at.start, one.address.to_owned());
            let of = WITHOUT_EQUIVALENT
                .iter()
                .find(|(kind, _)| *kind == one.kind);
            if let Some((_, words)) = of {
                api.leave_out(one.at, *words);
            }
        }
    }
    apis
}

fn collect<'n>(module: &'n Node, found: &mut Vec<Resource<'n>>) {
    for node in module.get("resources").map_or(&[][..], Node::elements) {
        let text = |name| node.get(name).and_then(Node::text);
        if text("mode") == Some("data") {
            continue;
        }
        if let (Some(at), Some(address), Some(kind), Some(values)) = (
            node.get("address"),
            text("address"),
            text("type"),
            node.get("values"),
        ) {
            found.push(Resource {
                at: &at.span,
                address,
                kind,
                values: Cow::Borrowed(values),
            });
        }
    }
    for child in module.get("child_modules").map_or(&[][..], Node::elements) {
        collect(child, found);
    }
}

struct Reader<'r, 'n> {
    all: Vec<Resource<'n>>,
    problems: &'r Problems<'r>,
    scope: Scope<'r>,
}

impl<'n> Reader<'_, 'n> {
    fn of<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'k Resource<'n>> {
        self.all.iter().filter(move |one| one.kind == kind)
    }

    /// The resources of a kind that name an API.
    fn of_api<'k>(
        &'k self,
        kind: &'k str,
        member: &'k str,
        api: &'k Resource<'n>,
    ) -> Vec<&'k Resource<'n>> {
        let Some(id) = api.text("id") else {
            self.problems.report(
                api.at,
                "has no identifier; import the state after `terraform apply`",
            );
            return Vec::new();
        };
        let all = self.of(kind);
        all.filter(|one| one.text(member) == Some(id)).collect()
    }

    /// Who may use a route or a method. `member` has the kind of authorization, which is
    /// `token` where an authorizer checks tokens.
    fn rule(&self, one: &Resource<'n>, member: &str, token: &str) -> Rule {
        let is_absent = |name: &str| {
            let value = one.values.get(name);
            value.is_none_or(|value| value.value == Value::Null)
        };
        let is_text = |name: &str| is_absent(name) || one.text(name).is_some();
        let key = one.values.get("api_key_required");
        let no_key = is_absent("api_key_required")
            || key.is_some_and(|flag| flag.value == Value::Bool(false));
        if !no_key {
            return Rule::Denied(API_KEY.to_owned());
        }
        let scopes = texts(&one.values, "authorization_scopes");
        let written = elements(&one.values, "authorization_scopes");
        let is_list = matches!(
            one.values
                .get("authorization_scopes")
                .map(|list| &list.value),
            None | Some(Value::Null | Value::List(_))
        );
        // Of a value of another type, nobody knows what it restricts.
        if !is_list
            || scopes.len() != written.len()
            || !is_text(member)
            || !is_text("authorizer_id")
        {
            return Rule::Denied("its authorization has values of the wrong type".to_owned());
        }
        let id = one.text("authorizer_id").filter(|id| !id.is_empty());
        let name = id.map(|id| self.authorizer(id));
        match (one.text(member), name) {
            (Some("NONE"), None) if scopes.is_empty() => Rule::Public,
            (None, None) if member == "authorization_type" && scopes.is_empty() => Rule::Public,
            (Some("AWS_IAM"), _) => Rule::Denied(IAM.to_owned()),
            (Some("CUSTOM"), name) => {
                Rule::Denied(lambda_reason(name.as_deref().unwrap_or("of the method")))
            }
            (Some(kind), Some(name)) if kind == token => {
                Rule::Token(vec![name], Scopes::AnyOf(scopes))
            }
            _ => Rule::Denied("its authorization is contradictory".to_owned()),
        }
    }

    /// The name of the authorizer with an identifier: a part of its address.
    fn authorizer(&self, id: &str) -> String {
        let kinds = ["aws_apigatewayv2_authorizer", "aws_api_gateway_authorizer"];
        let mut all = kinds.iter().flat_map(|kind| self.of(kind));
        all.find(|one| one.text("id") == Some(id))
            .map_or_else(|| id.to_owned(), Resource::short)
    }
}

impl Resource<'_> {
    fn text(&self, name: &str) -> Option<&str> {
        self.values.get(name).and_then(Node::text)
    }

    /// The address without the kind.
    fn short(&self) -> String {
        self.address.replace(&format!("{}.", self.kind), "")
    }
}

fn elements<'v>(node: &'v Node, name: &str) -> &'v [Node] {
    node.get(name).map_or(&[], Node::elements)
}

fn texts(node: &Node, name: &str) -> Vec<String> {
    let texts = elements(node, name).iter().filter_map(Node::text);
    texts.map(str::to_owned).collect()
}
