//! The usual proof of possession for a request (RFC 9449 section 4.2).

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use serde_json::{Map, Value, json};

use super::Problem;
use super::key::Key;
use super::token_parts::encode;

/// The request and the token that a proof is for.
pub(super) struct Shown<'r> {
    pub(super) method: &'r [u8],
    pub(super) path: Option<&'r [u8]>,
    pub(super) token: &'r [u8],
}

/// The header, with the public key.
pub(super) fn header(key: &Key) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("typ".to_owned(), json!("dpop+jwt"));
    header.insert("alg".to_owned(), json!(key.alg));
    header.insert("jwk".to_owned(), Value::Object(key.jwk()));
    header
}

/// The claims. `htu` has the first origin of the first provider with `dpop`, and the path
/// of the request without its query. `jti` differs from that of every other proof.
pub(super) fn claims(config: &Value, shown: &Shown<'_>) -> Result<Map<String, Value>, Problem> {
    let mut random = [0; 12];
    let filled = SystemRandom::new().fill(&mut random);
    filled.map_err(|_| Problem::Key("there is no randomness"))?;
    let providers = config.get("providers").and_then(Value::as_array);
    let mut origins = providers
        .into_iter()
        .flatten()
        .filter_map(|provider| provider.pointer("/dpop/origins/0")?.as_str());
    let origin = origins.next().unwrap_or("https://api.example.com");
    let path = String::from_utf8_lossy(shown.path.unwrap_or(b"/")).into_owned();
    let path = path.split('?').next().unwrap_or_default();
    let mut claims = Map::new();
    claims.insert("jti".to_owned(), json!(encode(&random)));
    claims.insert(
        "htm".to_owned(),
        json!(String::from_utf8_lossy(shown.method)),
    );
    claims.insert("htu".to_owned(), json!(format!("{origin}{path}")));
    claims.insert("iat".to_owned(), json!("now"));
    let hash = digest(&SHA256, shown.token);
    claims.insert("ath".to_owned(), json!(encode(hash.as_ref())));
    Ok(claims)
}
