//! Hostile configurations: strange or very large ones.

use serde_json::{Value, json};

use super::{compile_value, minimal, policy, whole};
use crate::config::{ErrorPosition, MAX_ERRORS, MAX_PROVIDERS, MAX_ROUTES, compile};

/// Every value inside a document, as a JSON pointer.
fn pointers(value: &Value, at: &str, found: &mut Vec<String>) {
    found.push(at.to_owned());
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                let name = name.replace('~', "~0").replace('/', "~1");
                pointers(member, &format!("{at}/{name}"), found);
            }
        }
        Value::Array(elements) => {
            for (index, element) in elements.iter().enumerate() {
                pointers(element, &format!("{at}/{index}"), found);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn a_null_value_is_always_reported_at_its_own_position() {
    let whole = whole();
    let mut places = Vec::new();
    pointers(&whole, "", &mut places);
    assert!(places.len() > 100);
    // Key sets have their own rules and tests.
    for pointer in places.iter().filter(|place| !place.contains("/keys")) {
        let mut changed = whole.clone();
        *changed.pointer_mut(pointer).unwrap() = Value::Null;
        let errors = compile_value(&changed).unwrap_err();
        let depth = pointer.matches('/').count();
        let blamed = |place: &ErrorPosition| match place {
            ErrorPosition::Position { .. } => false,
            ErrorPosition::Value(path) => path.steps().len() == depth,
        };
        let first = errors.iter().next().unwrap();
        assert!(
            blamed(&first.place) && first.to_string().contains("has no value"),
            "{pointer}: {errors}"
        );
    }
}

#[test]
fn no_value_in_any_place_makes_the_compiler_panic() {
    let whole = whole();
    let mut places = Vec::new();
    pointers(&whole, "", &mut places);
    let strange = [
        json!(""),
        json!("\u{0}"),
        json!("{"),
        json!("{id}"),
        json!("off"),
        json!("é\u{301}\u{10ffff}"),
        json!("99999999999999999999h"),
        json!(-0.0),
        json!(1e300),
        json!(u64::MAX),
        json!(false),
        json!([]),
        json!({}),
        json!([[[[]]]]),
        json!({"keys": [{"kty": "oct"}], "": {}}),
        json!("a".repeat(1_000)),
    ];
    for pointer in &places {
        for value in &strange {
            let mut changed = whole.clone();
            *changed.pointer_mut(pointer).unwrap() = value.clone();
            if let Err(errors) = compile_value(&changed) {
                for error in errors.iter() {
                    let line = error.to_string();
                    assert!(line.len() < 2_000, "{pointer}: {line:.200}");
                }
            }
        }
    }
}

#[test]
fn no_change_of_bytes_makes_the_compiler_panic() {
    let text = whole().to_string().into_bytes();
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut next = |bound: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        usize::try_from(state % u64::try_from(bound).unwrap()).unwrap()
    };
    for _ in 0..3_000 {
        let mut changed = text.clone();
        for _ in 0..=next(3) {
            let at = next(changed.len());
            match next(3) {
                0 => changed[at] = u8::try_from(next(256)).unwrap(),
                1 => drop(changed.remove(at)),
                _ => {
                    let end = (at + next(40)).min(changed.len());
                    let piece = changed[at..end].to_vec();
                    let to = next(changed.len());
                    changed.splice(to..to, piece);
                }
            }
        }
        if let Err(errors) = compile(&changed) {
            assert!(!errors.to_string().is_empty());
        }
    }
}

#[test]
fn the_number_of_errors_is_limited() {
    let routes: Vec<Value> = (0..5_000).map(|_| json!({"match": 5})).collect();
    let errors = compile_value(&json!({ "routes": routes })).unwrap_err();
    assert_eq!(errors.iter().count(), MAX_ERRORS);
    assert!(errors.to_string().ends_with("more errors"));
}

#[test]
fn providers_and_routes_are_accepted_up_to_their_limit() {
    let provider = |index: usize| {
        json!({
            "name": format!("p{index}"),
            "issuer": format!("https://i{index}.example"),
            "audiences": ["api"],
            "jwks": {"cluster": "c"},
        })
    };
    let route = |index: usize| {
        json!({
            "match": format!("GET /r{index}/{{id}}"),
            "providers": [format!("p{}", index % MAX_PROVIDERS)],
        })
    };
    let providers: Vec<Value> = (0..MAX_PROVIDERS).map(provider).collect();
    let routes: Vec<Value> = (0..MAX_ROUTES).map(route).collect();
    let mut document = json!({"providers": providers, "routes": routes});
    let policy = policy(&document);
    assert_eq!(policy.routes.len(), MAX_ROUTES);
    assert_eq!(policy.sources.len(), MAX_PROVIDERS);
    for (member, one_more) in [("providers", provider(5_000)), ("routes", route(99_999))] {
        document[member].as_array_mut().unwrap().push(one_more);
    }
    assert_eq!(
        compile_value(&document).unwrap_err().to_string(),
        "providers: has more than 1000 elements; write fewer\n\
         routes: has more than 50000 elements; write fewer"
    );
}

#[test]
fn a_million_segments_are_accepted_and_a_thousand_more_are_refused() {
    // Hosts that each have one route of their own and many in common.
    let hosts: Vec<String> = (0..1_000).map(|index| format!("h{index}.test")).collect();
    let document = |common: usize| {
        let own = hosts.iter();
        let own = own.map(|host| json!({"match": "PUT /", "hosts": [host]}));
        let patterns: Vec<String> = (0..common).map(|index| format!("GET /{index}")).collect();
        let mut routes: Vec<Value> = own.collect();
        routes.push(json!({"match": patterns, "hosts": hosts}));
        let mut document = minimal();
        document["routes"] = Value::Array(routes);
        document
    };
    assert_eq!(policy(&document(999)).routes.len(), 1_001);
    assert_eq!(
        compile_value(&document(1_000)).unwrap_err().to_string(),
        "routes: has patterns of more than 1000000 segments in all, those of a route with `hosts` \
         counted for each group of hosts that have other routes, and each method or name of `mcp` \
         as one; write fewer or shorter patterns, or the same `hosts` in more routes"
    );
}

#[test]
fn fifty_thousand_misspelt_names_are_reported_in_time() {
    let providers: Vec<Value> = (0..MAX_PROVIDERS)
        .map(|index| {
            json!({
                "name": format!("provider-of-the-tenant-number-{index}"),
                "issuer": "i",
                "audiences": "any",
                "jwks": {"cluster": "c", "uri": "https://i.example"},
            })
        })
        .collect();
    let routes: Vec<Value> = (0..MAX_ROUTES)
        .map(|index| {
            json!({
                "match": format!("GET /{index}"),
                "providers": [format!("provider-of-the-tenant-nr-{index}")],
            })
        })
        .collect();
    let errors = compile_value(&json!({"providers": providers, "routes": routes})).unwrap_err();
    assert_eq!(errors.iter().count(), MAX_ERRORS);
    assert_eq!(errors.omitted(), MAX_ROUTES - MAX_ERRORS);
}

#[test]
fn inline_keys_are_never_repeated() {
    let secret = "EixZcIO9Q4t_bXKvddAllA";
    for keys in [
        json!({"keys": [{"kty": "oct", "k": secret}]}),
        json!({"keys": [{"kty": "oct", "k": [secret]}]}),
        json!({"keys": secret}),
        json!({ secret: secret }),
        json!(secret),
        json!([secret]),
        json!(format!("{{\"keys\": [\"{secret}\"")),
    ] {
        let mut value = minimal();
        value["providers"][0]["jwks"] = json!({ "inline": keys });
        let errors = compile_value(&value).unwrap_err();
        assert!(!errors.to_string().contains(secret), "{errors}");
        assert!(!format!("{errors:?}").contains(secret), "{errors:?}");
    }
}
