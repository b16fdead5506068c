//! What an answer to a fetch is worth, judged before its body is copied.

use std::str::FromStr;

use crate::http::HeaderMap;
use crate::jwk::MAX_KEY_SET_BYTES;
use crate::telemetry::{FetchFailure, NotSent, ProxyCause};

/// The most bytes of a key set, and of an issuer's metadata.
pub const MAX_BODY_BYTES: usize = MAX_KEY_SET_BYTES;

/// The most bytes of an answer of the proxy's own that are looked at.
const MAX_PROXY_BODY_BYTES: usize = 4096;

/// Fields that an answer from the network has: Envoy adds the first to each,
/// and issuers send the others. What Envoy answers by itself has none of them.
const FIELDS_FROM_AFAR: [&str; 4] = ["x-envoy-upstream-service-time", "date", "server", "via"];

/// How a request to an issuer ended.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Ending {
    /// The proxy did not send it.
    NotSent(NotSent),
    /// It was sent, and no whole answer came.
    #[default]
    NoAnswer,
    /// An answer of this status came.
    Status(u16),
}

/// The head of an answer, as far as it matters.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct AnswerHead {
    /// How the request ended; the rest is for an answer that came.
    pub ending: Ending,
    /// Whether the content is encoded (RFC 9110 section 8.4).
    pub encoded: bool,
    /// For how many seconds the answer is fresh (RFC 9111 section 4.2.1), less
    /// the age that it has already; absent where it does not say.
    pub max_age: Option<u32>,
    /// How many seconds ago the issuer made the answer, by its `Age` (RFC 9111
    /// section 5.1); 0 where it has none.
    pub age: u32,
    /// Whether the proxy seems to have made the answer, as it does when it
    /// cannot reach the issuer. It says something for people only.
    pub by_proxy: bool,
    /// The size of the body in bytes.
    pub body_size: usize,
}

impl AnswerHead {
    /// Reads the header fields of an answer. What its issuer, or a cache on the
    /// way, writes wrongly in them counts as not written.
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
            by_proxy: !FIELDS_FROM_AFAR.iter().any(|name| headers.contains(name)),
            body_size,
        }
    }

    /// The head of a missing answer, for a request that was not sent.
    #[must_use]
    pub fn not_sent(why: NotSent) -> Self {
        Self {
            ending: Ending::NotSent(why),
            ..Self::default()
        }
    }

    /// The body of a good answer, without a byte order mark before it. It is
    /// copied only where the head is good.
    ///
    /// # Errors
    ///
    /// Anything but a 200 with a body of bearable size. Redirects are not
    /// followed: where keys are is the configuration's matter.
    pub fn body(&self, copy: &dyn Fn() -> Option<Vec<u8>>) -> Result<Vec<u8>, FetchFailure> {
        match self.ending {
            Ending::NotSent(why) => Err(FetchFailure::NotSent(why)),
            Ending::NoAnswer => Err(FetchFailure::NoAnswer),
            Ending::Status(200) if self.encoded => Err(FetchFailure::Encoded),
            Ending::Status(200) if self.body_size > MAX_BODY_BYTES => {
                Err(FetchFailure::TooLarge(MAX_BODY_BYTES))
            }
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

    /// Whether the issuer says that it has nothing at this place.
    #[must_use]
    pub const fn is_client_error(&self) -> bool {
        matches!(self.ending, Ending::Status(400..=499))
    }
}

/// Some servers write one before JSON, and RFC 8259 section 8.1 lets readers
/// ignore it.
fn without_byte_order_mark(mut body: Vec<u8>) -> Vec<u8> {
    if body.starts_with(b"\xef\xbb\xbf") {
        body.drain(..3);
    }
    body
}

/// The members of the lists in all fields of this name. Empty members do not
/// count (RFC 9110 section 5.6.1.2).
fn members<'h>(headers: &'h HeaderMap, name: &'h str) -> impl Iterator<Item = &'h [u8]> {
    let lists = headers.values(name);
    lists
        .flat_map(|list| list.split(|&byte| byte == b','))
        .map(<[u8]>::trim_ascii)
        .filter(|member| !member.is_empty())
}

/// The largest `Age`: caches that stand behind one another should write one,
/// and some write several.
fn age(headers: &HeaderMap) -> u32 {
    members(headers, "age")
        .filter_map(seconds)
        .max()
        .unwrap_or(0)
}

/// The first `max-age`. An answer that must not be stored, or not be used
/// before it was confirmed, is fresh for no time at all.
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

/// Delta-seconds (RFC 9111 section 1.2.2): what is too large counts as the
/// largest.
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
        head.body(&|| Some(body.to_vec()))
    }

    /// The failure of an answer whose body must not be copied.
    fn unread(head: AnswerHead) -> FetchFailure {
        let copied = || panic!("the body is copied");
        head.body(&copied).expect_err("a failure")
    }

    #[test]
    fn only_a_200_counts() {
        assert_eq!(body_of(head(200), b"{}"), Ok(b"{}".to_vec()));
        assert_eq!(head(200).body(&|| None), Err(FetchFailure::NoAnswer));
        for status in [201, 204, 206, 301, 302, 304, 403, 404, 500, 503] {
            assert_eq!(unread(head(status)), FetchFailure::Status(status));
        }
        assert_eq!(unread(AnswerHead::default()), FetchFailure::NoAnswer);
        let not_sent = AnswerHead {
            ending: Ending::NotSent(NotSent::NoHost),
            ..AnswerHead::default()
        };
        assert_eq!(unread(not_sent), FetchFailure::NotSent(NotSent::NoHost));
    }

    #[test]
    fn a_large_or_encoded_body_is_refused_unread() {
        let large = AnswerHead {
            body_size: MAX_BODY_BYTES + 1,
            ..head(200)
        };
        assert_eq!(unread(large), FetchFailure::TooLarge(MAX_BODY_BYTES));
        let encoded = AnswerHead {
            encoded: true,
            ..head(200)
        };
        assert_eq!(unread(encoded), FetchFailure::Encoded);
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
    fn an_answer_that_the_proxy_made_is_told_from_the_issuers() {
        let answer = |status: &str, field: (&str, &str)| {
            let fields = [(":status", status), ("content-type", "text/plain"), field];
            AnswerHead::read(&HeaderMap::from_pairs(fields), 19)
        };
        let own = answer("503", ("content-length", "19"));
        let failure = body_of(own, b"no healthy upstream").unwrap_err();
        let cause = ProxyCause::NoHost;
        assert_eq!(failure, FetchFailure::Proxy { status: 503, cause });
        for field in FIELDS_FROM_AFAR {
            let issuers = answer("503", (field, "5"));
            let failure = body_of(issuers, b"no healthy upstream").unwrap_err();
            assert_eq!(failure, FetchFailure::Status(503), "{field}");
        }
        // A body that is large, or not to be had, says nothing.
        for (size, body) in [(1 << 20, &b""[..]), (19, b"\xff")] {
            let head = AnswerHead {
                body_size: size,
                ..own
            };
            let cause = ProxyCause::Other;
            let failure = body_of(head, body).unwrap_err();
            assert_eq!(failure, FetchFailure::Proxy { status: 503, cause });
        }
        // What could be keys is judged as keys, whoever made it.
        assert_eq!(
            body_of(answer("200", ("x", "y")), b"{}"),
            Ok(b"{}".to_vec())
        );
    }

    #[test]
    fn an_answer_without_a_status_is_none() {
        let none = HeaderMap::from_pairs([("content-type", "text/plain")]);
        assert_eq!(AnswerHead::read(&none, 0).ending, Ending::NoAnswer);
        assert_eq!(read(&[]).ending, Ending::Status(200));
    }

    #[test]
    fn identity_is_no_encoding_however_often_it_is_said() {
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
    fn the_largest_age_counts_and_nonsense_does_not() {
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
