//! Resources whose metadata do not help clients.

use super::collector::Warnings;
use crate::codes::Code;
use crate::subject::Step;
use edge_authz::policy::{Policy, Resource};

/// All of them.
pub(super) fn of(policy: &Policy, warnings: &mut Warnings<'_>) {
    let list = [Step::Member("resources")];
    let count = warnings
        .subject()
        .get(&list)
        .map_or(0, |list| list.elements().len());
    for index in 0..count {
        let at = [Step::Member("resources"), Step::Element(index)];
        let [list, element] = at;
        let identifier = [list, element, Step::Member("resource")];
        let written = warnings.subject().get(&identifier);
        let written = written.and_then(|node| node.text());
        let found = policy
            .resources
            .iter()
            .find(|resource| Some(&*resource.identifier) == written);
        if let Some(resource) = found {
            of_resource(policy, resource, at, warnings);
        }
    }
}

fn of_resource(
    policy: &Policy,
    resource: &Resource,
    at: [Step<'_>; 2],
    warnings: &mut Warnings<'_>,
) {
    let [list, element] = at;
    let metadata: serde_json::Value = serde_json::from_str(&resource.document).unwrap_or_default();
    if metadata.get("authorization_servers").is_none() {
        warnings.add(Code::UselessMetadata,
            &[list, element, Step::Member("resource")],
            "clients find no issuer in its metadata, because no route under its path needs a token; correct the path, or list `providers`",
        );
    }
    let supported = metadata.get("scopes_supported");
    let supported = supported.and_then(serde_json::Value::as_array);
    let is_supported = |scope: &str| {
        let mut scopes = supported.into_iter().flatten();
        scopes.any(|one| one.as_str() == Some(scope))
    };
    let is_required = |scope: &str| {
        policy.routes.iter().any(|route| {
            let scopes = &route.rules.scopes;
            let mut named = scopes.any_of.iter().chain(&scopes.all_of);
            named.any(|one| **one == *scope)
        })
    };
    for (scope, advertised) in &resource.advertised {
        if !is_supported(advertised) && !is_required(scope) {
            let member = Step::Member(scope);
            warnings.add(Code::UselessMetadata,
                &[list, element, Step::Member("advertise"), member],
                "has no effect, because no route requires this scope and `scopes` does not list it; correct or remove it",
            );
        }
    }
}
