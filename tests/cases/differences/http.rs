//! What Envoy's `http_service` cannot do besides.

use edge_authz_cli::cases::Difference;

use super::{Limit, RESPONSES, TRAILERS};
use crate::envoy::Played;

/// Whether Envoy replaces a header of the client depends on its configuration, which the server
/// does not see. So a header of the client that the server sets is 400.
const FORGED: Limit = Limit {
    rows: &[
        "identity-compared-01",
        "identity-forwarded-01",
        "report-01",
        "report-11",
        "smuggle-01",
        "smuggle-03",
        "smuggle-05",
        "smuggle-11",
        "smuggle-13",
        "smuggle-23",
    ],
    parts: &["status", "reason", "upstream", "body", "header"],
};

/// There is no change of the path, so a token in the query cannot be removed.
const QUERY: Limit = Limit {
    rows: &["bearer-31", "cookie-last-05", "place-11"],
    parts: &["status", "reason", "upstream", "body", "header"],
};

/// Envoy cannot ask about `CONNECT`, which has no path.
const CONNECT: Limit = Limit {
    rows: &["method-08"],
    parts: &["status"],
};

/// Envoy removes the upstream's own headers on the whole route, as documented.
const REMOVED: Limit = Limit {
    rows: &["cors-92", "nonce-43"],
    parts: &[
        "header access-control-",
        "header dpop-nonce",
        "headers, by the core",
    ],
};

/// Hosts and paths that the parser of HTTP/2 refuses, and a change of the protocol for the
/// server itself. For Envoy, these are errors.
const UNPARSED: Limit = Limit {
    rows: &[
        "host-bad-08",
        "host-bad-12",
        "host-bad-15",
        "metadata-60",
        "path-138",
    ],
    parts: &["status", "reason", "body", "header"],
};

/// The limits over HTTP.
pub(super) const LIMITS: &[Limit] = &[
    TRAILERS, RESPONSES, FORGED, QUERY, CONNECT, REMOVED, UNPARSED,
];

/// Whether one of the rules for all cases explains a difference.
pub(super) fn is_explained(played: &Played<'_>, difference: &Difference) -> bool {
    played.expected.upstream.is_none()
        && (is_unavailable(played, difference)
            || is_metadata(played, difference)
            || is_type_of_nothing(played, difference))
}

/// For Envoy, an answer with 503 is an error. It answers with its own 503, so the client gets
/// no body, no `Retry-After` and no CORS headers, and the access log has no reason.
fn is_unavailable(played: &Played<'_>, difference: &Difference) -> bool {
    let parts = ["reason", "header", "body", "response code details"];
    let mut parts = parts.iter();
    played.expected.status == 503 && parts.any(|part| difference.what.starts_with(part))
}

/// The server itself answers below this path, so Envoy does not know the reason.
fn is_metadata(played: &Played<'_>, difference: &Difference) -> bool {
    let path = played.request.path.as_deref().unwrap_or_default();
    path.starts_with(b"/.well-known/oauth-protected-resource")
        && difference.what.starts_with("reason")
        && matches!(difference.found.as_str(), "" | "None")
}

/// Envoy removes the type of its reply to HEAD, which has no body.
fn is_type_of_nothing(played: &Played<'_>, difference: &Difference) -> bool {
    let lines = difference.expected.split(" | ");
    let others = lines.filter(|line| *line != "content-type: application/json");
    let without = others.collect::<Vec<_>>().join(" | ");
    played.request.method == b"HEAD"
        && match difference.what.as_str() {
            "header content-type" => difference.found == "absent",
            "headers, by the core" => difference.found == without,
            _ => false,
        }
}
