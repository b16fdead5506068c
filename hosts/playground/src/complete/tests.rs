use serde_json::Value;

use super::at_end;

/// What is offered at the end of a text: the part that it replaces, and its labels.
fn offered(text: &str) -> (String, Vec<String>) {
    let found = at_end(text);
    let label = |item: &Value| item["label"].as_str().unwrap().to_owned();
    let labels = found["items"].as_array().unwrap().iter().map(label);
    (
        found["typed"].as_str().unwrap().to_owned(),
        labels.collect(),
    )
}

#[track_caller]
fn assert_first(text: &str, typed: &str, first: &str) {
    let (found, labels) = offered(text);
    assert_eq!(found, typed, "{text}");
    assert_eq!(
        labels.first().map(String::as_str),
        Some(first),
        "{text}\n{labels:?}"
    );
}

const ROUTE: &str = "routes:\n  - match: GET /a\n";

#[test]
fn an_empty_document_is_offered_its_members_and_the_required_ones_first() {
    assert_first("", "", "routes");
    assert_first("rou", "rou", "routes");
    assert_first("{", "", "routes");
}

#[test]
fn names_are_those_of_the_object_that_the_indentation_names() {
    assert_first(&format!("{ROUTE}    acc"), "acc", "access");
    assert_first(&format!("{ROUTE}cor"), "cor", "cors");
    assert_first("providers:\n- name: a\n  iss", "iss", "issuer");
    assert_first(
        "providers:\n  - name: a\n    jwks:\n      cl",
        "cl",
        "cluster",
    );
    assert_first("providers:\n  - name: a\n    jwks: {cl", "cl", "cluster");
    assert_first("cors:\n  # why\n\n  allow_o", "allow_o", "allow_origins");
}

#[test]
fn an_element_of_a_list_begins_with_a_dash() {
    assert_first("routes:\n  ", "", "- match");
    assert_first("routes:\n  - ", "", "match");
    assert_first("routes:\n  - match: GET /a\n  - ma", "ma", "match");
}

#[test]
fn present_names_are_not_offered_again() {
    let (_, labels) = offered(&format!("{ROUTE}    access: public\n    "));
    assert!(!labels.contains(&"access".to_owned()), "{labels:?}");
    assert!(!labels.contains(&"match".to_owned()), "{labels:?}");
    assert!(labels.contains(&"scopes".to_owned()), "{labels:?}");
    // Another element of the list may have it.
    let (_, labels) = offered(&format!(
        "{ROUTE}    access: public\n  - match: GET /b\n    "
    ));
    assert!(labels.contains(&"access".to_owned()), "{labels:?}");
}

#[test]
fn listed_values_are_offered() {
    assert_first(&format!("{ROUTE}    access: pu"), "pu", "public");
    assert_first(&format!("{ROUTE}    access: "), "", "public");
    assert_first("providers:\n  - algorithms: [RS256, ES", "ES", "ES256");
    assert_first("providers:\n  - algorithms:\n      - PS3", "PS3", "PS384");
    assert_first("cors:\n  allow_credentials: ", "", "true");
    assert_first("mode: ", "", "enforce");
}

#[test]
fn json_is_completed_with_quotes() {
    assert_first(r#"{"routes": [{"match": "GET /a", "acc"#, "\"acc", "access");
    assert_first(r#"{"routes": [{"access":"pu"#, "\"pu", "public");
    let found = at_end(r#"{"routes": [{"#);
    assert_eq!(found["items"][0]["insert"], r#""match": "#);
    let found = at_end(r#"{"routes": [{"access": "#);
    assert_eq!(found["items"][0]["insert"], r#""public""#);
}

#[test]
fn a_configuration_inside_of_another_document_is_completed_too() {
    let carried = "spec:\n  pluginConfig:\n    routes:\n      - match: GET /a\n        acc";
    assert_first(carried, "acc", "access");
}

#[test]
fn nothing_is_offered_in_comments_and_texts() {
    for text in [
        "# rou",
        "routes: # ma",
        "routes:",
        "providers:\n  - jwks:\n      inline: |\n        {\"ke",
        "{\"routes\": []} ",
    ] {
        assert_eq!(offered(text).1, Vec::<String>::new(), "{text}");
    }
}

/// Quotes, brackets and lines without order cost one pass and no stack.
#[test]
fn hostile_texts_are_read_in_one_pass() {
    for text in [
        "[",
        "{\"a\":",
        "- ",
        "a:\n ",
        "\"",
        "a: [}\n",
        "{a: 'x",
        "\\",
        "\u{1F600}: ",
    ] {
        let long = text.repeat(20_000);
        let found = at_end(&long);
        assert!(found["items"].is_array(), "{text}");
    }
}
