//! Refusals that suggest that the issuer's keys have changed.

use std::time::Duration;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::traced::Recorder;
use crate::authz::{
    Context, CurrentKeys, Decision, Keys, NoConnection, NoUsedProofs, Remembered, Verifications,
    evaluate_traced,
};
use crate::config;
use crate::crypto::NoHostSignatures;
use crate::http::{HeaderMap, RequestHead};
use crate::jwk::{AskedKid, KeyOrigin, KeySet};
use crate::policy::{Policy, SourceId};
use crate::telemetry::Reason;
use crate::time::UnixTime;
use std::sync::Arc;

pub(super) fn now() -> UnixTime {
    UnixTime::from_secs(1_800_000_000)
}

pub(super) struct Pair(EcdsaKeyPair);

impl Pair {
    pub(super) fn new() -> Self {
        Self(EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap())
    }

    /// The key as a member of a set, with or without a `kid`.
    pub(super) fn jwk(&self, kid: Option<&str>) -> String {
        let point = self.0.public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let kid = kid.map_or_else(String::new, |kid| format!(r#""kid":"{kid}","#));
        let [x, y] = [x, y].map(|part| URL_SAFE_NO_PAD.encode(part));
        format!(r#"{{{kid}"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#)
    }

    pub(super) fn token(&self, header: &str) -> String {
        self.token_with(header, "")
    }

    /// The same with more claims, after a comma.
    pub(super) fn token_with(&self, header: &str, more: &str) -> String {
        let claims = r#"{"iss":"https://a.example","aud":"api","exp":4102444800"#;
        self.sign(header, &format!("{claims}{more}}}"))
    }

    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let signed = [header, claims]
            .map(|part| URL_SAFE_NO_PAD.encode(part))
            .join(".");
        let signature = self
            .0
            .sign(&SystemRandom::new(), signed.as_bytes())
            .unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature))
    }
}

/// The key sets of the sources, by source index.
pub(super) struct Sets(Vec<KeySet>);

impl Sets {
    pub(super) fn of(sets: &[&[String]]) -> Self {
        let parse = |keys: &&[String]| {
            let text = format!(r#"{{"keys":[{}]}}"#, keys.join(","));
            KeySet::parse(text.as_bytes(), KeyOrigin::Fetched)
                .unwrap()
                .set
        };
        Self(sets.iter().map(parse).collect())
    }
}

impl Keys for Sets {
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>> {
        Some(CurrentKeys {
            set: &self.0[source.index()],
            fetch_started_at: now().saturating_sub(Duration::from_mins(1)),
            as_of: now().saturating_sub(Duration::from_mins(1)),
        })
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

impl Remembered for Sets {
    fn recall(&self, _: &[u8]) -> Option<Arc<Verifications>> {
        None
    }
}

/// What is known besides these keys: nothing.
pub(super) fn context(sets: &Sets) -> Context<'_> {
    Context {
        keys: sets,
        remembered: sets,
        host_signatures: &NoHostSignatures,
        connection: &NoConnection,
        proofs: &NoUsedProofs,
        arrived: now(),
        now: now(),
    }
}

/// Providers of one issuer, each with its own keys.
pub(super) fn policy(jwks: &[&str]) -> Policy {
    let provider = |(number, jwks): (usize, &&str)| {
        format!(
            r#"{{"name":"p{number}","issuer":"https://a.example","audiences":["api"],"jwks":{jwks}}}"#
        )
    };
    let providers: Vec<_> = jwks.iter().enumerate().map(provider).collect();
    let document = format!(
        r#"{{"providers":[{}],"routes":[{{"match":"$default"}}]}}"#,
        providers.join(",")
    );
    config::compile(document.as_bytes()).unwrap()
}

/// A request with this token.
pub(super) fn request(token: &str) -> RequestHead {
    RequestHead::new(HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        ("authorization", &format!("Bearer {token}")),
    ]))
}

pub(super) fn decide(policy: &Policy, sets: &Sets, token: &str) -> Decision {
    decide_in(context(sets), policy, &request(token))
}

/// The decision about a request, which its steps must explain.
pub(super) fn decide_in(context: Context<'_>, policy: &Policy, head: &RequestHead) -> Decision {
    let mut recorder = Recorder::default();
    let decision = evaluate_traced(policy, head, context, &mut recorder);
    assert!(
        recorder.leads_to(&decision),
        "{recorder:?}: {:?}",
        decision.reason()
    );
    decision
}

pub(super) const FETCHED: &str = r#"{"cluster":"a","uri":"https://a.example/keys"}"#;
const OTHER: &str = r#"{"cluster":"a","uri":"https://a.example/others"}"#;
pub(super) const NAMED: &str = r#"{"alg":"ES256","kid":"k"}"#;
const NAMELESS: &str = r#"{"alg":"ES256"}"#;

#[test]
fn a_bad_signature_under_a_known_kid_and_a_token_without_kid_doubt_the_keys() {
    let (old, new) = (Pair::new(), Pair::new());
    let policy = policy(&[FETCHED]);
    for (keys, header, reason, doubts) in [
        (vec![old.jwk(Some("k"))], NAMED, Reason::BadSignature, true),
        (
            vec![old.jwk(Some("k"))],
            NAMELESS,
            Reason::BadSignature,
            true,
        ),
        (vec![old.jwk(None)], NAMELESS, Reason::BadSignature, true),
        // Two keys fit, so none is tried.
        (
            vec![old.jwk(Some("k")), old.jwk(None)],
            NAMELESS,
            Reason::NoFittingKey,
            true,
        ),
        (
            vec![old.jwk(None)],
            r#"{"alg":"ES384"}"#,
            Reason::NoFittingKey,
            true,
        ),
        (
            vec![old.jwk(Some("k"))],
            r#"{"alg":"ES384","kid":"k"}"#,
            Reason::NoFittingKey,
            false,
        ),
        (vec![new.jwk(Some("k"))], NAMED, Reason::Allowed, false),
        (vec![new.jwk(None)], NAMELESS, Reason::Allowed, false),
    ] {
        let decision = decide(&policy, &Sets::of(&[&keys]), &new.token(header));
        assert_eq!(decision.reason(), Some(reason), "{header} {keys:?}");
        let expected = if doubts {
            vec![SourceId::new(0)]
        } else {
            vec![]
        };
        assert_eq!(decision.learned.doubted, expected, "{header} {keys:?}");
    }
}

#[test]
fn an_unknown_kid_causes_a_wait_and_no_doubt() {
    let (old, new) = (Pair::new(), Pair::new());
    let policy = policy(&[FETCHED]);
    for keys in [vec![old.jwk(Some("old"))], vec![old.jwk(None)]] {
        let decision = decide(&policy, &Sets::of(&[&keys]), &new.token(NAMED));
        assert_eq!(decision.reason(), None);
        assert_eq!(decision.learned.doubted, []);
    }
}

#[test]
fn a_waiting_request_needs_its_certificate_if_its_token_names_one() {
    let key = Pair::new();
    let policy = policy(&[FETCHED]);
    let sets = Sets::of(&[&[key.jwk(Some("old"))]]);
    let bound = r#","cnf":{"x5t#S256":"47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU"}"#;
    for (more, needs_certificate) in [("", false), (bound, true)] {
        let decision = decide(&policy, &sets, &key.token_with(NAMED, more));
        assert_eq!(decision.reason(), None);
        assert_eq!(decision.learned.needs_certificate, needs_certificate);
    }
}

#[test]
fn keys_in_the_configuration_are_not_doubted() {
    let (old, new) = (Pair::new(), Pair::new());
    let inline = format!(r#"{{"inline":{{"keys":[{}]}}}}"#, old.jwk(Some("k")));
    let policy = policy(&[&inline]);
    let decision = decide(&policy, &Sets::of(&[]), &new.token(NAMED));
    assert_eq!(decision.reason(), Some(Reason::BadSignature));
    assert_eq!(decision.learned.doubted, []);
}

#[test]
fn only_providers_whose_keys_failed_are_doubted_unless_one_verified() {
    let (old, new) = (Pair::new(), Pair::new());
    let policy = policy(&[FETCHED, OTHER]);
    let [olds, news] = [&old, &new].map(|pair| [pair.jwk(Some("k"))]);
    let token = new.token(NAMED);
    let both = [SourceId::new(0), SourceId::new(1)];
    let decision = decide(&policy, &Sets::of(&[&olds, &olds]), &token);
    assert_eq!(decision.reason(), Some(Reason::BadSignature));
    assert_eq!(decision.learned.doubted, both);
    let decision = decide(&policy, &Sets::of(&[&olds, &news]), &token);
    assert_eq!(decision.reason(), Some(Reason::Allowed));
    assert_eq!(decision.learned.doubted, []);
}

#[test]
fn an_unknown_kid_is_not_a_bad_signature_by_a_key_without_kid() {
    let (old, new) = (Pair::new(), Pair::new());
    let policy = policy(&[&format!(r#"{{"inline":{{"keys":[{}]}}}}"#, old.jwk(None))]);
    let decision = decide(&policy, &Sets::of(&[]), &new.token(NAMED));
    assert_eq!(decision.reason(), Some(Reason::UnknownKey));
}
