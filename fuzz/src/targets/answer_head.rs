//! The head of an answer to a key fetch, compared with the rules of the RFCs for its
//! fields.
//!
//! The input is lines of header fields: `name: value`.

use edge_authz::http::HeaderMap;
use edge_authz::keys::answer::{AnswerHead, Ending};

use crate::reference::answer::Answer;
use crate::reference::credentials::Headers;

pub(crate) fn target(data: &[u8]) {
    let headers = headers(data);
    let pairs = headers.iter().map(|(name, value)| (name, value));
    let map = HeaderMap::from_pairs(pairs);
    for body_size in [0, 4096, 4097, 512 * 1024, 512 * 1024 + 1] {
        let head = AnswerHead::read(&map, body_size);
        let expected = Answer::of(&headers);
        let status = match head.ending {
            Ending::Status(status) => Some(status),
            Ending::NoAnswer => None,
            Ending::NotSent(_) => panic!("no request was sent for an answer"),
        };
        assert_eq!(status, expected.status);
        assert_eq!(head.encoded, expected.encoded);
        assert_eq!(head.age, expected.age);
        assert_eq!(head.etag.as_deref(), expected.etag.as_deref());
        assert_eq!(head.max_age, expected.fresh_for);
        assert_eq!(head.by_proxy, !expected.from_afar);
        assert_eq!(head.body_size, body_size);
        judge_body(&head, &expected);
    }
}

/// Only a 200 that is neither encoded nor too large is used. Otherwise the body is copied
/// only if it may tell why the proxy could not reach the issuer.
fn judge_body(head: &AnswerHead, expected: &Answer) {
    let copied = std::cell::Cell::new(false);
    let copy = || {
        copied.set(true);
        Some(b"\xef\xbb\xbf{}".to_vec())
    };
    let body = head.body(&copy, 512 * 1024);
    let is_small = head.body_size <= 512 * 1024;
    let is_good = expected.status == Some(200) && !expected.encoded && is_small;
    assert_eq!(body.is_ok(), is_good);
    if let Ok(body) = body {
        assert_eq!(body, b"{}", "the prefix is not part of it");
    }
    let is_looked_at = expected.status.is_some_and(|status| status != 200)
        && !expected.from_afar
        && head.body_size <= 4096;
    assert_eq!(copied.get(), is_good || is_looked_at);
    let is_client_error = expected.status.is_some_and(|status| status / 100 == 4);
    assert_eq!(head.is_client_error(), is_client_error);
}

/// Lines without a colon are skipped, except one that starts with a colon.
fn headers(data: &[u8]) -> Headers {
    let fields = super::lines(data).take(64).filter_map(|line| {
        let colon = line.iter().skip(1).position(|byte| *byte == b':')?;
        let (name, value) = line.split_at(colon + 1);
        let value = value[1..].strip_prefix(b" ").unwrap_or(&value[1..]);
        Some((name.to_vec(), value.to_vec()))
    });
    fields.collect()
}
