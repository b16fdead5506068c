//! Reserved headers: names with a fixed meaning, which the filter must not set and
//! which hold no token.

use crate::config::problem::Reserved;
use crate::http::{HeaderName, fold_together};

/// The names of each kind, separated by blanks. A `*` at the end of a name
/// matches any suffix, one at the start any prefix.
const KINDS: [(Reserved, &str); 10] = [
    // RFC 9110 section 7.6.1, `proxy-…` of section 11.7, and what HTTP/2 forbids
    // (RFC 9113 section 8.2.2).
    (
        Reserved::HopByHop,
        "connection http2-settings keep-alive proxy-authenticate proxy-authorization \
         proxy-connection te trailer transfer-encoding upgrade",
    ),
    (Reserved::Host, "host"),
    (Reserved::Content, "content-*"),
    (Reserved::Cookie, "cookie"),
    (Reserved::Envoy, "x-envoy-* x-request-id via"),
    (Reserved::Proof, "dpop"),
    // Headers in which proxies write the client's address, certificate and
    // connection. Most of the names for the address have the same ending.
    (
        Reserved::Forwarded,
        "forwarded x-forwarded x-forwarded-* x-original-forwarded-* *-ip *-clientip *-socketip \
         *-connecting-ipv6 *-pseudo-ipv4 *remote-addr *-viewer-address cf-ipcountry \
         cf-visitor client-cert client-cert-chain front-end-https x-client-cert \
         ssl-client-* x-ssl-client-*",
    ),
    // RFC 9110 sections 10.1.1, 12.5, 13.1 and 14.2, RFC 9111, RFC 8470.
    (
        Reserved::Handling,
        "accept accept-* cache-control early-data expect if-* max-forwards pragma range",
    ),
    (
        Reserved::Browser,
        "access-control-* origin referer sec-* user-agent",
    ),
    (
        Reserved::Response,
        "authentication-info proxy-authentication-info set-cookie set-cookie2 www-authenticate",
    ),
];

/// The `x-forwarded-…` headers that identify the user, as `oauth2-proxy` and
/// similar proxies name them, and say nothing about the connection.
const OF_THE_USER: &str = "x-forwarded-user x-forwarded-email x-forwarded-groups \
                           x-forwarded-preferred-username";

impl Reserved {
    /// Why the filter must not set a header that upstreams may take for this
    /// one.
    pub(super) fn of(name: &HeaderName) -> Option<Self> {
        if is_among(OF_THE_USER, name) {
            return None;
        }
        let mut kinds = KINDS.into_iter();
        let kind = kinds.find(|(_, patterns)| is_among(patterns, name));
        kind.map(|(kind, _)| kind)
    }
}

/// Whether one of these names or patterns, separated by blanks, matches a header
/// that upstreams may take for this one.
pub(super) fn is_among(patterns: &str, name: &HeaderName) -> bool {
    let name = name.as_str().as_bytes();
    patterns.split_ascii_whitespace().any(|pattern| {
        let pattern = pattern.as_bytes();
        let (pattern, part) = if let Some(start) = pattern.strip_suffix(b"*") {
            (start, name.get(..start.len()))
        } else if let Some(end) = pattern.strip_prefix(b"*") {
            let from = name.len().checked_sub(end.len());
            (end, from.and_then(|from| name.get(from..)))
        } else {
            (pattern, Some(name))
        };
        part.is_some_and(|part| fold_together(pattern, part))
    })
}
