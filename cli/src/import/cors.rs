//! Reads the CORS settings of HTTP APIs, and those that REST APIs make with mock
//! integrations.

use std::ops::Range;

use super::model::{Api, Cors};
use super::scope::Scope;
use crate::tree::Node;

/// `CorsConfiguration` or `x-amazon-apigateway-cors`.
pub(super) fn settings(scope: &Scope<'_>, at: &Range<usize>, node: &Node) -> Cors {
    let texts = |name: &str| {
        let list = scope.any_case(node, name);
        list.map_or_else(Vec::new, |list| scope.texts(&list))
    };
    let max_age = scope.any_case(node, "maxAge");
    Cors {
        at: at.clone(),
        origins: texts("allowOrigins"),
        methods: texts("allowMethods"),
        headers: texts("allowHeaders"),
        exposed: texts("exposeHeaders"),
        credentials: scope
            .any_case(node, "allowCredentials")
            .is_some_and(|flag| scope.flag(&flag)),
        max_age: max_age.and_then(|age| seconds(scope, &age)),
    }
}

fn seconds(scope: &Scope<'_>, node: &Node) -> Option<u64> {
    let text = scope.text(node)?;
    let parsed = text.parse().ok();
    if parsed.is_none() {
        scope
            .problems
            .report(&node.span, "is not a number of seconds; write digits");
    }
    parsed
}

/// The policy that a mock integration of an `OPTIONS` method answers with. `parameters`:
/// its `ResponseParameters`. `None`: it sets no origin.
pub(super) fn mock(scope: &Scope<'_>, at: &Range<usize>, parameters: &Node) -> Option<Cors> {
    let mut cors = Cors {
        at: at.clone(),
        origins: Vec::new(),
        methods: Vec::new(),
        headers: Vec::new(),
        exposed: Vec::new(),
        credentials: false,
        max_age: None,
    };
    for (member, value) in scope.members(parameters) {
        let name = member.name.to_ascii_lowercase();
        let Some(name) = name.strip_prefix("method.response.header.access-control-") else {
            continue;
        };
        let text = scope.text(&value)?;
        // A constant is in single quotes.
        let text = text.strip_prefix('\'')?.strip_suffix('\'')?;
        let list = || -> Vec<String> {
            let parts = text.split(',').map(str::trim);
            let parts = parts.filter(|part| !part.is_empty());
            parts.map(str::to_owned).collect()
        };
        match name {
            "allow-origin" => cors.origins = vec![text.to_owned()],
            "allow-methods" => cors.methods = list(),
            "allow-headers" => cors.headers = list(),
            "expose-headers" => cors.exposed = list(),
            "allow-credentials" => cors.credentials = text == "true",
            "max-age" => cors.max_age = text.parse().ok(),
            _ => {}
        }
    }
    (!cors.origins.is_empty()).then_some(cors)
}

/// Gives an API the policy that all its mock integrations have in common. The methods
/// that a preflight lists are those of its path, which is also the default here.
pub(super) fn common(api: &mut Api, mut found: Vec<Cors>) {
    for cors in &mut found {
        cors.methods.clear();
    }
    let Some(first) = found.first().cloned() else {
        return;
    };
    let same = |other: &Cors| {
        Cors {
            at: first.at.clone(),
            ..other.clone()
        } == first
    };
    if found.iter().all(same) {
        api.cors = Some(first);
    } else {
        api.leave_out(
            &first.at,
            "CORS: the `OPTIONS` methods have different headers; write `cors` at the routes",
        );
    }
}
