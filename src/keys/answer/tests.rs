//! What is read from the head of an answer.

use super::*;

/// The size limit of a body, in bytes.
const MOST: usize = 1000;

fn head(status: u16) -> AnswerHead {
    AnswerHead {
        ending: Ending::Status(status),
        body_size: 10,
        ..AnswerHead::default()
    }
}

fn read(fields: &[(&str, &str)]) -> AnswerHead {
    let status = [(":status", "200")];
    let fields = status.iter().chain(fields).copied();
    AnswerHead::read(&HeaderMap::from_pairs(fields), 10)
}

fn body_of(head: AnswerHead, body: &[u8]) -> Result<Vec<u8>, FetchFailure> {
    let head = AnswerHead {
        body_size: head.body_size.max(body.len()),
        ..head
    };
    head.body(&|| Some(body.to_vec()), MOST)
}

/// The failure for an answer whose body must not be copied.
fn unread(head: &AnswerHead) -> FetchFailure {
    let copied = || panic!("the body is copied");
    head.body(&copied, MOST).expect_err("a failure")
}

#[test]
fn only_a_200_counts() {
    assert_eq!(body_of(head(200), b"{}"), Ok(b"{}".to_vec()));
    assert_eq!(head(200).body(&|| None, MOST), Err(FetchFailure::NoAnswer));
    for status in [201, 204, 206, 301, 302, 304, 403, 404, 500, 503] {
        assert_eq!(unread(&head(status)), FetchFailure::Status(status));
    }
    assert_eq!(unread(&AnswerHead::default()), FetchFailure::NoAnswer);
    let not_sent = AnswerHead::not_sent(NotSent::NoHost);
    assert_eq!(unread(&not_sent), FetchFailure::NotSent(NotSent::NoHost));
}

#[test]
fn a_large_or_encoded_body_is_refused_unread() {
    let large = AnswerHead {
        body_size: MOST + 1,
        ..head(200)
    };
    assert_eq!(unread(&large), FetchFailure::TooLarge(MOST));
    let encoded = AnswerHead {
        encoded: true,
        ..head(200)
    };
    assert_eq!(unread(&encoded), FetchFailure::Encoded);
}

#[test]
fn one_byte_order_mark_is_ignored_at_the_start() {
    for (body, expected) in [
        ("\u{feff}{}", "{}"),
        ("\u{feff}", ""),
        ("\u{feff}\u{feff}{}", "\u{feff}{}"),
        (" \u{feff}{}", " \u{feff}{}"),
    ] {
        let read = body_of(head(200), body.as_bytes());
        assert_eq!(read, Ok(expected.as_bytes().to_vec()), "{body}");
    }
    assert_eq!(body_of(head(200), b"\xef\xbb"), Ok(b"\xef\xbb".to_vec()));
}

#[test]
fn an_answer_that_the_proxy_made_is_recognised() {
    let answer = |status: &str, field: (&str, &str)| {
        let fields = [(":status", status), ("content-type", "text/plain"), field];
        AnswerHead::read(&HeaderMap::from_pairs(fields), 19)
    };
    let own = answer("503", ("content-length", "19"));
    let failure = body_of(own.clone(), b"no healthy upstream").unwrap_err();
    let cause = ProxyCause::NoHost;
    assert_eq!(failure, FetchFailure::Proxy { status: 503, cause });
    for field in NETWORK_FIELDS {
        let issuers = answer("503", (field, "5"));
        let failure = body_of(issuers, b"no healthy upstream").unwrap_err();
        assert_eq!(failure, FetchFailure::Status(503), "{field}");
    }
    // A body that is too large or unavailable gives no further information.
    for (size, body) in [(1 << 20, &b""[..]), (19, b"\xff")] {
        let head = AnswerHead {
            body_size: size,
            ..own.clone()
        };
        let cause = ProxyCause::Other;
        let failure = body_of(head, body).unwrap_err();
        assert_eq!(failure, FetchFailure::Proxy { status: 503, cause });
    }
    // A body that could be a key set is parsed as one, even if the proxy made it.
    assert_eq!(
        body_of(answer("200", ("x", "y")), b"{}"),
        Ok(b"{}".to_vec())
    );
}

#[test]
fn an_answer_without_a_status_counts_as_no_answer() {
    let none = HeaderMap::from_pairs([("content-type", "text/plain")]);
    assert_eq!(AnswerHead::read(&none, 0).ending, Ending::NoAnswer);
    assert_eq!(read(&[]).ending, Ending::Status(200));
}

#[test]
fn repeated_identity_is_not_an_encoding() {
    for (codings, encoded) in [
        (&["identity"][..], false),
        (&["Identity, identity"], false),
        (&["identity", "", " , "], false),
        (&["gzip"], true),
        (&["identity", "br"], true),
        (&["identity, gzip"], true),
    ] {
        let fields: Vec<_> = codings
            .iter()
            .map(|coding| ("content-encoding", *coding))
            .collect();
        assert_eq!(read(&fields).encoded, encoded, "{codings:?}");
    }
}

#[test]
fn only_a_single_well_formed_entity_tag_is_used() {
    let long = format!("\"{}\"", "x".repeat(254));
    let too_long = format!("\"{}\"", "x".repeat(255));
    let huge = format!("\"{}\"", "x".repeat(8192));
    for (tags, expected) in [
        (&["\"abc\""][..], Some("\"abc\"")),
        (&["W/\"abc\""], Some("W/\"abc\"")),
        (&["\"\""], Some("\"\"")),
        (&[" \"abc\" "], Some("\"abc\"")),
        (&[&*long], Some(&*long)),
        (&[&*too_long], None),
        (&[&*huge], None),
        (&[], None),
        (&["abc"], None),
        (&["\""], None),
        (&["w/\"abc\""], None),
        (&["\"a\"b\""], None),
        (&["\"a b\""], None),
        (&["\"a\r\nx: y\""], None),
        (&["\"a\u{e9}\""], None),
        (&["\"a\", \"b\""], None),
        (&["\"a\"", "\"a\""], None),
    ] {
        let fields: Vec<_> = tags.iter().map(|tag| ("etag", *tag)).collect();
        assert_eq!(read(&fields).etag.as_deref(), expected, "{tags:?}");
    }
    assert!(is_same_etag("W/\"a\"", "\"a\"") && is_same_etag("\"a\"", "\"a\""));
    assert!(!is_same_etag("\"a\"", "\"b\""));
}

#[test]
fn max_age_is_read_as_caches_read_it() {
    for (fields, age, expected) in [
        (&[""][..], "", None),
        (&["public, max-age=300"], "", Some(300)),
        (&["Max-Age=300"], "100", Some(200)),
        (&["max-age=300"], "400", Some(0)),
        (&["max-age=\"300\""], "", Some(300)),
        (&["max-age=99999999999999"], "", Some(u32::MAX)),
        (&["max-age=-1"], "", None),
        (&["max-age=+1"], "", None),
        (&["no-store, max-age=300"], "", Some(0)),
        (&["public", "max-age=300", "max-age=5"], "", Some(300)),
        (&["max-age=300", "no-cache"], "", Some(0)),
        (&["s-maxage=10"], "", None),
        (&["\u{fffd}"], "x", None),
    ] {
        let mut all: Vec<_> = fields
            .iter()
            .map(|field| ("cache-control", *field))
            .collect();
        all.push(("age", age));
        assert_eq!(read(&all).max_age, expected, "{fields:?}");
    }
}

#[test]
fn the_largest_age_counts_and_malformed_ones_do_not() {
    for (fields, expected) in [
        (&[][..], 0),
        (&["0"], 0),
        (&["30"], 30),
        (&[" 30 "], 30),
        (&["5", "30"], 30),
        (&["5, 30", "7"], 30),
        (&["99999999999999999999"], u32::MAX),
        (&["-30"], 0),
        (&["+30"], 0),
        (&["30s", "1e3", "0x10", "3 0", ""], 0),
        (&["x, 4"], 4),
    ] {
        let all: Vec<_> = fields.iter().map(|field| ("age", *field)).collect();
        assert_eq!(read(&all).age, expected, "{fields:?}");
    }
}
