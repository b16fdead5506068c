//! Plans of Terraform, made for tests.

use serde_json::{Value, json};

/// A resource of a plan.
pub(super) struct Planned {
    pub(super) module: &'static str,
    pub(super) kind: &'static str,
    pub(super) name: &'static str,
    pub(super) key: &'static str,
    pub(super) values: Value,
    pub(super) unknown: Value,
}

/// A plan with these resources, and a configuration.
pub(super) fn plan(resources: &[Planned], configuration: &Value) -> Value {
    let address = |one: &Planned| {
        let dot = if one.module.is_empty() { "" } else { "." };
        format!("{}{dot}{}.{}{}", one.module, one.kind, one.name, one.key)
    };
    let of = |module: &str| -> Value {
        let of = resources.iter().filter(|one| one.module == module);
        of.map(|one| {
            json!({"address": address(one), "mode": "managed", "type": one.kind, "name": one.name,
                   "values": one.values})
        })
        .collect()
    };
    let mut modules: Vec<_> = resources.iter().map(|one| one.module).collect();
    modules.sort_unstable();
    modules.dedup();
    let children: Value = modules
        .iter()
        .filter(|module| !module.is_empty())
        .map(|module| json!({"address": module, "resources": of(module)}))
        .collect();
    let changes: Value = resources
        .iter()
        .map(|one| {
            json!({"address": address(one), "mode": "managed", "type": one.kind,
                   "change": {"actions": ["create"], "after_unknown": one.unknown}})
        })
        .collect();
    json!({"format_version": "1.2", "planned_values": {"root_module": {"resources": of(""), "child_modules": children}},
           "resource_changes": changes, "configuration": {"root_module": configuration}})
}

pub(super) const API: &str = "aws_apigatewayv2_api";
pub(super) const AUTHORIZER: &str = "aws_apigatewayv2_authorizer";
pub(super) const ROUTE: &str = "aws_apigatewayv2_route";

pub(super) fn api() -> Planned {
    Planned {
        module: "",
        kind: API,
        name: "a",
        key: "",
        values: json!({"protocol_type": "HTTP"}),
        unknown: json!({"id": true}),
    }
}

pub(super) fn authorizer(name: &'static str, key: &'static str, issuer: &str) -> Planned {
    Planned {
        module: "",
        kind: AUTHORIZER,
        name,
        key,
        values: json!({"authorizer_type": "JWT", "jwt_configuration": [{"issuer": issuer, "audience": ["a"]}]}),
        unknown: json!({"id": true, "api_id": true}),
    }
}

pub(super) fn route(key: &'static str, pattern: &str) -> Planned {
    Planned {
        module: "",
        kind: ROUTE,
        name: "r",
        key,
        values: json!({"route_key": pattern, "authorization_type": "JWT"}),
        unknown: json!({"id": true, "api_id": true, "authorizer_id": true}),
    }
}

pub(super) fn references(list: &[&str]) -> Value {
    json!({"references": list})
}

pub(super) fn declared(kind: &str, name: &str, expressions: &Value) -> Value {
    json!({"mode": "managed", "type": kind, "name": name, "expressions": expressions})
}

pub(super) const API_ID: [&str; 2] = ["aws_apigatewayv2_api.a.id", "aws_apigatewayv2_api.a"];

/// The declarations of an API and two authorizers, and of a route with this authorizer.
pub(super) fn configuration(authorizer: &Value) -> Value {
    let of_api = json!({"api_id": references(&API_ID)});
    json!({"resources": [
        declared(API, "a", &json!({})),
        declared(AUTHORIZER, "one", &of_api),
        declared(AUTHORIZER, "two", &of_api),
        declared(ROUTE, "r", &json!({"api_id": references(&API_ID), "authorizer_id": authorizer})),
    ]})
}

/// A route with this expression for its authorizer, beside two authorizers.
pub(super) fn with_authorizer(expression: &Value) -> Value {
    plan(
        &[
            api(),
            authorizer("one", "", "https://one.example"),
            authorizer("two", "", "https://two.example"),
            route("", "GET /a"),
        ],
        &configuration(expression),
    )
}

pub(super) const ONE: [&str; 2] = [
    "aws_apigatewayv2_authorizer.one.id",
    "aws_apigatewayv2_authorizer.one",
];
