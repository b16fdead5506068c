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
mod tests;
