use super::*;
use crate::http::HeaderMap;

mod ambiguous;
mod removal;

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

/// The result as text: `-`, `malformed`, `several`, or the token.
fn found(places: &[TokenPlace], fields: &[(&str, &str)]) -> String {
    match Credentials::find(&head(fields), places) {
        Credentials::None => "-".to_owned(),
        Credentials::Ambiguous => "ambiguous".to_owned(),
        Credentials::Malformed => "malformed".to_owned(),
        Credentials::Several => "several".to_owned(),
        Credentials::Token(token) if !token.is_one_word() => "malformed".to_owned(),
        Credentials::Token(token) => String::from_utf8(token.text.to_vec()).unwrap(),
    }
}

#[test]
fn a_bearer_token_is_one_word_after_its_case_insensitive_scheme() {
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
        ("DPoP a.b.c", "a.b.c"),
        ("dpop", "malformed"),
        ("DPoP a b", "malformed"),
        ("Basic x, DPoP a", "malformed"),
        ("BearerX a", "-"),
        ("Bearer-x a", "-"),
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
fn dpop_is_a_scheme_beside_bearer_in_the_authorization_field_only() {
    for (name, scheme, expected) in [
        ("authorization", "Bearer", "a"),
        ("authorization", "bearer", "a"),
        ("authorization", "Token", "-"),
        ("x-token", "Bearer", "-"),
        ("x-token", "DPoP", "a"),
    ] {
        let places = [header(name, Some(scheme))];
        let read = found(&places, &[(name, "DPoP a")]);
        assert_eq!(read, expected, "{name}: {scheme}");
    }
}

#[test]
fn a_separator_is_found_at_any_position() {
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
                    // At either end it is trimmed, which leaves one word or
                    // nothing.
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

fn everywhere() -> [TokenPlace; 5] {
    [
        header("authorization", Some("Bearer")),
        header("x-scheme", Some("Token")),
        header("x-api-token", None),
        TokenPlace::Cookie("session".into()),
        TokenPlace::Query("access_token".into()),
    ]
}

#[test]
fn the_same_token_in_two_places_is_one_and_two_tokens_are_refused() {
    let fields = |token: &str| {
        [
            ("authorization", format!("Bearer {token}")),
            ("x-scheme", format!("token {token}")),
            ("x-api-token", token.to_owned()),
            ("cookie", format!("session={token}")),
            (":path", format!("/?access_token={token}")),
        ]
    };
    let all = |fields: &[(&str, String)]| {
        let fields: Vec<_> = fields
            .iter()
            .map(|(name, value)| (*name, &**value))
            .collect();
        found(&everywhere(), &fields)
    };
    for first in fields("a") {
        for second in fields("a") {
            let expected = match (first.0 == second.0, first.0) {
                // The first path counts.
                (true, ":path") | (false, _) => "a",
                (true, _) => "several",
            };
            assert_eq!(
                all(&[first.clone(), second.clone()]),
                expected,
                "{first:?} {second:?}"
            );
        }
        for second in fields("b") {
            // A cookie counts only if no other place has a token.
            let expected = match (first.0, second.0) {
                ("cookie", "cookie") => "several",
                ("cookie", _) => "b",
                (":path", ":path") | (_, "cookie") => "a",
                _ => "several",
            };
            assert_eq!(
                all(&[first.clone(), second.clone()]),
                expected,
                "{first:?} {second:?}"
            );
        }
    }
    assert_eq!(all(&fields("a")), "a");
}

#[test]
fn a_token_twice_in_one_place_is_refused() {
    for fields in [
        &[(":path", "/?access_token=a&access_token=a")][..],
        &[(":path", "/?access_token=a&access%5ftoken=a")],
        &[("cookie", "session=a; session=a")],
        &[("cookie", "session=a"), ("cookie", "session=a")],
        &[("x-api-token", "a"), ("X-Api-Token", "a")],
        &[("authorization", "Bearer a"), ("authorization", "Bearer a")],
    ] {
        assert_eq!(found(&everywhere(), fields), "several", "{fields:?}");
    }
    for fields in [
        &[("authorization", "Basic a"), ("authorization", "Bearer a")][..],
        &[("authorization", "Bearer a"), ("authorization", "")],
        &[("x-api-token", ""), ("x-api-token", "a")],
        &[("authorization", "Bearer"), ("x-api-token", "b")],
    ] {
        assert_eq!(found(&everywhere(), fields), "malformed", "{fields:?}");
    }
}

#[test]
fn a_cookie_counts_only_if_no_other_place_has_a_token() {
    let cookie = |value| found(&everywhere(), &[("cookie", value)]);
    assert_eq!(cookie("session=a"), "a");
    for cookie in [
        "session=b",
        "session=b; session=c",
        "Session=b",
        "a=1,session=b",
        "session=Bearer b c",
    ] {
        let fields = [("authorization", "Bearer a"), ("cookie", cookie)];
        assert_eq!(found(&everywhere(), &fields), "a", "{cookie}");
    }
    for (authorization, expected) in [
        ("Basic x", "a"),
        ("", "a"),
        ("Bearer\tb", "malformed"),
        ("Bearer", "malformed"),
        ("Bearer b c", "malformed"),
    ] {
        let fields = [("authorization", authorization), ("cookie", "session=a")];
        assert_eq!(found(&everywhere(), &fields), expected, "{authorization}");
    }
}

#[test]
fn a_cookies_value_may_be_quoted_and_follow_bearer() {
    let places = [TokenPlace::Cookie("session".into())];
    for (value, expected) in [
        ("session=a.b.c", "a.b.c"),
        ("session=\"a.b.c\"", "a.b.c"),
        ("session=Bearer a.b.c", "a.b.c"),
        ("session=\"bearer  a.b.c\"", "a.b.c"),
        ("x=1; session = \"Bearer a.b.c\" ;y", "a.b.c"),
        ("session=Bearer", "malformed"),
        ("session=\"Bearer \"", "malformed"),
        ("session=Bearer a b", "malformed"),
        ("session=a b", "malformed"),
        ("session=a,b", "malformed"),
        ("session=\"\"", "-"),
        ("session=Bearer%20a", "Bearer%20a"),
        ("session=\"a", "\"a"),
    ] {
        assert_eq!(found(&places, &[("cookie", value)]), expected, "{value}");
    }
}

#[test]
fn two_places_in_one_header_do_not_confuse_their_tokens() {
    let places = [
        header("authorization", Some("Bearer")),
        header("authorization", Some("Token")),
    ];
    let jwt = "eyJhbGciOiJub25lIn0.e30.x";
    for (value, expected) in [
        (format!("Token {jwt}"), jwt),
        (format!("Bearer {jwt}"), jwt),
        (format!("JWT {jwt}"), "ambiguous"),
        (format!("Token {jwt},Bearer {jwt}"), "malformed"),
        (format!("Token {jwt} Bearer {jwt}"), "malformed"),
    ] {
        assert_eq!(
            found(&places, &[("authorization", &value)]),
            expected,
            "{value}"
        );
    }
}

#[test]
fn a_malformed_cookie_beside_a_good_one_is_malformed() {
    for cookie in ["session=Bearer; session=a", "session=a; session=Bearer"] {
        let found = found(&everywhere(), &[("cookie", cookie)]);
        assert_eq!(found, "malformed", "{cookie}");
    }
}

#[test]
fn the_place_of_a_token_is_the_first_one_that_has_it() {
    let mut places = everywhere();
    for _ in 0..2 {
        let head = head(&[("authorization", "Bearer a"), ("x-api-token", "a")]);
        let Credentials::Token(token) = Credentials::find(&head, &places) else {
            panic!("one token");
        };
        let names = ["authorization", "x-api-token"];
        let has_it = |place: &&TokenPlace| match place {
            TokenPlace::Header { name, .. } => names.contains(&&**name),
            TokenPlace::Cookie(_) | TokenPlace::Query(_) => false,
        };
        assert_eq!(Some(token.place()), places.iter().find(has_it));
        places.reverse();
    }
}

#[test]
fn a_token_after_dpop_in_any_of_its_places_is_presented_with_a_proof() {
    let presented = |places: &[TokenPlace], fields: &[(&str, &str)]| {
        let head = head(fields);
        if let Credentials::Token(token) = Credentials::find(&head, places) {
            return Some(token.presented());
        }
        None
    };
    let plain = ("x-api-token", "a");
    let mut places = everywhere();
    for _ in 0..2 {
        for scheme in ["DPoP", "dpop"] {
            let value = format!("{scheme} a");
            let bound = ("authorization", &*value);
            for fields in [&[bound][..], &[bound, plain], &[plain, bound]] {
                let found = presented(&places, fields);
                assert_eq!(found, Some(Presented::WithProof), "{fields:?}");
            }
        }
        for fields in [&[("authorization", "Bearer a")], &[plain]] {
            let found = presented(&places, fields);
            assert_eq!(found, Some(Presented::Plainly), "{fields:?}");
        }
        // The order of the places has no meaning.
        places.reverse();
    }
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
