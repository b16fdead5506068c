//! Which tokens are accepted, according to RFC 7515, RFC 7519 and the documented limits.

use super::base64url;
use super::decimal::Decimal;
use super::json::{self, Json, Value};

/// A well-formed token.
#[derive(Debug)]
pub(crate) struct Token {
    /// Its name in RFC 7518 or RFC 8037.
    pub(crate) algorithm: String,
    pub(crate) kid: Option<String>,
    pub(crate) typ: Option<String>,
    pub(crate) payload: String,
    pub(crate) issuer: String,
    pub(crate) signed: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

/// The maximum nesting of a token.
pub(crate) const DEPTH: usize = 32;

pub(crate) fn read(token: &[u8]) -> Option<Token> {
    if token.len() > 16 * 1024 {
        return None;
    }
    let parts: Vec<&[u8]> = token.split(|byte| *byte == b'.').collect();
    let [header, payload, signature] = parts.as_slice() else {
        return None;
    };
    if parts.iter().any(|part| part.is_empty()) {
        return None;
    }
    let signed = [*header, b".", *payload].concat();
    let header = base64url::decode(header)?;
    let payload = String::from_utf8(base64url::decode(payload)?).ok()?;
    let signature = base64url::decode(signature)?;

    let header = json::parse(&header, DEPTH)?;
    header.object()?;
    if header.get("enc").is_some() || header.get("crit").is_some() {
        return None;
    }
    if header.get("b64").is_some_and(|b64| b64.text != "true") {
        return None;
    }
    let algorithm = algorithm(header.get("alg")?.string()?)?;
    let kid = match header.get("kid") {
        None => None,
        Some(kid) => Some(kid.string()?.to_owned()),
    };
    let typ = match header.get("typ") {
        None => None,
        Some(typ) => Some(token_type(typ.string()?)),
    };

    let issuer = issuer(&json::parse(payload.as_bytes(), DEPTH)?)?;
    Some(Token {
        algorithm,
        kid,
        typ,
        payload,
        issuer,
        signed,
        signature,
    })
}

/// The first name of an algorithm with two names.
fn algorithm(name: &str) -> Option<String> {
    let name = match name {
        "Ed25519" => "EdDSA",
        "ESP256" => "ES256",
        "ESP384" => "ES384",
        "ESP512" => "ES512",
        other => other,
    };
    let supported = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA HS256 HS384 HS512";
    supported
        .split(' ')
        .find(|known| *known == name)
        .map(str::to_owned)
}

/// Media types are case-insensitive; `application/` may be left out unless the rest
/// contains a slash.
fn token_type(typ: &str) -> String {
    let lower = typ.to_ascii_lowercase();
    match lower.split('/').collect::<Vec<_>>().as_slice() {
        ["application", rest] => (*rest).to_owned(),
        _ => lower,
    }
}

/// The issuer, if all registered claims have the correct types.
fn issuer(claims: &Json<'_>) -> Option<String> {
    claims.object()?;
    for name in ["sub", "jti"] {
        if let Some(text) = claims.get(name) {
            text.string()?;
        }
    }
    for name in ["exp", "nbf", "iat"] {
        match claims.get(name) {
            None if name == "exp" => return None,
            None => {}
            Some(value) => {
                date(value)?;
            }
        }
    }
    if let Some(audience) = claims.get("aud") {
        match audience.array() {
            Some(all) if all.iter().all(|one| one.string().is_some()) => {}
            Some(_) => return None,
            None => {
                audience.string()?;
            }
        }
    }
    Some(claims.get("iss")?.string()?.to_owned())
}

/// A date, if it is within 2^63 seconds of 1970.
pub(crate) fn date(value: &Json<'_>) -> Option<Decimal> {
    if value.value != Value::Number {
        return None;
    }
    let limit = Decimal::of(1 << 63, 0);
    (Decimal::new(value.text).abs() < limit).then(|| Decimal::new(value.text))
}
