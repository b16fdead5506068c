//! Checks the answer to a fetch before its body is copied.

use std::str::FromStr;

use crate::http::HeaderMap;
use crate::jwk::MAX_KEY_SET_BYTES;
use crate::telemetry::{FetchFailure, NotSent, ProxyCause};

/// The maximum size of an issuer's metadata, in bytes: that of a key set.
pub const MAX_METADATA_BYTES: usize = MAX_KEY_SET_BYTES;

/// The longest entity tag that is used, in bytes. A document with a longer one is fetched
/// as if it had none.
const MAX_ETAG_BYTES: usize = 256;

/// The maximum size of the proxy's own answers that are examined, in bytes.
const MAX_PROXY_BODY_BYTES: usize = 4096;

/// Fields that only an answer from the network has. Envoy adds the first one to each such
/// answer, and issuers send the others. An answer that Envoy makes itself has none of
/// them.
const NETWORK_FIELDS: [&str; 4] = ["x-envoy-upstream-service-time", "date", "server", "via"];

/// How a request to an issuer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The proxy did not send the request.
    NotSent(NotSent),
    /// The request was sent, but no complete answer arrived.
    #[default]
    NoAnswer,
    /// An answer with this status arrived.
    Status(u16),
}

/// The relevant parts of an answer's head.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// How the request ended. The other members apply only if an answer arrived.
    pub ending: Ending,
    /// Whether the content is encoded (RFC 9110 section 8.4).
    pub encoded: bool,
    /// The freshness lifetime of the answer in seconds (RFC 9111 section 4.2.1), minus
    /// its age. `None` if the answer does not specify one.
    pub max_age: Option<u32>,
    /// How long ago the issuer made the answer, in seconds, according to `Age` (RFC 9111
    /// section 5.1). It is 0 without this field.
    pub age: u32,
    /// The entity tag of the content (RFC 9110 section 8.8.3), if the answer has exactly one
    /// well-formed tag.
    pub etag: Option<Box<str>>,
    /// Whether the proxy seems to have made the answer, as it does when it cannot reach
    /// the issuer. Only messages depend on it.
    pub by_proxy: bool,
    /// The size of the body in bytes.
    pub body_size: usize,
}

impl AnswerHead {
    /// Reads the header fields of an answer. Malformed fields, from the issuer or from a
    /// cache in between, are ignored.
    #[must_use]
    pub fn read(headers: &HeaderMap, body_size: usize) -> Self {
        let age = age(headers);
        let status = headers.first(":status").and_then(number);
        Self {
            ending: status.map_or(Ending::NoAnswer, Ending::Status),
            encoded: members(headers, "content-encoding")
                .any(|coding| !coding.eq_ignore_ascii_case(b"identity")),
            max_age: max_age(headers).map(|max_age| max_age.saturating_sub(age)),
            age,
            etag: etag(headers),
            by_proxy: !NETWORK_FIELDS.iter().any(|name| headers.contains(name)),
            body_size,
        }
    }

    /// The head for a request that was not sent.
    #[must_use]
    pub fn not_sent(why: NotSent) -> Self {
        Self {
            ending: Ending::NotSent(why),
            ..Self::default()
        }
    }

    /// Returns the body of an acceptable answer, without a leading byte order mark. The
    /// body is copied only if the head is acceptable, and the body has at most `most` bytes.
    ///
    /// # Errors
    ///
    /// The answer is not a 200, or its body is too large. Redirects are not followed,
    /// because only the configuration determines the location of documents.
    pub fn body(
        &self,
        copy: &dyn Fn() -> Option<Vec<u8>>,
        most: usize,
    ) -> Result<Vec<u8>, FetchFailure> {
        match self.ending {
            Ending::NotSent(why) => Err(FetchFailure::NotSent(why)),
            Ending::NoAnswer => Err(FetchFailure::NoAnswer),
            Ending::Status(200) if self.encoded => Err(FetchFailure::Encoded),
            Ending::Status(200) if self.body_size > most => Err(FetchFailure::TooLarge(most)),
            Ending::Status(200) => copy()
                .map(without_byte_order_mark)
                .ok_or(FetchFailure::NoAnswer),
            Ending::Status(status) if self.by_proxy => {
                let small = self.body_size <= MAX_PROXY_BODY_BYTES;
                let text = small.then(copy).flatten().unwrap_or_default();
                let cause = ProxyCause::of(status, &String::from_utf8_lossy(&text));
                Err(FetchFailure::Proxy { status, cause })
            }
            Ending::Status(status) => Err(FetchFailure::Status(status)),
        }
    }

    /// Whether the answer to a request with `If-None-Match` says that the content with this
    /// entity tag has not changed. An answer that names another tag does not.
    #[must_use]
    pub fn confirms(&self, etag: &str) -> bool {
        let named = self.etag.as_deref();
        self.ending == Ending::Status(304) && named.is_none_or(|named| is_same_etag(named, etag))
    }

    /// Whether the issuer answers that it has nothing at this location (4xx).
    #[must_use]
    pub const fn is_client_error(&self) -> bool {
        matches!(self.ending, Ending::Status(400..=499))
    }
}

/// Removes a leading byte order mark. Some servers write one before JSON, and RFC 8259
/// section 8.1 allows readers to ignore it.
fn without_byte_order_mark(mut body: Vec<u8>) -> Vec<u8> {
    if body.starts_with(b"\xef\xbb\xbf") {
        body.drain(..3);
    }
    body
}

/// The members of the lists in all fields with this name. Empty members are ignored (RFC
/// 9110 section 5.6.1.2).
fn members<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let lists = headers.values(name);
    lists
        .flat_map(|list| list.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// The largest `Age`, in seconds. Of several caches in a row only one should write it,
/// but some write several.
fn age(headers: &HeaderMap) -> u32 {
    members(headers, "age")
        .filter_map(seconds)
        .max()
        .unwrap_or(0)
}

/// The entity tag. It is sent back in another request, so only the characters of the
/// grammar are accepted.
fn etag(headers: &HeaderMap) -> Option<Box<str>> {
    let mut values = headers.values("etag");
    let etag = std::str::from_utf8(values.next()?.trim_ascii()).ok()?;
    let text = etag.strip_prefix("W/").unwrap_or(etag);
    let text = text.strip_prefix('"')?.strip_suffix('"')?;
    let allowed = |byte: u8| byte.is_ascii_graphic() && byte != b'"';
    let is_good = etag.len() <= MAX_ETAG_BYTES && text.bytes().all(allowed);
    (is_good && values.next().is_none()).then(|| etag.into())
}

/// Whether two entity tags are equal by the weak comparison (RFC 9110 section 8.8.3.2).
fn is_same_etag(one: &str, other: &str) -> bool {
    let opaque = |etag| str::strip_prefix(etag, "W/").unwrap_or(etag);
    opaque(one) == opaque(other)
}

/// The first `max-age`, in seconds. An answer that must not be stored, or must be
/// revalidated before use, has a lifetime of zero.
fn max_age(headers: &HeaderMap) -> Option<u32> {
    let mut max_age = None;
    for directive in members(headers, "cache-control") {
        let directive = directive.to_ascii_lowercase();
        if matches!(&*directive, b"no-store" | b"no-cache") {
            return Some(0);
        }
        if let Some(value) = directive.strip_prefix(b"max-age=") {
            let value = value.strip_prefix(b"\"").unwrap_or(value);
            let value = value.strip_suffix(b"\"").unwrap_or(value);
            max_age = max_age.or_else(|| seconds(value));
        }
    }
    max_age
}

/// Parses delta-seconds (RFC 9111 section 1.2.2). A value that is too large counts as the
/// largest one.
fn seconds(text: &[u8]) -> Option<u32> {
    let digits = !text.is_empty() && text.iter().all(u8::is_ascii_digit);
    digits.then(|| number(text).unwrap_or(u32::MAX))
}

fn number<N: FromStr>(text: &[u8]) -> Option<N> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
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
        let not_sent = AnswerHead {
            ending: Ending::NotSent(NotSent::NoHost),
            ..AnswerHead::default()
        };
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
}
