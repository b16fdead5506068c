mod doubted;

use super::RequestEdit;
use super::credentials::Credentials;
use super::refusal::Refusal;
use crate::http::{HeaderMap, RequestHead};
use crate::policy::{BodyStyle, Responses, TokenPlace};
use crate::telemetry::Reason;

fn bearer() -> Vec<TokenPlace> {
    vec![header("authorization", Some("Bearer"))]
}

fn header(name: &str, scheme: Option<&str>) -> TokenPlace {
    TokenPlace::Header {
        name: name.into(),
        scheme: scheme.map(Into::into),
    }
}

fn head(fields: &[(&str, &str)]) -> RequestHead {
    RequestHead::new(HeaderMap::from_pairs(fields.iter().copied()))
}

/// What is found, as text: `-`, `malformed`, `several`, or the token.
fn found(places: &[TokenPlace], fields: &[(&str, &str)]) -> String {
    match Credentials::find(&head(fields), places) {
        Credentials::None => "-".to_owned(),
        Credentials::Unclear => "unclear".to_owned(),
        Credentials::Malformed => "malformed".to_owned(),
        Credentials::Several => "several".to_owned(),
        Credentials::Token(token) if !token.is_one_word() => "malformed".to_owned(),
        Credentials::Token(token) => String::from_utf8(token.text.to_vec()).unwrap(),
    }
}

#[test]
fn a_bearer_token_is_one_word_after_its_scheme_in_any_case() {
    for (value, expected) in [
        ("Bearer a.b.c", "a.b.c"),
        ("bearer a.b.c", "a.b.c"),
        ("BEARER   a.b.c  ", "a.b.c"),
        ("  Bearer a.b.c", "a.b.c"),
        ("Bearer", "malformed"),
        ("Bearer ", "malformed"),
        ("Bearer a b", "malformed"),
        ("Bearer a\tb", "malformed"),
        ("Bearer a,b", "malformed"),
        ("Bearer a, realm=\"x\"", "malformed"),
        ("Bearer a,Bearer b", "malformed"),
        ("Basic a,Bearer b", "malformed"),
        ("Basic a, bearer b", "malformed"),
        ("", "-"),
        ("Basic dTpw", "-"),
        ("Digest username=\"a\", realm=\"b\"", "-"),
        ("DPoP a.b.c", "-"),
        ("BearerX a", "-"),
        ("Bearer-x a", "-"),
        ("Bearer: a", "unclear"),
        ("Bearer\ta", "unclear"),
        ("a.b.c", "-"),
    ] {
        assert_eq!(
            found(&bearer(), &[("authorization", value)]),
            expected,
            "{value:?}"
        );
    }
}

#[test]
fn what_separates_words_is_found_wherever_it_stands() {
    for length in 1..20 {
        for at in 0..length {
            for byte in 0..=u8::MAX {
                let mut word = vec![b'a'; length];
                word[at] = byte;
                let value = [b"Bearer ", &*word].concat();
                let head = RequestHead::new(HeaderMap::from_pairs([("authorization", value)]));
                let at_an_end = at == 0 || at + 1 == length;
                let separates = match byte {
                    b',' => true,
                    // At an end it is trimmed, which leaves one word, or none.
                    b' ' | b'\t' | b'\n' | b'\r' | b'\x0c' => !at_an_end || length == 1,
                    _ => false,
                };
                let places = bearer();
                let found = Credentials::find(&head, &places);
                let malformed = if let Credentials::Token(token) = &found {
                    !token.is_one_word()
                } else {
                    found == Credentials::Malformed
                };
                assert_eq!(malformed, separates, "{byte:#x} at {at} of {length}");
            }
        }
    }
}

#[test]
fn a_header_without_scheme_is_the_token_with_or_without_bearer() {
    let places = [header("x-api-token", None)];
    for (value, expected) in [
        ("a.b.c", "a.b.c"),
        ("Bearer a.b.c", "a.b.c"),
        ("bearer  a.b.c", "a.b.c"),
        ("", "-"),
        ("Bearer", "malformed"),
        ("a b", "malformed"),
        ("a,b", "malformed"),
        ("Basic x", "malformed"),
    ] {
        assert_eq!(
            found(&places, &[("x-api-token", value)]),
            expected,
            "{value:?}"
        );
    }
}

#[test]
fn two_tokens_are_refused_wherever_they_are() {
    let places = [
        header("authorization", Some("Bearer")),
        header("x-api-token", None),
        TokenPlace::Cookie("session".into()),
        TokenPlace::Query("access_token".into()),
    ];
    let all = [
        ("authorization", "Bearer a"),
        ("x-api-token", "b"),
        ("cookie", "session=c"),
        (":path", "/?access_token=d"),
    ];
    for (index, first) in all.iter().enumerate() {
        for second in &all[index..] {
            let expected = if first.0 == ":path" && second.0 == ":path" {
                "d"
            } else {
                "several"
            };
            assert_eq!(
                found(&places, &[*first, *second]),
                expected,
                "{first:?} {second:?}"
            );
        }
    }
    assert_eq!(
        found(&places, &[(":path", "/?access_token=a&access_token=b")]),
        "several"
    );
    assert_eq!(
        found(&places, &[("cookie", "session=a; session=b")]),
        "several"
    );
    assert_eq!(
        found(
            &places,
            &[("authorization", "Bearer"), ("x-api-token", "b")]
        ),
        "malformed"
    );
}

#[test]
fn cookie_and_query_names_are_compared_after_decoding() {
    let places = [
        TokenPlace::Cookie("session".into()),
        TokenPlace::Query("access_token".into()),
    ];
    for (field, expected) in [
        (("cookie", "a=b; s%65ssion=t; c=d"), "t"),
        (("cookie", "session=\"t\""), "t"),
        (("cookie", "session="), "-"),
        (("cookie", "sessions=t"), "-"),
        ((":path", "/a?x=1&access%5Ftoken=t"), "t"),
        ((":path", "/a?access_token=a%2Eb"), "a.b"),
        ((":path", "/a?access_token"), "-"),
        ((":path", "/access_token=t"), "-"),
        ((":path", "/a?%zz=1&access_token=t"), "t"),
    ] {
        assert_eq!(found(&places, &[field]), expected, "{field:?}");
    }
}

fn removal(places: &[TokenPlace], fields: &[(&str, &str)]) -> Option<(String, Option<String>)> {
    let head = head(fields);
    let Credentials::Token(token) = Credentials::find(&head, places) else {
        return None;
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    Some(match token.removal(&head)? {
        RequestEdit::Remove(name) => (text(&name), None),
        RequestEdit::Set(name, value) => (text(&name), Some(text(&value))),
        RequestEdit::Add(..) => panic!("nothing is added"),
    })
}

#[test]
fn a_token_is_taken_out_and_nothing_else() {
    let cookie = [TokenPlace::Cookie("session".into())];
    let query = [TokenPlace::Query("t".into())];
    for (places, field, name, value) in [
        (
            &bearer()[..],
            ("authorization", "Bearer a"),
            "authorization",
            None,
        ),
        (&cookie, ("cookie", "session=a"), "cookie", None),
        (
            &cookie,
            ("cookie", "x=1; session=a; y=\"2\""),
            "cookie",
            Some("x=1; y=\"2\""),
        ),
        (&query, (":path", "/a?t=x"), ":path", Some("/a")),
        (
            &query,
            (":path", "/a?t=x&b=%20&c"),
            ":path",
            Some("/a?b=%20&c"),
        ),
        (&query, (":path", "/a?b=1&%74=x"), ":path", Some("/a?b=1")),
        (
            &query,
            (":path", "/a?b=?&t=x&c=/"),
            ":path",
            Some("/a?b=?&c=/"),
        ),
    ] {
        let expected = Some((name.to_owned(), value.map(str::to_owned)));
        assert_eq!(removal(places, &[field]), expected, "{field:?}");
    }
}

fn reply(reason: Reason, body: BodyStyle) -> (u16, Option<String>, String) {
    let reply = Refusal::from(reason).reply(&Responses {
        realm: "api".into(),
        body,
    });
    let challenge = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "www-authenticate");
    let challenge = challenge.map(|(_, value)| value.as_str().to_owned());
    (
        reply.status,
        challenge,
        String::from_utf8(reply.body).unwrap(),
    )
}

#[test]
fn no_reason_is_answered_with_success() {
    for reason in Reason::ALL {
        let (status, _, _) = reply(reason, BodyStyle::Aws);
        assert!(status >= 400, "{reason:?}");
    }
}

#[test]
fn a_missing_token_is_challenged_without_an_error() {
    let expected = (
        401,
        Some(r#"Bearer realm="api""#.to_owned()),
        r#"{"message":"Unauthorized"}"#.to_owned(),
    );
    assert_eq!(reply(Reason::NoToken, BodyStyle::Aws), expected);
}

#[test]
fn missing_keys_are_not_the_tokens_fault() {
    let (status, challenge, body) = reply(Reason::KeysUnavailable, BodyStyle::Aws);
    assert_eq!((status, challenge), (503, None));
    assert_eq!(body, r#"{"message":"Service Unavailable"}"#);
}

#[test]
fn problem_details_are_json_whatever_the_reason() {
    for reason in Reason::ALL {
        let (status, _, body) = reply(reason, BodyStyle::Problem);
        let object = crate::json::object(body.as_bytes(), 1).unwrap();
        let told = object
            .get("status")
            .and_then(crate::json::Value::number)
            .map(str::to_owned);
        assert_eq!(told, Some(status.to_string()), "{reason:?}");
    }
}
