//! The request as a proxy passes it on, to the authorizer and to the upstream alike.

use edge_authz_cli::cases::Request;

use crate::proxies::Kind;

/// Fields of one connection. A proxy handles them itself and passes none of them on.
const OF_CONNECTION: [&str; 5] = [
    "connection",
    "keep-alive",
    "proxy-connection",
    "te",
    "upgrade",
];

/// The request that a proxy hears. What is not in it reaches nobody, so the core decides about
/// the rest.
pub(crate) fn heard(kind: Kind, request: &Request) -> Request {
    let mut heard = request.clone();
    heard.headers.retain(|(name, _)| is_passed_on(kind, name));
    for (_, value) in &mut heard.headers {
        // HTTP/1 has no blanks around a value (RFC 9110 section 5.5).
        *value = value.trim_ascii().to_vec();
    }
    if kind != Kind::Haproxy {
        heard.trailers.clear();
    }
    if kind == Kind::Caddy
        && let Some(path) = &mut heard.path
    {
        *path = encoded(path);
    }
    heard
}

fn is_passed_on(kind: Kind, name: &[u8]) -> bool {
    let is_of_connection = OF_CONNECTION
        .iter()
        .any(|known| name.eq_ignore_ascii_case(known.as_bytes()));
    match kind {
        Kind::Nginx => {
            let is_plain = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'-';
            !is_of_connection && name.iter().all(is_plain)
        }
        Kind::Caddy => !is_of_connection && !name.iter().any(|byte| b"_.".contains(byte)),
        Kind::Haproxy => !is_of_connection,
    }
}

/// Caddy encodes bytes that a path may not have, for both.
fn encoded(path: &[u8]) -> Vec<u8> {
    let encode = |byte: &u8| {
        if byte.is_ascii() {
            vec![*byte]
        } else {
            format!("%{byte:02X}").into_bytes()
        }
    };
    path.iter().flat_map(encode).collect()
}
