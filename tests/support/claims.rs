//! The claims of tokens, and the encoding of their parts.

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

/// Claims of a valid token: it expires in an hour, its subject is `user-1`.
pub(crate) fn claims(issuer: &str, audience: &str) -> Value {
    let now = now();
    json!({
        "iss": issuer,
        "sub": "user-1",
        "aud": audience,
        "iat": now,
        "exp": now + 3600,
    })
}

/// The claims with these in addition or instead.
pub(crate) fn claims_with(issuer: &str, audience: &str, more: Value) -> Value {
    let mut claims = claims(issuer, audience);
    let (Value::Object(all), Value::Object(more)) = (&mut claims, more) else {
        panic!("claims are an object");
    };
    all.extend(more);
    claims
}

/// The content of a Cognito access token, about 680 bytes: valid for a week from `now`,
/// for the user with that number.
pub(crate) fn access_claims(
    issuer: &str,
    audience: &str,
    scope: &str,
    user: usize,
    now: u64,
) -> Value {
    json!({
        "sub": format!("9f3c1d20-7a51-4c1b-8e0d-{user:012}"),
        "iss": issuer,
        "aud": audience,
        "client_id": audience,
        "version": 2,
        "cognito:groups": ["customers", "eu-central"],
        "origin_jti": "3d7c1c51-6a2f-4b6b-9a40-5e1f6f0c2b7d",
        "event_id": "b2b7f6c4-1f1e-4d2e-a1b5-0e8c4f7a9d33",
        "token_use": "access",
        "scope": format!("openid profile {scope} aws.cognito.signin.user.admin"),
        "auth_time": now,
        "nbf": now,
        "iat": now,
        "exp": now + 7 * 24 * 3600,
        "jti": format!("5b0a6ab2-07c8-4e7a-9e3b-{user:012}"),
        "username": format!("user-{user:08}"),
        "device_key": "us-east-1_1f6d2a3c-5b1f-4a51-b0f1-2f6d8e7a9c11",
    })
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs()
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The inverse of [`encode`].
pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
