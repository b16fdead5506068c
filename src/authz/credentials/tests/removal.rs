//! What reaches the upstream after the token is removed.

use super::*;

/// The changes that remove a token, as text.
fn removal(places: &[TokenPlace], fields: &[(&str, &str)]) -> Vec<(String, Option<String>)> {
    let head = head(fields);
    let Credentials::Token(token) = Credentials::find(&head, places) else {
        panic!("no token");
    };
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    let mut edits = Vec::new();
    token.remove(&head, places, &mut edits);
    let edits = edits.into_iter().map(|edit| match edit {
        HeaderEdit::Remove(name) => (text(&name), None),
        HeaderEdit::Set(name, value) => (text(&name), Some(text(&value))),
        HeaderEdit::Add(..) => panic!("nothing is added"),
    });
    edits.collect()
}

#[test]
fn only_the_token_is_removed() {
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
        let expected = [(name.to_owned(), value.map(str::to_owned))];
        assert_eq!(removal(places, &[field]), expected, "{field:?}");
    }
}

#[test]
fn a_token_is_removed_from_every_place() {
    let fields = [
        ("authorization", "Bearer a"),
        ("x-scheme", "Basic a"),
        ("x-api-token", "a"),
        ("cookie", "x=1; session=b; session=\"Bearer a\"; session=a"),
        ("cookie", "other=a"),
        (":path", "/x?y=a&access_token=%61&z"),
        ("dpop", "proof"),
    ];
    let edits = removal(&everywhere(), &fields);
    let expected = [
        ("authorization", None),
        ("x-api-token", None),
        ("cookie", Some("x=1; session=b; other=a")),
        (":path", Some("/x?y=a&z")),
        ("dpop", None),
    ];
    let expected = expected.map(|(name, value)| (name.to_owned(), value.map(str::to_owned)));
    assert_eq!(edits, expected);
}
