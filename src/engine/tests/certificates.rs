//! Tokens that are bound to certificates, in requests that wait for keys.

use std::sync::Arc;

use super::renewal::Key;
use crate::authz::{CertificateUnknown, Connection};
use crate::config;
use crate::crypto::NoHostSignatures;
use crate::engine::{Demand, Effect, Env, Judge, KeyService, NoConnection, NoSharedData, StreamId};
use crate::http::{HeaderMap, RequestHead};
use crate::jwk::digest;
use crate::keys::answer::{AnswerHead, Ending};
use crate::telemetry::Reason;
use crate::time::UnixTime;

const CONFIGURATION: &str = r#"{"providers":[{"name":"a","issuer":"https://a.example",
    "audiences":["api"],"jwks":{"cluster":"a","uri":"https://a.example/keys"}}],
    "routes":[{"match":"$default"}]}"#;

/// The digest of a certificate.
const CERTIFICATE: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

/// The environment of a callback that belongs to this connection.
fn env(connection: &dyn Connection) -> Env<'_> {
    Env {
        now: UnixTime::from_secs(1_800_000_000),
        shared: &NoSharedData,
        host_signatures: &NoHostSignatures,
        connection,
    }
}

fn reasons(effects: Vec<Effect>) -> Vec<Reason> {
    let answers = effects.into_iter().filter_map(Effect::answer);
    answers.map(|answer| answer.reason).collect()
}

/// The answer to a request that waits for its key, on a connection that shows this
/// certificate. The key arrives in a callback of no connection.
fn after_a_wait(shown: Result<Option<[u8; 32]>, CertificateUnknown>) -> Vec<Reason> {
    let key = Key::new();
    let policy = Arc::new(config::compile(CONFIGURATION.as_bytes()).unwrap());
    let mut service = KeyService::new(&policy, 1);
    let mut judge = Judge::new(policy, Arc::clone(service.snapshot()));
    let claims = format!(
        r#"{{"iss":"https://a.example","aud":"api","exp":4102444800,"cnf":{{"x5t#S256":"{CERTIFICATE}"}}}}"#
    );
    let token = key.sign(r#"{"alg":"ES256"}"#, &claims);
    let head = RequestHead::new(HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        ("authorization", &*format!("Bearer {token}")),
    ]));
    let waiting = judge.request(StreamId(1), head, env(&shown));
    assert_eq!(reasons(waiting), []);

    let nobody = env(&NoConnection);
    let effects = service.tick(&[Demand::default()], nobody);
    let call = effects.into_iter().find_map(|effect| match effect {
        Effect::Fetch(call) => Some(call),
        Effect::Answer(_) | Effect::Measure(_) | Effect::Log(_) => None,
    });
    let set = format!(r#"{{"keys":[{}]}}"#, key.jwk).into_bytes();
    let answer = AnswerHead {
        ending: Ending::Status(200),
        body_size: set.len(),
        ..AnswerHead::default()
    };
    service.fetched(call.unwrap().id, &answer, &|| Some(set.clone()), nobody);
    judge.adopt(service.snapshot(), nobody.now);
    reasons(judge.tick(nobody))
}

#[test]
fn a_request_that_waited_is_judged_by_the_certificate_of_its_own_connection() {
    let own = digest(CERTIFICATE).unwrap();
    let mut other = own;
    other[31] ^= 1;
    assert_eq!(after_a_wait(Ok(Some(own))), [Reason::Allowed]);
    assert_eq!(after_a_wait(Ok(Some(other))), [Reason::OtherCertificate]);
    assert_eq!(after_a_wait(Ok(None)), [Reason::NoCertificate]);
    let unknown = after_a_wait(Err(CertificateUnknown));
    assert_eq!(unknown, [Reason::InternalError]);
}
