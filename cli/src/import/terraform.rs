//! Reads the output of `terraform show -json`: API Gateway's resources with their values.

use super::authorizer::{API_KEY, IAM, MOCK, cognito, jwt, lambda, lambda_reason, unknown};
use super::model::{Api, Cors, Kind, Note, Route, Rule, Scopes};
use super::parameters::Parameters;
use super::problems::Problems;
use super::scope::Scope;
use crate::tree::{Node, Value};

/// A resource: its address and its values.
struct Resource<'n> {
    node: &'n Node,
    address: &'n str,
    kind: &'n str,
    values: &'n Node,
}

/// Whether a document is a state or a plan.
pub(super) fn is_state(root: &Node) -> bool {
    root.get("format_version").is_some() && module(root).is_some()
}

fn module(root: &Node) -> Option<&Node> {
    let values = root.get("values").or_else(|| root.get("planned_values"));
    values.and_then(|values| values.get("root_module"))
}

/// The APIs of a state.
pub(super) fn read(root: &Node, problems: &Problems<'_>, parameters: &Parameters) -> Vec<Api> {
    let mut all = Vec::new();
    if let Some(module) = module(root) {
        collect(module, &mut all);
    }
    if root.get("values").is_none() {
        problems.report(
            &root.span,
            "is a plan, in which the identifiers of new resources are not known; apply it, and import `terraform show -json` of the state",
        );
        return Vec::new();
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
    http.chain(rest).collect()
}

fn collect<'n>(module: &'n Node, found: &mut Vec<Resource<'n>>) {
    for node in module.get("resources").map_or(&[][..], Node::elements) {
        let text = |name| node.get(name).and_then(Node::text);
        if text("mode") == Some("data") {
            continue;
        }
        if let (Some(address), Some(kind), Some(values)) =
            (text("address"), text("type"), node.get("values"))
        {
            found.push(Resource {
                node,
                address,
                kind,
                values,
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
    fn of<'k>(&'k self, kind: &'k str) -> impl Iterator<Item = &'k Resource<'n>> + use<'k, 'n> {
        self.all.iter().filter(move |one| one.kind == kind)
    }

    /// The resources of a kind that name an API.
    fn of_api<'k>(
        &'k self,
        kind: &'k str,
        member: &'k str,
        api: &'k Resource<'n>,
    ) -> Vec<&'k Resource<'n>> {
        let id = api.text("id");
        if id.is_none() {
            self.problems.report(
                &api.node.span,
                "has no identifier; import the state after `terraform apply`",
            );
        }
        self.of(kind).filter(|one| one.text(member) == id).collect()
    }

    fn http(&self, resource: &Resource<'n>) -> Api {
        let mut api = Api::new(resource.address, Kind::Http);
        if resource.text("protocol_type") == Some("WEBSOCKET") {
            api.restricted = Some(Note::new(
                &resource.node.span,
                "a WebSocket API has no equivalent",
            ));
        }
        if resource.values.get("body").and_then(Node::text).is_some() {
            self.problems.report(
                &resource.node.span,
                "has a `body`; import that OpenAPI document",
            );
        }
        for cors in elements(resource.values, "cors_configuration") {
            api.cors = Some(read_cors(cors));
        }
        for one in self.of_api("aws_apigatewayv2_authorizer", "api_id", resource) {
            let Some(id) = one.text("id") else {
                continue;
            };
            let sources = texts(one.values, "identity_sources");
            let read = match one.text("authorizer_type") {
                Some("JWT") => {
                    let settings = elements(one.values, "jwt_configuration").first();
                    jwt(&self.scope, &one.node.span, settings, &sources)
                }
                Some("REQUEST") => lambda(&one.node.span, one.text("name").unwrap_or(id)),
                _ => unknown(&one.node.span, "its type of authorizer is not known"),
            };
            api.authorizers.insert(id.to_owned(), read);
        }
        for one in self.of_api("aws_apigatewayv2_route", "api_id", resource) {
            let Some(pattern) = one.text("route_key") else {
                self.problems.report(
                    &one.node.span,
                    "has no `route_key`; import the state after `terraform apply`",
                );
                continue;
            };
            let rule = rule(one, "authorization_type", "JWT");
            api.routes.push(Route::new(pattern, &one.node.span, rule));
        }
        api
    }

    fn rest(&self, resource: &Resource<'n>) -> Api {
        let mut api = Api::new(resource.address, Kind::Rest);
        let values = resource.values;
        if values.get("body").and_then(Node::text).is_some() {
            self.problems.report(
                &resource.node.span,
                "has a `body`; import that OpenAPI document",
            );
        }
        let policies = self.of_api("aws_api_gateway_rest_api_policy", "rest_api_id", resource);
        let own = values.get("policy").and_then(Node::text);
        if !policies.is_empty() || own.is_some_and(|policy| !policy.trim().is_empty()) {
            let reason = "the API has a resource policy, which has no equivalent";
            api.restricted = Some(Note::new(&resource.node.span, reason));
        }
        for endpoint in elements(values, "endpoint_configuration") {
            if texts(endpoint, "types")
                .iter()
                .any(|kind| kind == "PRIVATE")
            {
                api.restricted = Some(Note::new(
                    &resource.node.span,
                    "a private API has no equivalent",
                ));
            }
        }
        self.user_pools(&mut api, resource);
        self.methods(&mut api, resource);
        api
    }

    /// The authorizers of a REST API.
    fn user_pools(&self, api: &mut Api, resource: &Resource<'n>) {
        for one in self.of_api("aws_api_gateway_authorizer", "rest_api_id", resource) {
            let Some(id) = one.text("id") else {
                continue;
            };
            let read = match one.text("type") {
                Some("COGNITO_USER_POOLS") => {
                    let sources: Vec<String> = one
                        .text("identity_source")
                        .map(str::to_owned)
                        .into_iter()
                        .collect();
                    let restricted = one
                        .text("identity_validation_expression")
                        .is_some_and(|text| !text.is_empty());
                    cognito(
                        &self.scope,
                        &one.node.span,
                        one.values.get("provider_arns"),
                        &sources,
                        restricted,
                    )
                }
                _ => lambda(&one.node.span, one.text("name").unwrap_or(id)),
            };
            api.authorizers.insert(id.to_owned(), read);
        }
    }

    /// The resources and methods of a REST API.
    fn methods(&self, api: &mut Api, resource: &Resource<'n>) {
        let resources = self.of_api("aws_api_gateway_resource", "rest_api_id", resource);
        let root = resource.text("root_resource_id");
        for one in &resources {
            if let Some(path) = one.text("path") {
                api.paths.push((path.to_owned(), one.node.span.clone()));
            }
        }
        for one in self.of_api("aws_api_gateway_method", "rest_api_id", resource) {
            let at = &one.node.span;
            let of = one.text("resource_id");
            let path = if of.is_some() && of == root {
                Some("/")
            } else {
                let mut known = resources
                    .iter()
                    .filter(|resource| resource.text("id") == of);
                known.next().and_then(|resource| resource.text("path"))
            };
            let (Some(path), Some(method)) = (path, one.text("http_method")) else {
                self.problems.report(
                    at,
                    "its resource is not in the state; import the state that has it",
                );
                continue;
            };
            let mut rule = rule(one, "authorization", "COGNITO_USER_POOLS");
            let same = |other: &&Resource<'n>| {
                let same = |name| other.text(name) == one.text(name);
                same("rest_api_id") && same("resource_id") && same("http_method")
            };
            let integration = self.of("aws_api_gateway_integration").find(same);
            if method == "OPTIONS" && integration.and_then(|one| one.text("type")) == Some("MOCK") {
                rule = Rule::Denied(MOCK.to_owned());
            }
            api.routes
                .push(Route::new(format!("{method} {path}"), at, rule));
        }
    }
}

impl<'n> Resource<'n> {
    fn text(&self, name: &str) -> Option<&'n str> {
        self.values.get(name).and_then(Node::text)
    }
}

fn elements<'n>(node: &'n Node, name: &str) -> &'n [Node] {
    node.get(name).map_or(&[], Node::elements)
}

fn texts(node: &Node, name: &str) -> Vec<String> {
    let texts = elements(node, name).iter().filter_map(Node::text);
    texts.map(str::to_owned).collect()
}

/// Who may use a route or a method.
fn rule(one: &Resource<'_>, member: &str, token: &str) -> Rule {
    let key = one.values.get("api_key_required");
    if key.is_some_and(|flag| flag.value == Value::Bool(true)) {
        return Rule::Denied(API_KEY.to_owned());
    }
    let scopes = texts(one.values, "authorization_scopes");
    let id = one.text("authorizer_id").filter(|id| !id.is_empty());
    match (one.text(member), id) {
        (Some("NONE"), None) if scopes.is_empty() => Rule::Public,
        (None, None) if member == "authorization_type" && scopes.is_empty() => Rule::Public,
        (Some("AWS_IAM"), _) => Rule::Denied(IAM.to_owned()),
        (Some("CUSTOM"), _) => Rule::Denied(lambda_reason(id.unwrap_or("of the method"))),
        (Some(kind), Some(id)) if kind == token => {
            Rule::Token(vec![id.to_owned()], Scopes::AnyOf(scopes))
        }
        _ => Rule::Denied("its authorization is contradictory".to_owned()),
    }
}

/// The CORS settings of an HTTP API.
fn read_cors(node: &Node) -> Cors {
    let seconds = node.get("max_age").map(Node::to_json);
    Cors {
        at: node.span.clone(),
        origins: texts(node, "allow_origins"),
        methods: texts(node, "allow_methods"),
        headers: texts(node, "allow_headers"),
        exposed: texts(node, "expose_headers"),
        credentials: node
            .get("allow_credentials")
            .is_some_and(|flag| flag.value == Value::Bool(true)),
        max_age: seconds.and_then(|text| text.parse().ok()),
    }
}
