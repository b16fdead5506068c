//! The requests of the walk-through, and the expected responses.

use serde_json::{Value, json};

use crate::support::cognito::{Cognito, Tokens};
use crate::support::http::Request;
use crate::support::tokens;
use crate::support::walk::{Check, allowed_origin, body, refusal, user};

/// The whole walk-through, in order.
pub(crate) fn checks(tokens: &Tokens, sub: &str) -> Vec<Check> {
    let mut checks = routes(tokens, sub);
    checks.extend(impostors(tokens));
    checks
}

fn me(token: &str) -> Request {
    Request::get("/me").bearer(token)
}

/// Each route, with credentials that are accepted and credentials that are refused.
fn routes(tokens: &Tokens, sub: &str) -> Vec<Check> {
    let account = |token: &str| Request::get("/account").bearer(token);
    vec![
        Check::new(
            Request::get("/catalog"),
            "without a token",
            200,
            "the route is public",
        )
        .showing(user, "nobody"),
        Check::new(
            Request::get("/me"),
            "without a token",
            401,
            "the route asks for one",
        )
        .showing(body, r#"{"message":"Unauthorized"}"#),
        Check::new(
            me(&tokens.id),
            "with the ID token",
            200,
            "it is good, and the upstream learns its `sub`",
        )
        .showing(user, sub),
        Check::new(
            account(&tokens.id),
            "with the ID token",
            403,
            "an ID token has no scopes",
        )
        .showing(refusal, "aws.cognito.signin.user.admin"),
        Check::new(
            account(&tokens.access),
            "with the access token",
            200,
            "its `scope` has what the route asks for",
        )
        .showing(user, sub),
        Check::new(
            Request::preflight("/me", "https://app.example.com", "GET")
                .header("access-control-request-headers", "authorization"),
            "from the web page",
            204,
            "a browser asks first, and has no token yet",
        )
        .showing(allowed_origin, "https://app.example.com"),
    ]
}

/// Credentials that resemble a token of this user but are not valid.
fn impostors(tokens: &Tokens) -> Vec<Check> {
    let invalid = r#"error="invalid_token""#;
    vec![
        Check::new(
            me(&tokens.refresh),
            "with the refresh token",
            401,
            "only the issuer can read it",
        )
        .showing(refusal, invalid),
        Check::new(
            me(&encrypted()),
            "with an encrypted token",
            401,
            "five parts are a JWE, which proves nothing to us",
        )
        .showing(refusal, invalid),
        Check::new(
            me(&expired(&tokens.id)),
            "with an expired token",
            401,
            "its signature is good and its time is over",
        )
        .showing(refusal, invalid),
        Check::new(
            me(&tampered(&tokens.id)),
            "with a tampered token",
            401,
            "the signature is of other claims",
        )
        .showing(refusal, invalid),
        Check::new(
            me(&unsigned(&tokens.id)),
            "with `alg: none`",
            401,
            "nobody signed it",
        )
        .showing(refusal, invalid),
    ]
}

/// The header and the claims of a token.
fn opened(token: &str) -> (Value, Value) {
    let mut parts = token
        .split('.')
        .map(|part| serde_json::from_slice(&tokens::decode(part)).expect("JSON"));
    let mut part = || parts.next().expect("a part");
    (part(), part())
}

/// A token that expired an hour ago, signed with the issuer's own key.
fn expired(token: &str) -> String {
    let (header, mut claims) = opened(token);
    claims["exp"] = json!(tokens::now() - 3600);
    Cognito::signing_key().compact(header.to_string(), claims.to_string())
}

/// The header and the signature of a token with the claims of another user.
fn tampered(token: &str) -> String {
    let (_, mut claims) = opened(token);
    claims["sub"] = json!("somebody-else");
    let parts: Vec<_> = token.split('.').collect();
    let claims = tokens::encode(claims.to_string());
    format!("{}.{claims}.{}", parts[0], parts[2])
}

/// A token without a signature.
fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    let header = tokens::encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{claims}.")
}

/// A text in the form of a JWE: header, key, nonce, content, tag.
fn encrypted() -> String {
    let header = tokens::encode(r#"{"alg":"RSA-OAEP","enc":"A256GCM","cty":"JWT"}"#);
    let part = |length: usize| tokens::encode(vec![7; length]);
    format!(
        "{header}.{}.{}.{}.{}",
        part(256),
        part(12),
        part(300),
        part(16)
    )
}
