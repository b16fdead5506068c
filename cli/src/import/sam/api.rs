//! `AWS::Serverless::Api` and `AWS::Serverless::HttpApi`.

use std::collections::BTreeMap;
use std::ops::Range;

use super::auth::Auth;
use super::globals::merged;
use crate::import::model::{Api, Cors, Kind, Note, Route, Rule};
use crate::import::scope::{Resource, Scope};
use crate::import::{authorizer, cors, openapi};
use crate::tree::{Node, Value};

/// An API while events add routes to it.
pub(super) struct Serverless {
    api: Api,
    pub(super) kind: Kind,
    pub(super) auth: Auth,
    pub(super) routes: Vec<Route>,
}

/// The type of an API's resource.
pub(super) const fn type_of(kind: Kind) -> &'static str {
    match kind {
        Kind::Http => "AWS::Serverless::HttpApi",
        Kind::Rest | Kind::Plain | Kind::Proxy => "AWS::Serverless::Api",
    }
}

impl Serverless {
    /// An API that a resource describes.
    pub(super) fn read(
        scope: &Scope<'_>,
        root: &Node,
        kind: Kind,
        resource: Resource<'_>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Self {
        let own = scope.get(resource.body, "Properties");
        Self::with(scope, root, kind, resource.name, own.as_deref(), wanted)
    }

    /// The API that SAM makes for events without one.
    pub(super) fn implicit(
        scope: &Scope<'_>,
        root: &Node,
        kind: Kind,
        name: &str,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Self {
        Self::with(scope, root, kind, name, None, wanted)
    }

    fn with(
        scope: &Scope<'_>,
        root: &Node,
        kind: Kind,
        name: &str,
        own: Option<&Node>,
        wanted: &dyn Fn(&str) -> bool,
    ) -> Self {
        let mut this = Self {
            api: Api::new(name, kind),
            kind,
            auth: Auth::default(),
            routes: Vec::new(),
        };
        let shared = match kind {
            Kind::Http => "HttpApi",
            Kind::Rest | Kind::Plain | Kind::Proxy => "Api",
        };
        let global = root.descend(&["Globals", shared]);
        let properties = wanted(name).then(|| merged(scope, global, own)).flatten();
        if let Some(properties) = properties {
            this.properties(scope, &properties);
        }
        this
    }

    fn properties(&mut self, scope: &Scope<'_>, properties: &Node) {
        let get = |name: &str| scope.get(properties, name);
        if let Some(auth) = get("Auth") {
            self.auth = Auth::read(scope, &auth);
            if let Some(policy) = scope.get(&auth, "ResourcePolicy") {
                let reason = "the API has a resource policy, which has no equivalent";
                self.api.restricted = Some(Note::new(&policy.span, reason));
            }
        }
        let members = ["DefinitionBody", "DefinitionUri"];
        if openapi::read_definition(scope, properties, members, &mut self.api) {
            closed(&self.auth, &mut self.api.routes);
        }
        if self.kind == Kind::Http {
            if let Some(node) = get("CorsConfiguration") {
                self.api.cors = Some(http_cors(scope, &node));
            }
        } else if let Some(node) = get("Cors") {
            self.api.cors = rest_cors(scope, &node);
        }
        if let Some(endpoint) = get("EndpointConfiguration") {
            let kind = if matches!(endpoint.value, Value::Object(_)) {
                scope.get(&endpoint, "Type")
            } else {
                Some(endpoint.clone())
            };
            if kind.and_then(|kind| scope.text(&kind)).as_deref() == Some("PRIVATE") {
                let reason = "the API was private: only VPC endpoints reached it";
                self.api.restricted = Some(Note::new(&endpoint.span, reason));
            }
        }
        if let Some(domain) = get("Domain") {
            self.api
                .leave_out(&domain.span, "the domain name, with its TLS settings");
        }
        if let Some(stage) = properties.get("StageName") {
            let text = stage.to_json();
            if text != "\"$default\"" {
                self.api.leave_out(
                    &stage.span,
                    format!("the stage {text}; write it as `paths.base` if clients send it"),
                );
            }
        }
    }

    /// The API with the routes of all events.
    pub(super) fn finish(self, scope: &Scope<'_>) -> Api {
        let mut api = self.api;
        api.routes.extend(self.routes);
        if self.kind == Kind::Rest && api.cors.is_some() {
            preflights(&mut api.routes);
        }
        for (name, at) in api.named_authorizers() {
            let Some(read) = self.auth.authorizer(scope, self.kind, &name) else {
                continue;
            };
            if api.authorizers.insert(name, read).is_some() {
                scope.problems.report(
                    &at,
                    "its authorizer has the name of a security scheme of the API's definition; rename one",
                );
            }
        }
        api
    }
}

fn http_cors(scope: &Scope<'_>, node: &Node) -> Cors {
    if matches!(node.value, Value::Object(_)) {
        return cors::settings(scope, &node.span, node);
    }
    let mut found = cors::settings(scope, &node.span, &empty(node));
    // `true` allows every origin.
    if scope.flag(node) {
        found.origins = vec!["*".to_owned()];
    }
    found
}

/// An object without members, at the same place.
fn empty(node: &Node) -> Node {
    Node {
        span: node.span.clone(),
        value: Value::Object(Vec::new()),
    }
}

/// The values are in single quotes, as API Gateway's constants. A text alone is the
/// origin.
fn rest_cors(scope: &Scope<'_>, node: &Node) -> Option<Cors> {
    let mut found = cors::settings(scope, &node.span, &empty(node));
    let unquoted = |node: &Node| -> Option<String> {
        let text = scope.text(node)?;
        let inner = text
            .strip_prefix('\'')
            .and_then(|text| text.strip_suffix('\''));
        Some(inner.unwrap_or(&text).to_owned())
    };
    if !matches!(node.value, Value::Object(_)) {
        found.origins = vec![unquoted(node)?];
        return Some(found);
    }
    let get = |name: &str| scope.get(node, name);
    found.origins = vec![get("AllowOrigin").map_or(Some("*".to_owned()), |node| unquoted(&node))?];
    let headers = get("AllowHeaders").and_then(|node| unquoted(&node));
    let headers = headers.unwrap_or_default();
    let headers = headers
        .split(',')
        .map(str::trim)
        .filter(|one| !one.is_empty());
    found.headers = headers.map(str::to_owned).collect();
    found.credentials = get("AllowCredentials").is_some_and(|flag| scope.flag(&flag));
    let age = get("MaxAge").and_then(|node| unquoted(&node));
    found.max_age = age.and_then(|age| age.parse().ok());
    Some(found)
}

/// The rule of routes that an API's `DefinitionBody` leaves open.
fn closed(auth: &Auth, routes: &mut [Route]) {
    for route in routes {
        if route.rule == Rule::Public {
            route.rule = auth.rule(None, None);
        }
    }
}

/// `OPTIONS` methods, which SAM adds to all paths if a REST API has CORS settings.
fn preflights(routes: &mut Vec<Route>) {
    let mut paths: BTreeMap<String, Range<usize>> = BTreeMap::new();
    for route in &*routes {
        if let Some((_, path)) = route.pattern.split_once(' ') {
            paths
                .entry(path.to_owned())
                .or_insert_with(|| route.at.clone());
        }
    }
    for (path, at) in paths {
        let pattern = format!("OPTIONS {path}");
        if routes.iter().all(|route| route.pattern != pattern) {
            let rule = Rule::Denied(authorizer::MOCK.to_owned());
            routes.push(Route::new(pattern, &at, rule));
        }
    }
}
