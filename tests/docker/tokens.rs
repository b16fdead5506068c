//! Tokens of the user pool, and forgeries of them.

use serde_json::{Value, json};

use crate::compose::Services;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::tokens::{TokenMaker, claims, decode, encode};

pub(crate) const ORIGIN: &str = "https://app.example.com";
const POOL: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EdgeAuthz";
const CLIENT: &str = "edge-authz-client";

/// The result of a sign-in.
#[derive(Clone)]
pub(crate) struct Tokens {
    pub(crate) access: String,
    pub(crate) id: String,
    pub(crate) sub: String,
}

/// Signs the user in, over a network that does not include Envoy.
pub(crate) fn sign_in(services: &Services) -> Tokens {
    let question = json!({
        "AuthFlow": "USER_PASSWORD_AUTH",
        "ClientId": CLIENT,
        "AuthParameters": {"USERNAME": "ada", "PASSWORD": "Passw0rd!"},
    });
    let request = Request::post("/", question.to_string())
        .authority("cognito-idp.us-east-1.amazonaws.com")
        .header("content-type", "application/x-amz-json-1.1")
        .header(
            "x-amz-target",
            "AWSCognitoIdentityProviderService.InitiateAuth",
        );
    let answer = http1::exchange(services.issuer(), &request).expect("the issuer answers");
    let result = &answer.expect(200).json()["AuthenticationResult"];
    let token = |name: &str| result[name].as_str().expect("a token").to_owned();
    let access = token("AccessToken");
    let sub = opened(&access)["sub"].as_str().expect("a sub").to_owned();
    Tokens {
        access,
        id: token("IdToken"),
        sub,
    }
}

/// The claims of a token.
fn opened(token: &str) -> Value {
    let claims = token.split('.').nth(1).expect("claims");
    serde_json::from_slice(&decode(claims)).expect("JSON")
}

/// A token signed with an unpublished key: its `kid` is unknown.
pub(crate) fn forged() -> String {
    TokenMaker::generate("ES256", "made-up").token(&claims(POOL, CLIENT))
}

/// A good token's header and signature around another user's claims.
pub(crate) fn tampered(token: &str) -> String {
    let mut claims = opened(token);
    claims["sub"] = json!("somebody-else");
    let parts: Vec<_> = token.split('.').collect();
    format!("{}.{}.{}", parts[0], encode(claims.to_string()), parts[2])
}

/// A good token's claims without signature.
pub(crate) fn unsigned(token: &str) -> String {
    let claims = token.split('.').nth(1).expect("claims");
    format!("{}.{claims}.", encode(r#"{"alg":"none","typ":"JWT"}"#))
}

/// A request that needs a token, from the web page.
pub(crate) fn me(token: &str) -> Request {
    Request::get("/me").header("origin", ORIGIN).bearer(token)
}

/// Fails the test if a request passes without a valid token.
#[track_caller]
pub(crate) fn nothing_passes(services: &Services, tokens: &Tokens) {
    let without = Request::get("/me").header("origin", ORIGIN);
    readable(&services.send(&without).expect(401));
    readable(&services.send(&me(&unsigned(&tokens.access))).expect(401));
    let tampered = services.send(&me(&tampered(&tokens.access)));
    assert!(matches!(tampered.status, 401 | 503), "{tampered}");
    services.send(&Request::get("/elsewhere")).expect(404);
}

/// Fails the test unless the web page may read the answer.
#[track_caller]
pub(crate) fn readable(answer: &Response) {
    let allowed = answer.header("access-control-allow-origin");
    assert_eq!(allowed.as_deref(), Some(ORIGIN), "{answer}");
    let vary = answer.all("vary").concat();
    assert!(vary.starts_with("Origin"), "{answer}");
}

/// Fails the test unless the answer is a 503 with a time to retry.
#[track_caller]
pub(crate) fn unavailable(answer: &Response) {
    assert_eq!(answer.status, 503, "{answer}");
    readable(answer);
    let retry = answer.header("retry-after");
    let seconds = retry.as_deref().and_then(|text| text.parse::<u32>().ok());
    assert!(seconds.is_some_and(|seconds| seconds >= 1), "{answer}");
}
