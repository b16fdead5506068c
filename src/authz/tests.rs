mod candidates;
mod doubted;
mod remembered;
mod reported;
mod revoked;
mod sender;
mod steps;
mod traced;

use super::TokenFault;
use super::refusal::Refusal;
use crate::jwt::ClaimError;
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::Reason;

fn responses(body: BodyStyle) -> Responses {
    Responses {
        realm: "api".into(),
        body,
    }
}

fn reply(reason: Reason, body: BodyStyle) -> (u16, Option<String>, String) {
    let reply = Refusal::from(reason).reply(&responses(body));
    let challenge = reply
        .headers
        .iter()
        .find(|(name, _)| *name == "www-authenticate");
    let challenge = challenge.map(|(_, value)| value.as_str().to_owned());
    (
        reply.status,
        challenge,
        String::from_utf8(reply.body).unwrap(),
    )
}

#[test]
fn no_reason_is_answered_with_success() {
    for reason in Reason::ALL {
        let (status, _, _) = reply(reason, BodyStyle::Aws);
        assert!(status >= 400, "{reason:?}");
    }
}

#[test]
fn a_missing_token_is_challenged_without_an_error() {
    let expected = (
        401,
        Some(r#"Bearer realm="api""#.to_owned()),
        r#"{"message":"Unauthorized"}"#.to_owned(),
    );
    assert_eq!(reply(Reason::NoToken, BodyStyle::Aws), expected);
}

#[test]
fn claims_that_are_not_valid_are_described_as_the_token_module_describes_them() {
    for error in [
        ClaimError::TokenType,
        ClaimError::Expired,
        ClaimError::NotYetValid,
        ClaimError::Issuer,
        ClaimError::Audience,
        ClaimError::TokenUse,
        ClaimError::Lifetime,
        ClaimError::ClaimRule,
    ] {
        let refusal = Refusal::from(TokenFault::Claim(error));
        assert_eq!(refusal.description, Some(error.description()));
        assert_eq!(refusal.reply(&responses(BodyStyle::Aws)).status, 401);
    }
    // Clients learn nothing about the clock of the issuer.
    let future = Refusal::from(TokenFault::Claim(ClaimError::IssuedInFuture));
    assert_eq!(future.reason, Reason::NotYetValid);
}

#[test]
fn missing_keys_are_answered_503_and_not_401() {
    let (status, challenge, body) = reply(Reason::KeysUnavailable, BodyStyle::Aws);
    assert_eq!((status, challenge), (503, None));
    assert_eq!(body, r#"{"message":"Service Unavailable"}"#);
}

#[test]
fn problem_details_are_json_for_every_reason() {
    for reason in Reason::ALL {
        let (status, _, body) = reply(reason, BodyStyle::Problem);
        let object = crate::json::object(body.as_bytes(), 1).unwrap();
        let status_member = object
            .get("status")
            .and_then(crate::json::Value::number)
            .map(str::to_owned);
        assert_eq!(status_member, Some(status.to_string()), "{reason:?}");
    }
}
