use super::*;
use crate::crypto::DEFAULT_TABLE_BUDGET;
use crate::json::Fault;

#[test]
fn a_key_that_cannot_be_used_never_hides_a_good_one() {
    let document = format!(
        r#"{{"more":1,"keys":[{{"kty":"X"}},null,[],{{{OKP},"kid":"a","x5c":["…"],"more":{{}}}},{{}}]}}"#
    );
    let parsed = parse(&document).unwrap();
    assert_eq!(parsed.set.len(), 1);
    assert_eq!(parsed.set.iter().next().unwrap().kid(), Some("a"));
    let skipped: Vec<_> = parsed
        .skipped
        .iter()
        .map(|key| (key.index, key.reason))
        .collect();
    assert_eq!(
        skipped,
        [
            (0, SkipReason::UnknownKeyType),
            (1, SkipReason::NotAnObject),
            (2, SkipReason::NotAnObject),
            (4, SkipReason::Missing { member: "kty" }),
        ]
    );
}

#[test]
fn a_document_that_is_not_a_key_set_is_refused_as_a_whole() {
    for text in [
        "{}",
        r#"{"keys":null}"#,
        r#"{"keys":{}}"#,
        r#"{"keys":"[]"}"#,
        r#"{"keys":1}"#,
        r#"{"Keys":[]}"#,
        &format!("{{{EC}}}"),
    ] {
        assert_eq!(parse(text).unwrap_err(), KeySetError::NotAKeySet, "{text}");
    }
    let empty = KeySetError::NoUsableKey { skipped: vec![] };
    assert_eq!(parse(r#"{"keys":[]}"#).unwrap_err(), empty);
    let good = document(&[EC]);
    let duplicate_inside = document(&[&with(EC, r#""x":"AA""#)]);
    let nested = ["[".repeat(32), "]".repeat(32)].concat();
    let deep = good.replacen('{', &format!(r#"{{"x":{nested},"#), 1);
    for (text, fault) in [
        ("", Fault::Syntax),
        ("null", Fault::NotAnObject),
        ("[]", Fault::NotAnObject),
        (&format!("[{good}]"), Fault::NotAnObject),
        ("<html>", Fault::Syntax),
        (good.trim_end_matches('}'), Fault::Syntax),
        (&format!("{good}x"), Fault::Syntax),
        (&format!("{good}{good}"), Fault::Syntax),
        (&good.replace("}]", "},]"), Fault::Syntax),
        (&format!("\u{FEFF}{good}"), Fault::ByteOrderMark),
        (r#"{"keys":[],"keys":[]}"#, Fault::DuplicateMember),
        (&duplicate_inside, Fault::DuplicateMember),
        (&deep, Fault::TooDeep),
        (&document(&[&with(EC, r#""more":1e400"#)]), Fault::Syntax),
        (&document(&[&with(EC, r#""more":"\ud800""#)]), Fault::Syntax),
    ] {
        let Err(KeySetError::Json(error)) = parse(text) else {
            panic!("{text}");
        };
        assert_eq!(error.fault, fault, "{text}");
    }
}

#[test]
fn size_and_number_of_keys_are_bounded() {
    let keys = |count| document(&vec![OKP; count]);
    assert_eq!(parse(&keys(256)).unwrap().set.len(), 256);
    let too_many = KeySetError::TooManyKeys { count: 257 };
    assert_eq!(parse(&keys(257)).unwrap_err(), too_many);
    let unusable = document(&[r#""kty":"X""#; 257]);
    assert_eq!(parse(&unusable).unwrap_err(), too_many);
    assert_eq!(too_many.to_string(), "257 keys, more than 256");
    let padded = |size: usize| {
        let text = document(&[OKP]);
        let padding = " ".repeat(size - text.len());
        text + &padding
    };
    assert!(parse(&padded(MAX_KEY_SET_BYTES)).is_ok());
    let error = parse(&padded(MAX_KEY_SET_BYTES + 1)).unwrap_err();
    assert_eq!(error, KeySetError::TooLarge);
    assert_eq!(error.to_string(), "larger than 524288 bytes");
}

#[test]
fn reasons_name_the_index_and_the_member_but_contain_no_key_text() {
    let text = document(&[&EC.replace("P-256", "P-257"), &with(RSA, r#""use":"enc""#)]);
    let error = parse(&text).unwrap_err();
    assert_eq!(
        error.to_string(),
        "no usable key; keys[0]: unknown `crv`; keys[1]: its `use` is not `sig`"
    );
}

#[test]
fn tables_are_built_for_the_first_keys_and_not_again_for_known_ones() {
    let fast = |set: &KeySet| {
        let prepared = set.iter().filter(|key| key.key().is_prepared());
        prepared.count()
    };
    let keys: Vec<String> = (0..10)
        .map(|number| with(OKP, &format!(r#""kid":"{number}""#)))
        .chain([RSA.to_owned()])
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let former = set(&keys);
    assert_eq!(fast(&former), 0);
    former.prepare(&DEFAULT_TABLE_BUDGET);
    assert_eq!(fast(&former), 8);
    // Shared keys have tables at once, and keep them without the other sets.
    let mut next = set(&keys[9..]);
    next.adopt(&former);
    assert_eq!(fast(&next), 1);
    next.prepare(&DEFAULT_TABLE_BUDGET);
    drop(former);
    assert_eq!(fast(&next), 1);
    let copy = next.clone();
    copy.drop_tables();
    assert_eq!(fast(&copy), 1);
    next.drop_tables();
    assert_eq!(fast(&copy), 0);
}

#[test]
fn fewer_keys_with_large_tables_get_tables() {
    let names = |set: &KeySet| -> Vec<String> {
        let prepared = set.iter().filter(|key| key.key().is_prepared());
        prepared.map(|key| key.kid().unwrap().to_owned()).collect()
    };
    let p521 = r#""kty":"EC","crv":"P-521","x":"AHKZLLOsCOzz5cY97ewNUajB957y-C-U88c3v13nmGZx6sYl_oJXu9A5RkTKqjqvjyekWF-7ytDyRXYgCF5cj0Kt","y":"AdymlHvOiLxXkEhayXQnNCvDX4h9htZaCJN34kfmC6pV5OhQHiraVySsUdaQkAgDPrwQrJmbnX9cwlGfP-HqHZR1""#;
    let keys: Vec<String> = ["a", "b", "c", "d"]
        .map(|kid| with(p521, &format!(r#""kid":"{kid}""#)))
        .into_iter()
        .chain([with(EC, r#""kid":"e""#), with(OKP, r#""kid":"f""#)])
        .collect();
    let keys: Vec<&str> = keys.iter().map(String::as_str).collect();
    let former = set(&keys);
    former.prepare(&DEFAULT_TABLE_BUDGET);
    // The keys after them keep their tables.
    assert_eq!(names(&former), ["a", "b", "f"]);
    // Tables of known keys are adopted. Here all of these are the same key.
    let mut next = set(&keys[1..]);
    next.adopt(&former);
    next.prepare(&DEFAULT_TABLE_BUDGET);
    drop(former);
    assert_eq!(names(&next), ["b", "c", "d", "f"]);
}

#[test]
fn a_set_without_keys_says_so() {
    let message = |text: &str| parse(text).unwrap_err().to_string();
    assert_eq!(message(r#"{"keys":[]}"#), "no keys");
    assert!(message(r#"{"keys":[{}]}"#).starts_with("no usable key; keys[0]: "));
}

#[test]
fn unusable_keys_are_grouped_by_reason() {
    let with_key = |kty: &str| format!(r#"{{"kty":"{kty}"}}"#);
    let mut keys: Vec<String> = (0..256).map(|_| with_key("X")).collect();
    keys[3] = format!("{{{OKP}}}");
    keys[7] = "null".to_owned();
    keys[9] = "{}".to_owned();
    keys[200] = "1".to_owned();
    let skipped = parse(&format!(r#"{{"keys":[{}]}}"#, keys.join(",")))
        .unwrap()
        .skipped;
    let message: Vec<_> = SkippedKeys::by_reason(&skipped)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        message,
        [
            "keys 0, 1, 2, 4, 5, 6, 8, 10 and 244 more of the set are not used: unknown `kty`",
            "keys 7 and 200 of the set are not used: not an object",
            "key 9 of the set is not used: no `kty`",
        ]
    );
}

#[test]
fn a_set_takes_memory_for_each_entry_and_for_the_text_of_each_key() {
    let unusable = r#""kty":"XYZ""#;
    let text = format!("{{{EC}}}");
    let parsed = parse(&document(&[EC, unusable, EC])).unwrap();
    assert_eq!(parsed.set.len(), 2);
    assert_eq!(parsed.set.memory_bytes(), 3 * 512 + 2 * 4 * text.len());
}
