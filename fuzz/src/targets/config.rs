//! Configurations: every input is compiled, or refused with the places of its errors. The
//! order of members has no meaning. Errors contain no secret.
//!
//! The input is a configuration.

use edge_authz::config::{self, ConfigErrors, ErrorPosition, MAX_ERRORS};
use edge_authz::cors::ResponseCors;
use edge_authz::policy::{Access, Policy};

use crate::reference::json::{self, Json, Value};

pub(crate) fn target(data: &[u8]) {
    let compiled = config::compile(data);
    match &compiled {
        Ok(policy) => judge_policy(policy),
        Err(errors) => judge_errors(errors, data),
    }
    let Some(document) = json::parse(data, config::MAX_DEPTH) else {
        assert!(compiled.is_err(), "only ours reads the document");
        return;
    };
    let other = config::compile(reversed(&document).as_bytes());
    match (compiled, other) {
        (Ok(one), Ok(other)) => assert_eq!(format!("{one:?}"), format!("{other:?}")),
        (Err(one), Err(other)) => assert_eq!(one, other),
        (one, other) => panic!("the order matters: {one:?} {other:?}"),
    }
}

/// The document with the members of each object in reverse order.
fn reversed(value: &Json<'_>) -> String {
    match &value.value {
        Value::Array(elements) => {
            let elements: Vec<_> = elements.iter().map(reversed).collect();
            format!("[{}]", elements.join(","))
        }
        Value::Object(members) => {
            let member = |(name, value): &(String, Json<'_>)| {
                format!(
                    "{}:{}",
                    serde_json::to_string(name).unwrap(),
                    reversed(value)
                )
            };
            let members: Vec<_> = members.iter().rev().map(member).collect();
            format!("{{{}}}", members.join(","))
        }
        _ => value.text.to_owned(),
    }
}

fn judge_errors(errors: &ConfigErrors, data: &[u8]) {
    let count = errors.iter().count();
    assert!((1..=MAX_ERRORS).contains(&count));
    assert!(errors.omitted() == 0 || count == MAX_ERRORS);
    let text = errors.to_string();
    assert_eq!(
        text.lines().count(),
        count + usize::from(errors.omitted() > 0)
    );
    for error in errors.iter() {
        let line = error.to_string();
        assert!(!line.contains(char::is_control), "{line:?}");
        assert!(line.len() < 4096, "{} bytes in a line", line.len());
        assert!(!error.place.to_string().is_empty());
        if let ErrorPosition::Position { line, .. } = error.place {
            assert!(line >= 1);
        }
    }
    for secret in secrets(data) {
        assert!(!text.contains(&secret), "an error contains a secret");
    }
}

/// The texts in `"k": "…"`.
fn secrets(data: &[u8]) -> Vec<String> {
    fn collect(value: &Json<'_>, into: &mut Vec<String>) {
        for element in value.array().into_iter().flatten() {
            collect(element, into);
        }
        for (name, value) in value.object().into_iter().flatten() {
            if matches!(&**name, "k" | "d") {
                into.extend(
                    value
                        .string()
                        .filter(|text| text.len() > 16)
                        .map(str::to_owned),
                );
            }
            collect(value, into);
        }
    }
    let mut secrets = Vec::new();
    if let Some(document) = json::parse(data, config::MAX_DEPTH) {
        collect(&document, &mut secrets);
    }
    secrets
}

/// A policy without contradictions.
fn judge_policy(policy: &Policy) {
    assert!(!policy.routes.is_empty());
    for route in &policy.routes {
        let open = route.access != Access::Required;
        assert!(!open || (route.rules.scopes.is_empty() && route.rules.claims.is_empty()));
        assert!(!open || route.token_use.is_none());
        let needs = matches!(route.access, Access::Required | Access::Optional);
        assert!(!needs || policy.providers.iter().next().is_some());
        for provider in route.providers.iter().flatten() {
            assert!(policy.providers.get(*provider).is_some());
        }
        if let Some(cors) = &route.cors {
            // A policy that allows credentials names the origins.
            let nobody = [&b"https://nobody.invalid"[..]];
            let answer = ResponseCors::for_request(cors, nobody);
            let shown = format!("{:?}", answer.apply([], false));
            assert!(!shown.contains("access-control-allow-credentials"));
        }
    }
    assert!(!policy.token_places.is_empty());
}
