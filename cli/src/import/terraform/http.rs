//! HTTP APIs: `aws_apigatewayv2_{api,authorizer,route,stage}`.

use std::ops::Range;

use super::{Reader, Resource, elements, texts};
use crate::import::authorizer::{jwt, lambda, unknown};
use crate::import::model::{Api, Cors, Kind, Note, Route, Rule};
use crate::tree::{Node, Value};

impl<'n> Reader<'_, 'n> {
    /// An HTTP API.
    pub(super) fn http(&self, resource: &Resource<'n>) -> Api {
        let mut api = Api::new(resource.address, Kind::Http);
        if resource.text("protocol_type") == Some("WEBSOCKET") {
            api.restricted = Some(Note::new(resource.at, "a WebSocket API has no equivalent"));
        }
        if resource.values.get("body").and_then(Node::text).is_some() {
            self.problems
                .report(resource.at, "has a `body`; import that OpenAPI document");
        }
        for cors in elements(&resource.values, "cors_configuration") {
            api.cors = Some(read_cors(cors, resource.at));
        }
        // A quick create makes one route without an authorizer.
        if resource.text("target").is_some() {
            let pattern = resource.text("route_key").unwrap_or("$default");
            api.routes
                .push(Route::new(pattern, resource.at, Rule::Public));
        }
        for one in self.of_api("aws_apigatewayv2_authorizer", "api_id", resource) {
            let sources = texts(&one.values, "identity_sources");
            let read = match one.text("authorizer_type") {
                Some("JWT") => {
                    let settings = elements(&one.values, "jwt_configuration").first();
                    jwt(&self.scope, one.at, settings, &sources)
                }
                Some("REQUEST") => lambda(one.at, &one.short()),
                _ => unknown(one.at, "its type of authorizer is not known"),
            };
            api.authorizers.insert(one.short(), read);
        }
        for one in self.of_api("aws_apigatewayv2_route", "api_id", resource) {
            let Some(pattern) = one.text("route_key") else {
                self.problems.report(
                    one.at,
                    "has no `route_key`; import the state after `terraform apply`",
                );
                continue;
            };
            let rule = self.rule(one, "authorization_type", "JWT");
            api.routes.push(Route::new(pattern, one.at, rule));
        }
        // The API of a planned stage may not be known, and it is only a note.
        let id = resource.text("id");
        let stages = self.of("aws_apigatewayv2_stage");
        for one in stages.filter(|one| one.text("api_id").is_none_or(|of| Some(of) == id)) {
            if let Some(stage) = one.text("name").filter(|name| *name != "$default") {
                let text =
                    format!("the stage `{stage}`; write it as `paths.base` if clients send it");
                api.leave_out(one.at, text);
            }
        }
        api
    }
}

/// The CORS settings of an HTTP API.
fn read_cors(node: &Node, at: &Range<usize>) -> Cors {
    let seconds = node.get("max_age").map(Node::to_json);
    Cors {
        at: at.clone(),
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
