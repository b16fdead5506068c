//! The parts of proofs of possession (RFC 9449).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

/// The thumbprint (RFC 7638) of a P-256 key with this `x` and `y`.
pub(crate) fn thumbprint([x, y]: [&str; 2]) -> String {
    let key = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    URL_SAFE_NO_PAD.encode(Sha256::digest(key))
}

/// The header and the claims of an ES256 proof for a GET, without the signature. `number`
/// differs between proofs.
pub(crate) fn unsigned_proof(
    [x, y]: [&str; 2],
    uri: &str,
    token: &str,
    number: u64,
    now: u64,
) -> String {
    let claims = claims(uri, token, number, now);
    format!(
        "{}.{}",
        header([x, y]),
        URL_SAFE_NO_PAD.encode(claims.to_string())
    )
}

/// The header of an ES256 proof, encoded.
pub(crate) fn header([x, y]: [&str; 2]) -> String {
    let key = json!({"kty": "EC", "crv": "P-256", "x": x, "y": y});
    URL_SAFE_NO_PAD.encode(json!({"typ": "dpop+jwt", "alg": "ES256", "jwk": key}).to_string())
}

/// The claims of a proof for a GET. `number` differs between proofs.
pub(crate) fn claims(uri: &str, token: &str, number: u64, now: u64) -> Value {
    json!({
        "jti": format!("e1j3V-bKic8-{number:012}"),
        "htm": "GET",
        "htu": uri,
        "iat": now,
        "ath": URL_SAFE_NO_PAD.encode(Sha256::digest(token)),
    })
}
