mod candidates;
mod certificate;
mod doubted;
mod reported;
mod steps;
mod traced;

use super::refusal::Refusal;
use crate::policy::{BodyStyle, Responses};
use crate::telemetry::Reason;

fn reply(reason: Reason, body: BodyStyle) -> (u16, Option<String>, String) {
    let reply = Refusal::from(reason).reply(&Responses {
        realm: "api".into(),
        body,
    });
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
