//! SAM templates: `AWS::Serverless::{Api,HttpApi}` and the events of functions. The
//! result is that of the processed template.

mod api;
mod auth;
mod globals;

use std::collections::BTreeMap;
use std::ops::Range;

use super::model::{Api, Kind, Route};
use super::scope::{Resource, Scope};
use crate::tree::Node;
use api::Serverless;

/// Resources whose events make routes.
const WITH_EVENTS: [&str; 2] = ["AWS::Serverless::Function", "AWS::Serverless::StateMachine"];

/// The APIs of a template. Those that are not wanted have no content.
pub(super) fn read(scope: &Scope<'_>, root: &Node, wanted: &dyn Fn(&str) -> bool) -> Vec<Api> {
    let mut apis: BTreeMap<String, Serverless> = BTreeMap::new();
    for kind in [Kind::Http, Kind::Rest] {
        for resource in scope.resources(api::type_of(kind)) {
            let api = Serverless::read(scope, root, kind, resource, wanted);
            apis.insert(resource.name.to_owned(), api);
        }
    }
    for of in WITH_EVENTS {
        for resource in scope.resources(of) {
            events(scope, root, resource, &mut apis, wanted);
        }
    }
    apis.into_values().map(|api| api.finish(scope)).collect()
}

/// Adds the routes of a function's events.
fn events(
    scope: &Scope<'_>,
    root: &Node,
    resource: Resource<'_>,
    apis: &mut BTreeMap<String, Serverless>,
    wanted: &dyn Fn(&str) -> bool,
) {
    let Some(events) = scope.descend(resource.body, &["Properties", "Events"]) else {
        return;
    };
    for (member, event) in scope.members(&events) {
        let kind = scope.get(&event, "Type").and_then(|of| scope.text(&of));
        let (kind, implicit, owner) = match kind.as_deref() {
            Some("HttpApi") => (Kind::Http, "ServerlessHttpApi", "ApiId"),
            Some("Api") => (Kind::Rest, "ServerlessRestApi", "RestApiId"),
            Some(_) | None => continue,
        };
        let properties = scope.get(&event, "Properties");
        let named = properties.as_deref().and_then(|all| all.get(owner));
        let name = match named {
            Some(named) => scope.reference(named),
            None => Some(implicit.to_owned()),
        };
        let Some(name) = name else {
            continue;
        };
        if named.is_none() && !apis.contains_key(&name) {
            let api = Serverless::implicit(scope, root, kind, implicit, wanted);
            apis.insert(name.clone(), api);
        }
        match apis.get_mut(&name) {
            Some(api) if wanted(&name) => {
                if let Some(route) = route(scope, api, &member.name_span, properties.as_deref()) {
                    api.routes.push(route);
                }
            }
            Some(_) => {}
            None => scope.problems.report(
                &member.name_span,
                &format!("the API `{name}` of the event is not a SAM resource of the file; import the processed template"),
            ),
        }
    }
}

/// The route of an event.
fn route(
    scope: &Scope<'_>,
    api: &Serverless,
    at: &Range<usize>,
    properties: Option<&Node>,
) -> Option<Route> {
    let get = |name: &str| properties.and_then(|all| scope.get(all, name));
    let text = |name: &str| get(name).map(|node| scope.text(&node));
    let pattern = match (text("Path"), text("Method")) {
        (None, None) if api.kind == Kind::Http => "$default".to_owned(),
        (Some(path), method) if method.is_some() || api.kind == Kind::Http => {
            let (path, method) = (path?, method.unwrap_or(Some("any".to_owned()))?);
            let method = method.to_ascii_uppercase();
            let is_default = path == "$default" || path == "/$default";
            if is_default && api.kind == Kind::Http {
                "$default".to_owned()
            } else {
                format!("{method} {path}")
            }
        }
        _ => {
            scope
                .problems
                .report(at, "the event has no `Path` or no `Method`; write both");
            return None;
        }
    };
    let own = get("Auth");
    let rule = match own.as_deref() {
        Some(own) => api.auth.of_event(scope, own),
        None => api.auth.rule(None, None),
    };
    Some(Route::new(pattern, at, rule))
}
