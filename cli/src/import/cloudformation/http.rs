//! HTTP APIs: `AWS::ApiGatewayV2::{Api,Authorizer,Route}`.

use std::collections::BTreeMap;

use crate::import::model::{Api, Authorizer, Kind, Route, Rule, Scopes};
use crate::import::scope::{Resource, Scope};
use crate::import::{authorizer, cors, openapi};
use crate::tree::Node;

/// The HTTP APIs of a template, and those outside of it that its routes name.
pub(super) fn read(scope: &Scope<'_>, wanted: &dyn Fn(&str) -> bool) -> Vec<Api> {
    let mut apis: BTreeMap<String, Api> = BTreeMap::new();
    let mut others: Vec<&str> = Vec::new();
    for resource in scope.resources("AWS::ApiGatewayV2::Api") {
        if !wanted(resource.name) {
            let api = Api::new(resource.name, Kind::Http);
            apis.insert(api.name.clone(), api);
            continue;
        }
        match api(scope, resource) {
            Some(api) => {
                apis.insert(api.name.clone(), api);
            }
            None => others.push(resource.name),
        }
    }
    for resource in scope.resources("AWS::ApiGatewayV2::Route") {
        let Some(name) = owner(scope, resource) else {
            continue;
        };
        if others.contains(&name.as_str()) {
            continue;
        }
        if !wanted(&name) {
            apis.entry(name)
                .or_insert_with_key(|name| Api::new(name, Kind::Http));
            continue;
        }
        if let Some(route) = route(scope, resource) {
            let api = apis
                .entry(name)
                .or_insert_with_key(|name| Api::new(name, Kind::Http));
            if let Rule::Token(names, _) = &route.rule
                && names.iter().any(|name| api.authorizers.contains_key(name))
            {
                scope.problems.report(
                    resource.at,
                    "its authorizer has the name of a security scheme of the API's `Body`; rename one",
                );
            }
            api.routes.push(route);
        }
    }
    overrides(scope, &mut apis);
    let authorizers = scope.resources("AWS::ApiGatewayV2::Authorizer");
    let mut apis: Vec<Api> = apis.into_values().collect();
    for api in &mut apis {
        for (name, _) in api.named_authorizers() {
            let found = authorizers.iter().find(|one| one.name == name);
            if let Some(found) = found
                && !api.authorizers.contains_key(&name)
            {
                api.authorizers.insert(name, read_authorizer(scope, *found));
            }
        }
        stages(scope, api);
    }
    apis
}

/// An HTTP API; `None` for a WebSocket API.
fn api(scope: &Scope<'_>, resource: Resource<'_>) -> Option<Api> {
    let mut api = Api::new(resource.name, Kind::Http);
    let Some(properties) = scope.get(resource.body, "Properties") else {
        return Some(api);
    };
    let get = |name: &str| scope.get(&properties, name);
    if get("ProtocolType")
        .and_then(|kind| scope.text(&kind))
        .as_deref()
        == Some("WEBSOCKET")
    {
        return None;
    }
    openapi::read_definition(scope, &properties, ["Body", "BodyS3Location"], &mut api);
    if let Some(node) = get("CorsConfiguration") {
        api.cors = Some(cors::settings(scope, &node.span, &node));
    }
    // A quick create makes one route without an authorizer.
    if let Some(target) = get("Target") {
        let key = get("RouteKey").and_then(|key| scope.text(&key));
        let pattern = key.unwrap_or_else(|| "$default".to_owned());
        api.routes
            .push(Route::new(pattern, &target.span, Rule::Public));
    }
    Some(api)
}

/// The API of a route.
fn owner(scope: &Scope<'_>, resource: Resource<'_>) -> Option<String> {
    let owner = resource.body.descend(&["Properties", "ApiId"]);
    if owner.is_none() {
        scope
            .problems
            .report(resource.at, "the route has no `ApiId`; write one");
    }
    scope.reference(owner?)
}

fn route(scope: &Scope<'_>, resource: Resource<'_>) -> Option<Route> {
    let properties = scope.get(resource.body, "Properties")?;
    let get = |name: &str| scope.get(&properties, name);
    let Some(key) = get("RouteKey") else {
        scope
            .problems
            .report(resource.at, "the route has no `RouteKey`; write one");
        return None;
    };
    let pattern = scope.text(&key)?;
    let authorizer = properties
        .get("AuthorizerId")
        .and_then(|id| scope.reference(id));
    let kind = get("AuthorizationType").and_then(|kind| scope.text(&kind));
    let scopes = get("AuthorizationScopes").map_or_else(Vec::new, |list| scope.texts(&list));
    let rule = match (kind.as_deref(), authorizer) {
        (None | Some("NONE"), None) if scopes.is_empty() => Rule::Public,
        (Some("JWT"), Some(authorizer)) => Rule::Token(vec![authorizer], Scopes::AnyOf(scopes)),
        (Some("CUSTOM"), Some(authorizer)) => Rule::Denied(authorizer::lambda_reason(&authorizer)),
        (Some("AWS_IAM"), _) => Rule::Denied(authorizer::IAM.to_owned()),
        (kind, _) => Rule::Denied(format!(
            "its authorization is contradictory: the type is {}",
            kind.map_or("absent".to_owned(), |kind| format!("`{kind}`"))
        )),
    };
    Some(Route::new(pattern, resource.at, rule))
}

fn read_authorizer(scope: &Scope<'_>, resource: Resource<'_>) -> Authorizer {
    let Some(properties) = scope.get(resource.body, "Properties") else {
        return authorizer::unknown(resource.at, "its authorizer has no properties");
    };
    let get = |name: &str| scope.get(&properties, name);
    let sources = get("IdentitySource").map_or_else(Vec::new, |list| scope.texts(&list));
    match get("AuthorizerType")
        .and_then(|kind| scope.text(&kind))
        .as_deref()
    {
        Some("JWT") => {
            let settings = get("JwtConfiguration");
            authorizer::jwt(scope, resource.at, settings.as_deref(), &sources)
        }
        _ => authorizer::lambda(resource.at, resource.name),
    }
}

/// Settings that replace those of a quick create's route.
fn overrides(scope: &Scope<'_>, apis: &mut BTreeMap<String, Api>) {
    for resource in scope.resources("AWS::ApiGatewayV2::ApiGatewayManagedOverrides") {
        let owner = resource.body.descend(&["Properties", "ApiId"]);
        let Some(name) = owner.and_then(|owner| scope.reference(owner)) else {
            continue;
        };
        for route in apis
            .get_mut(&name)
            .into_iter()
            .flat_map(|api| &mut api.routes)
        {
            if route.rule == Rule::Public {
                let reason = format!("`{}` changes routes of the API", resource.name);
                route.rule = Rule::Denied(reason);
            }
        }
    }
}

/// A stage may be a part of the path that clients send.
fn stages(scope: &Scope<'_>, api: &mut Api) {
    for resource in scope.resources("AWS::ApiGatewayV2::Stage") {
        let Some(properties) = resource.body.get("Properties") else {
            continue;
        };
        let of = |name: &str| properties.get(name).map(Node::to_json);
        let owner = format!("{{\"Ref\":{:?}}}", api.name);
        if of("ApiId") == Some(owner)
            && let Some(stage) = of("StageName").filter(|stage| stage != "\"$default\"")
        {
            api.leave_out(
                resource.at,
                format!("the stage {stage}; write it as `paths.base` if clients send it"),
            );
        }
    }
}
