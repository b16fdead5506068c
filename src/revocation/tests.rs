//! Revocation lists: what they accept, and which tokens they name.

use super::*;
use crate::time::UnixTime;

fn list(text: &str) -> RevocationList {
    RevocationList::parse(text.as_bytes(), None).unwrap_or_else(|error| panic!("{text}: {error}"))
}

fn error(text: &str) -> ListError {
    let parsed = RevocationList::parse(text.as_bytes(), None);
    parsed.expect_err(text)
}

fn token(jti: Option<&str>, sid: Option<&str>, sub: Option<&str>, iat: Option<i64>) -> TokenIds {
    TokenIds::new([jti, sid, sub], iat.map(UnixTime::from_secs))
}

#[test]
fn a_token_is_named_by_the_exact_text_of_its_id_or_session() {
    let list = list(r#"{"jti":["a","\u00e9","x y"],"sid":["s"]}"#);
    for id in ["a", "é", "x y"] {
        assert!(list.names(&token(Some(id), None, None, Some(0))), "{id}");
        assert!(list.names(&token(Some(id), None, None, None)), "{id}");
    }
    for id in ["A", "a ", "", "e\u{301}", "s", "\\u00e9"] {
        assert!(!list.names(&token(Some(id), None, None, Some(0))), "{id}");
    }
    assert!(list.names(&token(None, Some("s"), None, Some(i64::MAX))));
    // Each member names its own claim only.
    assert!(!list.names(&token(None, Some("a"), Some("s"), None)));
    assert!(!list.names(&token(None, None, Some("a"), None)));
    assert!(!list.names(&token(None, None, None, None)));
}

#[test]
fn a_subjects_token_is_named_if_it_was_issued_before_the_time() {
    let list = list(r#"{"sub":{"alice":1000.5,"bob":-5,"":0}}"#);
    let names = |sub, iat| list.names(&token(None, None, Some(sub), iat));
    assert!(names("alice", Some(1000)));
    assert!(!names("alice", Some(1001)));
    assert!(names("alice", None));
    assert!(!names("bob", Some(0)));
    assert!(names("bob", None));
    assert!(names("", Some(-1)));
    assert!(!names("", Some(0)));
    assert!(!names("carol", Some(0)) && !names("carol", None));
    let half = TokenIds::new(
        [None, None, Some("alice")],
        UnixTime::from_numeric_date("1000.4999"),
    );
    assert!(list.names(&half));
    let same = UnixTime::from_numeric_date("1000.50");
    assert!(!list.names(&TokenIds::new([None, None, Some("alice")], same)));
}

#[test]
fn each_of_the_members_is_optional_and_may_be_empty() {
    for text in [
        r#"{"jti":[]}"#,
        r#"{"sid":[]}"#,
        r#"{"sub":{}}"#,
        r#"{"jti":[],"sid":[],"sub":{}}"#,
        r#" {"version":{"jti":[1]},"sub":{}, "keys":[{"kty":"RSA"}]} "#,
    ] {
        let list = list(text);
        assert!(list.is_empty(), "{text}");
        assert!(!list.names(&token(Some(""), Some(""), Some(""), None)));
    }
    // Repeated entries are one.
    let list = list(r#"{"jti":["a","a","b"],"sid":["a"]}"#);
    assert_eq!(list.len(), 3);
    assert_eq!(list.size().entries, 4);
}

#[test]
fn a_document_that_is_not_a_list_is_refused() {
    for text in [
        "{}",
        "[]",
        r#"["a"]"#,
        "null",
        r#"{"keys":[]}"#,
        r#"{"JTI":["a"]}"#,
        r#"{"revoked":{"jti":["a"]}}"#,
    ] {
        assert_eq!(error(text), ListError::NotAList, "{text}");
    }
    for (member, values) in [
        (
            "jti",
            &[
                "null",
                "\"a\"",
                "{}",
                "{\"a\":1}",
                "[1]",
                "[null]",
                "[[\"a\"]]",
                "[\"a\",true]",
                "0",
                "true",
            ][..],
        ),
        ("sid", &["null", "{\"a\":1}", "[{}]", "[1.5]"]),
        (
            "sub",
            &[
                "null",
                "[]",
                "[\"a\"]",
                "{\"a\":\"1\"}",
                "{\"a\":null}",
                "{\"a\":[1]}",
                "{\"a\":1e30}",
                "{\"a\":9223372036854775808}",
                "1",
            ],
        ),
    ] {
        for value in values {
            let text = format!(r#"{{"{member}":{value}}}"#);
            assert_eq!(error(&text), ListError::BadEntry(member), "{text}");
        }
    }
}

#[test]
fn what_two_readers_could_read_differently_is_refused() {
    for (text, member) in [
        (r#"{"jti":["a"],"jti":[]}"#, "jti"),
        (r#"{"sid":[],"\u0073id":[]}"#, "sid"),
        (r#"{"sub":{},"sub":{}}"#, "sub"),
        (r#"{"sub":{"a":1,"a":2}}"#, "sub"),
        (r#"{"sub":{"a":1,"b":2,"\u0061":1}}"#, "sub"),
    ] {
        assert_eq!(error(text), ListError::Duplicate(member), "{text}");
    }
    for text in [
        "",
        "{\"jti\":[\"a\"]",
        "{\"jti\":[\"a\"]} {}",
        "{\"jti\":[\"\\ud800\"]}",
        "{\"sub\":{\"a\":01}}",
        "{\"sub\":{\"a\":NaN}}",
        "{jti:[]}",
        "\u{feff}{\"jti\":[]}",
    ] {
        assert!(matches!(error(text), ListError::Json(_)), "{text}");
    }
    let parsed = RevocationList::parse(b"{\"jti\":[\"\xff\"]}", None);
    assert!(matches!(parsed, Err(ListError::Json(_))));
}

#[test]
fn the_limits_are_exact() {
    let ids = |count: usize| (0..count).map(|n| format!("\"{n}\"")).collect::<Vec<_>>();
    let of = |count| format!(r#"{{"jti":[{}]}}"#, ids(count).join(","));
    let full = list(&of(MAX_ENTRIES));
    assert_eq!(full.len(), MAX_ENTRIES);
    assert!(full.names(&token(Some("49999"), None, None, None)));
    assert!(!full.names(&token(Some("50000"), None, None, None)));
    assert_eq!(error(&of(MAX_ENTRIES + 1)), ListError::TooManyEntries);
    // Entries of all members count, and repeated ones too.
    let mixed = format!(
        r#"{{"jti":[{}],"sid":["x","x"],"sub":{{"a":1}}}}"#,
        ids(MAX_ENTRIES - 3).join(",")
    );
    assert_eq!(list(&mixed).len(), MAX_ENTRIES - 1);
    let mixed = mixed.replace(r#"["x","x"]"#, r#"["x","x","x"]"#);
    assert_eq!(error(&mixed), ListError::TooManyEntries);

    let padded = |bytes: usize| {
        let text = r#"{"jti":["a"]}"#;
        format!("{text}{}", " ".repeat(bytes - text.len()))
    };
    assert_eq!(list(&padded(MAX_LIST_BYTES)).len(), 1);
    assert_eq!(error(&padded(MAX_LIST_BYTES + 1)), ListError::TooLarge);
    // Ten times the limits.
    let short: Vec<_> = (0..10 * MAX_ENTRIES)
        .map(|n| format!("\"{n:x}\""))
        .collect();
    let short = format!(r#"{{"jti":[{}]}}"#, short.join(","));
    assert_eq!(error(&short), ListError::TooManyEntries);
    assert_eq!(error(&padded(10 * MAX_LIST_BYTES)), ListError::TooLarge);
}

#[test]
fn a_list_near_a_limit_is_known() {
    let near = |bytes, entries| ListSize { bytes, entries }.is_near_limit();
    assert!(!near(3_355_443, 39_999));
    assert!(near(3_355_444, 0));
    assert!(near(0, 40_000));
    assert!(!near(0, 0));
}

#[test]
fn a_list_survives_its_compact_form() {
    for text in [
        r#"{"jti":[]}"#,
        r#"{"jti":["a","b"],"sid":["s"],"sub":{"alice":1000.5,"bob":-5}}"#,
    ] {
        for etag in [None, Some("W/\"x\"")] {
            let list = RevocationList::parse(text.as_bytes(), etag).unwrap();
            let bytes = list.encode();
            assert_eq!(RevocationList::decode(&bytes).as_ref(), Some(&list));
            for end in 0..bytes.len() {
                if let Some(shorter) = RevocationList::decode(&bytes[..end]) {
                    // Whole entries may be missing, but none is changed.
                    assert!(shorter.len() < list.len());
                }
            }
        }
    }
    let full: Vec<_> = (0..MAX_ENTRIES).map(|n| format!("\"{n}\"")).collect();
    let full = list(&format!(r#"{{"jti":[{}]}}"#, full.join(",")));
    let mut bytes = full.encode();
    assert!(RevocationList::decode(&bytes).is_some());
    // Entries in another order, or too many of them.
    bytes[13..].rotate_left(32);
    assert_eq!(RevocationList::decode(&bytes), None);
    let mut bytes = full.encode();
    bytes.extend([255; 32]);
    assert_eq!(RevocationList::decode(&bytes), None);
    assert_eq!(RevocationList::decode(b""), None);
    assert_eq!(RevocationList::decode(b"{\"jti\":[\"a\"]}"), None);
    assert_eq!(RevocationList::decode(b"{\"keys\":[]}"), None);
}

#[test]
fn lists_in_use_are_shared_and_bounded_together() {
    use std::sync::Arc;
    let of = |text| Arc::new(list(text));
    let label = shelf::Label::new("a", b"1");
    let one = shelf::put(label, of(r#"{"jti":["a"]}"#));
    let same = shelf::put(label, of(r#"{"jti":["b"]}"#));
    assert!(Arc::ptr_eq(&one, &same));
    assert_eq!(shelf::count(), 1);
    shelf::pretend_max_bytes(one.memory_bytes());
    let other = of(r#"{"jti":["b"]}"#);
    assert!(!shelf::has_room(&other, None));
    // The former list stays if another listener uses it.
    assert!(!shelf::has_room(&other, Some(&one)));
    drop(same);
    assert!(shelf::has_room(&other, Some(&one)));
    drop(one);
    assert_eq!(shelf::count(), 0);
    assert!(shelf::has_room(&other, None));
}
