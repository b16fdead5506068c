use super::*;

const DEPTH: usize = 32;

fn fault(text: &[u8]) -> Option<Fault> {
    parse(text, DEPTH).err().map(|error| error.fault)
}

#[test]
fn members_keep_their_order_and_numbers_their_text() {
    let members = object(br#" { "b" : 1.50e2 , "a\u0041" : [ 1, "x" ] } "#, DEPTH).unwrap();
    let seen: Vec<_> = members
        .iter()
        .map(|(name, value)| (name.to_owned(), value.text()))
        .collect();
    assert_eq!(
        seen,
        [
            ("b".to_owned(), "1.50e2"),
            ("aA".to_owned(), r#"[ 1, "x" ]"#)
        ]
    );
    assert_eq!(members.get("b").unwrap().number(), Some("1.50e2"));
    assert!(members.get("c").is_none());
}

#[test]
fn each_value_opens_as_its_own_kind_only() {
    let cases = [
        ("null", Kind::Null),
        ("true", Kind::Bool),
        ("-0.5", Kind::Number),
        (r#""t""#, Kind::String),
        ("[]", Kind::Array),
        ("{}", Kind::Object),
    ];
    for (text, kind) in cases {
        let padded = format!("\n {text}\t");
        let value = parse(padded.as_bytes(), DEPTH).unwrap();
        assert_eq!(value.kind(), kind);
        assert_eq!(value.text(), text);
        assert_eq!(value.boolean().is_some(), kind == Kind::Bool);
        assert_eq!(value.number().is_some(), kind == Kind::Number);
        assert_eq!(value.string().is_some(), kind == Kind::String);
        assert_eq!(value.elements().is_some(), kind == Kind::Array);
        assert_eq!(value.members().is_some(), kind == Kind::Object);
    }
}

#[test]
fn strings_are_decoded_and_borrowed_if_nothing_is_escaped() {
    use std::borrow::Cow;
    let plain = parse(br#""plain""#, 0).unwrap().string().unwrap();
    assert!(matches!(plain, Cow::Borrowed("plain")));
    let escaped = parse(br#""a\u0000\ud83d\ude00\n""#, 0).unwrap();
    assert_eq!(escaped.string().unwrap(), "a\0\u{1F600}\n");
}

#[test]
fn an_object_is_never_read_from_an_array_or_a_scalar() {
    for text in ["[]", r#"[["a",1]]"#, "null", "1", r#""{}""#, "true"] {
        let error = object(text.as_bytes(), DEPTH).unwrap_err();
        assert_eq!(error.fault, Fault::NotAnObject, "{text}");
    }
}

#[test]
fn duplicate_members_are_refused_at_every_level_and_in_every_spelling() {
    for text in [
        r#"{"a":1,"a":1}"#,
        r#"{"a":1,"\u0061":1}"#,
        r#"{"x":{"a":1,"b":2,"a":3}}"#,
        r#"{"x":[0,{"":1,"":2}]}"#,
    ] {
        assert_eq!(
            fault(text.as_bytes()),
            Some(Fault::DuplicateMember),
            "{text}"
        );
    }
    assert_eq!(fault(br#"{"a":{"a":1},"A":1}"#), None);
}

#[test]
fn unused_members_are_read_as_strictly() {
    for text in [
        r#"{"x":"\ud800"}"#,
        r#"{"x":"\udc00\ud800"}"#,
        r#"{"\ud800":1}"#,
        r#"{"x":1e400}"#,
        r#"{"x":[-1e400]}"#,
        r#"{"x":01}"#,
        r#"{"x":+1}"#,
        r#"{"x":1.}"#,
        r#"{"x":NaN}"#,
        r#"{"x":'a'}"#,
        r#"{"x":"a"#,
        "{\"x\":\"\n\"}",
        r#"{"x":1,}"#,
        r#"{"x":[1,]}"#,
        "{x:1}",
        "{\"x\":1}{}",
        "{\"x\":1} x",
        "{\"x\":1}\0",
        "\0{}",
        "/**/{}",
        "{}//",
        "",
        "  ",
    ] {
        assert_eq!(fault(text.as_bytes()), Some(Fault::Syntax), "{text}");
    }
    assert_eq!(
        fault(br#"{"x":1e308,"y":1e-400,"z":340282366920938463463374607431768211456}"#),
        None
    );
}

#[test]
fn only_utf8_without_a_byte_order_mark_is_read() {
    assert_eq!(fault(b"\xEF\xBB\xBF{}"), Some(Fault::ByteOrderMark));
    let error = parse(b"{\n\"a\":\"\xFF\"}", DEPTH).unwrap_err();
    assert_eq!(
        error,
        JsonError {
            fault: Fault::NotUtf8,
            line: 2,
            column: 6
        }
    );
    // An encoded surrogate and an overlong slash.
    assert_eq!(fault(b"{\"a\":\"\xED\xA0\x80\"}"), Some(Fault::NotUtf8));
    assert_eq!(fault(b"{\"a\":\"\xC0\xAF\"}"), Some(Fault::NotUtf8));
}

#[test]
fn nesting_is_limited_and_never_overflows_the_stack() {
    let nested = |depth: usize| [b"[".repeat(depth), b"]".repeat(depth)].concat();
    assert_eq!(fault(&nested(DEPTH)), None);
    assert_eq!(fault(&nested(DEPTH + 1)), Some(Fault::TooDeep));
    assert_eq!(fault(&nested(100_000)), Some(Fault::TooDeep));
    assert_eq!(fault(&b"[".repeat(100_000)), Some(Fault::TooDeep));
    let objects = [b"{\"a\":".repeat(DEPTH), b"1".to_vec(), b"}".repeat(DEPTH)].concat();
    assert_eq!(fault(&objects), None);
    assert_eq!(
        fault(&[b"{\"a\":", &*objects, b"}"].concat()),
        Some(Fault::TooDeep)
    );
    assert!(parse(b"1", 0).is_ok());
    assert_eq!(parse(b"{}", 0).unwrap_err().fault, Fault::TooDeep);
}

#[test]
fn errors_have_a_position_and_repeat_no_text() {
    let error = parse(b"{\"secret\":1,\n \"secret\":2}", DEPTH).unwrap_err();
    assert_eq!(error.fault, Fault::DuplicateMember);
    assert_eq!(error.line, 2);
    let within = object(b"{\"a\":\n{\"b\":1,\"b\":2}}", 2).unwrap_err();
    assert_eq!((within.fault, within.column), (Fault::DuplicateMember, 10));
    assert!(!error.to_string().contains("secret"));
    let value = parse(br#""secret""#, 0).unwrap();
    assert_eq!(format!("{value:?}"), "Value(String)");
}

/// Compares the two ways to check an object. The first is the fast one.
#[test]
fn both_ways_to_check_an_object_agree() {
    let mut accepted = 0;
    for value in VALUES {
        for text in [
            format!("{{\"a\":{value}}}"),
            format!(" {{ \"a\" : {value} , \"b\":{value} }} "),
            format!("{{\"a\":{value},\"b\":[{value}]}}"),
            format!("{{\"a\":{{\"b\":{value}}},\"\\u0062\":{value}}}"),
            format!("{{\"a\":{value},\"\\u0061\":1}}"),
            format!("{{\"a\":{value}}}x"),
            format!("{{\"a\":{value}}}{{}}"),
            format!("{{\"a\":{value},}}"),
        ] {
            for depth in 0..5 {
                let checked = parse(text.as_bytes(), depth).ok().and_then(Value::members);
                let taken_apart = strict::object(&text, depth).ok();
                let members = |object: Object<'_>| -> Vec<(String, String)> {
                    let own = |(name, value): (&str, Value<'_>)| (name.into(), value.text().into());
                    object.iter().map(own).collect()
                };
                accepted += usize::from(checked.is_some());
                assert_eq!(
                    taken_apart.map(members),
                    checked.map(members),
                    "{text} {depth}"
                );
            }
        }
    }
    assert!(accepted > 200, "{accepted}");
}

const VALUES: &[&str] = &[
    "1",
    "-0",
    "-0.0e-0",
    "1e308",
    "1e309",
    "-1e400",
    "1E400",
    "1e-400",
    "340282366920938463463374607431768211456",
    "01",
    "-",
    "+1",
    "1.",
    ".5",
    "0x1",
    "1e",
    "1e+",
    "tru",
    "true",
    "truex",
    "null",
    "nul",
    "false",
    "NaN",
    "Infinity",
    "\"\"",
    "\"a\"",
    "\"a",
    "\"\\u0041\"",
    "\"\\ud83d\\ude00\"",
    "\"\\ud800\"",
    "\"\\udc00\\ud800\"",
    "\"\\x\"",
    "\"\\\"",
    "\"\\\\\"",
    "\"\t\"",
    "\"\n\"",
    "\"\u{7f}\u{85}\u{2028}\"",
    "'a'",
    "[]",
    "[1,]",
    "[1 2]",
    "[[[1]]]",
    "[\"\\ud800\"]",
    "[1e400]",
    "{}",
    "{\"x\":1,\"x\":2}",
    "{\"x\":{\"y\":1,\"\\u0079\":2}}",
    "{\"x\":[{\"y\":1}]}",
    "{\"x\"}",
    "{1:2}",
    "",
    " ",
    "//",
];

#[test]
fn duplicates_are_found_among_few_members_and_among_many() {
    for count in [1, 2, 23, 24, 25, 26, 60] {
        let names: Vec<String> = (0..count).map(|number| format!("\"{number}\":0")).collect();
        let good = format!("{{{}}}", names.join(","));
        assert_eq!(object(good.as_bytes(), 1).unwrap().iter().count(), count);
        for duplicate in &names {
            let text = format!("{{{},{duplicate}}}", names.join(","));
            let within = format!("{{\"x\":{text}}}");
            for text in [text, within] {
                let error = object(text.as_bytes(), 2).unwrap_err();
                assert_eq!(error.fault, Fault::DuplicateMember, "{text}");
            }
        }
    }
}

#[test]
fn a_number_that_is_too_large_is_refused_in_every_notation() {
    for digits in [298, 299, 300, 308, 309, 310, 400] {
        let text = format!("{{\"a\":{},\"b\":-{0}}}", "9".repeat(digits));
        let refused = digits > 308;
        assert_eq!(object(text.as_bytes(), 1).is_err(), refused, "{digits}");
    }
}
