//! REST APIs: `aws_api_gateway_{rest_api,rest_api_policy,authorizer,resource,method,
//! integration,integration_response}`.

use std::collections::BTreeMap;

use super::{Reader, Resource, elements, texts};
use crate::import::authorizer::{MOCK, cognito, lambda};
use crate::import::cors;
use crate::import::model::{Api, Cors, Kind, Note, Route, Rule};
use crate::tree::Node;

impl<'n> Reader<'_, 'n> {
    /// A REST API.
    pub(super) fn rest(&self, resource: &Resource<'n>) -> Api {
        let mut api = Api::new(resource.address, Kind::Rest);
        let values = &resource.values;
        if values.get("body").and_then(Node::text).is_some() {
            self.problems
                .report(resource.at, "has a `body`; import that OpenAPI document");
        }
        let policies = self.of_api("aws_api_gateway_rest_api_policy", "rest_api_id", resource);
        let own = values.get("policy").and_then(Node::text);
        if !policies.is_empty() || own.is_some_and(|policy| !policy.trim().is_empty()) {
            let reason = "the API has a resource policy, which has no equivalent";
            api.restricted = Some(Note::new(resource.at, reason));
        }
        for endpoint in elements(values, "endpoint_configuration") {
            if texts(endpoint, "types")
                .iter()
                .any(|kind| kind == "PRIVATE")
            {
                api.restricted = Some(Note::new(resource.at, "a private API has no equivalent"));
            }
        }
        self.user_pools(&mut api, resource);
        self.methods(&mut api, resource);
        api
    }

    /// The authorizers of a REST API.
    fn user_pools(&self, api: &mut Api, resource: &Resource<'n>) {
        for one in self.of_api("aws_api_gateway_authorizer", "rest_api_id", resource) {
            let read = match one.text("type") {
                Some("COGNITO_USER_POOLS") => {
                    let source = one.text("identity_source").map(str::to_owned);
                    let sources: Vec<String> = source.into_iter().collect();
                    let restricted = one
                        .text("identity_validation_expression")
                        .is_some_and(|text| !text.is_empty());
                    cognito(
                        &self.scope,
                        one.at,
                        one.values.get("provider_arns"),
                        &sources,
                        restricted,
                    )
                }
                _ => lambda(one.at, &one.short()),
            };
            api.authorizers.insert(one.short(), read);
        }
    }

    /// The resources and methods of a REST API.
    fn methods(&self, api: &mut Api, resource: &Resource<'n>) {
        let resources = self.of_api("aws_api_gateway_resource", "rest_api_id", resource);
        let mut paths = BTreeMap::new();
        if let Some(root) = resource.text("root_resource_id") {
            paths.insert(root, "/");
        }
        for one in &resources {
            if let Some(path) = one.text("path") {
                api.paths.push((path.to_owned(), one.at.clone()));
                paths.extend(one.text("id").map(|id| (id, path)));
            }
        }
        let integrations = Places::of(self.of("aws_api_gateway_integration"));
        let responses = Places::of(self.of("aws_api_gateway_integration_response"));
        let mut answers = Vec::new();
        for one in self.of_api("aws_api_gateway_method", "rest_api_id", resource) {
            let at = one.at;
            let of = one.text("resource_id");
            let path = of.and_then(|id| paths.get(id));
            let (Some(path), Some(method)) = (path, one.text("http_method")) else {
                // What a plan does not contain has been reported.
                if of.is_some() || self.problems.is_empty() {
                    self.problems.report(
                        at,
                        "its resource is not in the file; import the file that has it",
                    );
                }
                continue;
            };
            let mut rule = self.rule(one, "authorization", "COGNITO_USER_POOLS");
            let mut integrations = integrations.at(one);
            if method == "OPTIONS" && integrations.any(|one| one.text("type") == Some("MOCK")) {
                rule = Rule::Denied(MOCK.to_owned());
                let mut found = responses.at(one).filter_map(|one| self.answer(one));
                match found.next() {
                    Some(cors) => answers.push(cors),
                    None => api.leave_out(
                        at,
                        format!("`OPTIONS {path}`: its mock integration sets no CORS headers"),
                    ),
                }
            }
            api.routes
                .push(Route::new(format!("{method} {path}"), at, rule));
        }
        cors::common(api, answers);
    }

    /// The CORS headers of a mock integration.
    fn answer(&self, response: &Resource<'n>) -> Option<Cors> {
        let parameters = response.values.get("response_parameters")?;
        cors::mock(&self.scope, response.at, parameters)
    }
}

/// Resources by their API, resource and method.
struct Places<'k, 'n> {
    all: BTreeMap<[Option<&'k str>; 3], Vec<&'k Resource<'n>>>,
}

impl<'k, 'n> Places<'k, 'n> {
    fn of(resources: impl Iterator<Item = &'k Resource<'n>>) -> Self {
        let mut all: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for one in resources {
            all.entry(place(one)).or_default().push(one);
        }
        Self { all }
    }

    /// Those at the place of a method.
    fn at(&self, method: &'k Resource<'n>) -> impl Iterator<Item = &'k Resource<'n>> {
        self.all.get(&place(method)).into_iter().flatten().copied()
    }
}

fn place<'k>(one: &'k Resource<'_>) -> [Option<&'k str>; 3] {
    ["rest_api_id", "resource_id", "http_method"].map(|name| one.text(name))
}
