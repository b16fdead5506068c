//! What the server behind Envoy's `ext_authz` cannot do, by the rows of the cases.
//! `docs/ext-authz.md` says what to configure instead. Every other case must have the same
//! outcome as with the filters inside of Envoy, and a row that is listed here must differ.

#[path = "differences/http.rs"]
mod http;

use edge_authz_cli::cases::{Case, Difference};

use crate::envoy::Played;
use crate::support::tools::{self, Host};

/// Rows of cases whose outcome differs.
struct Limit {
    rows: &'static [&'static str],
    /// The beginnings of the differences that are accepted.
    parts: &'static [&'static str],
}

/// Envoy passes no trailers on, and the protocol has no changes of them. So the upstream gets
/// all trailers of the client.
const TRAILERS: Limit = Limit {
    rows: &[
        "trailer-01",
        "trailer-02",
        "trailer-03",
        "trailer-04",
        "mcp-trailers",
        "report-04",
        "smuggle-trailers",
        "smuggle-trailers-compared",
        "smuggle-trailers-public",
    ],
    parts: &["upstream trailer"],
};

/// The server decides before the upstream answers. It can replace the headers that it sets,
/// and add a line of `Vary`, but it cannot know or remove what else the upstream sends.
const RESPONSES: Limit = Limit {
    rows: &[
        "cors-75",
        "cors-vary-01",
        "cors-vary-02",
        "cors-vary-03",
        "cors-vary-04",
        "cors-vary-05",
        "cors-vary-06",
        "cors-vary-07",
        "cors-vary-lines",
    ],
    parts: &[
        "header vary",
        "header access-control-",
        "headers, by the core",
    ],
};

/// The same for headers that Envoy removes over HTTP, as documented.
const REMOVABLE: Limit = Limit {
    rows: &["nonce-05", "nonce-06", "report-18"],
    parts: &[
        "header access-control-",
        "header dpop-nonce",
        "headers, by the core",
    ],
};

/// The changes of headers are texts, so a field that is not UTF-8 cannot be changed. A request
/// whose token is in a cookie beside such bytes is refused.
const BYTES: Limit = Limit {
    rows: &["place-06"],
    parts: &["status", "reason", "upstream", "body", "headers", "header"],
};

/// The limits of a host.
fn limits() -> &'static [Limit] {
    match tools::host() {
        Host::ProxyWasm | Host::DynamicModule => &[],
        Host::ExtAuthz => &[TRAILERS, RESPONSES, REMOVABLE, BYTES],
        Host::ExtAuthzHttp => http::LIMITS,
    }
}

/// The differences without those that the limits of the host explain, and whether there were
/// such.
pub(crate) fn unexplained(played: &Played<'_>, found: Vec<Difference>) -> (Vec<Difference>, bool) {
    let mut rest = found;
    if tools::host() == Host::ExtAuthzHttp {
        rest.retain(|difference| !http::is_explained(played, difference));
    }
    let all = rest.len();
    for limit in limits().iter().filter(|limit| limit.has(played.case)) {
        rest.retain(|difference| !limit.allows(difference));
    }
    let is_explained = rest.len() < all;
    (rest, is_explained)
}

/// The listed rows that have not differed.
pub(crate) fn outdated(differing: &[String]) -> Vec<&'static str> {
    let rows = limits().iter().flat_map(|limit| limit.rows).copied();
    rows.filter(|row| !differing.iter().any(|it| it == row))
        .collect()
}

impl Limit {
    fn has(&self, case: &Case) -> bool {
        let row = case.row.as_deref();
        row.is_some_and(|row| self.rows.contains(&row))
    }

    fn allows(&self, difference: &Difference) -> bool {
        let mut parts = self.parts.iter();
        parts.any(|part| difference.what.starts_with(part))
    }
}
