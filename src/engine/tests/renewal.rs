//! The nonces in the answers to a client, from its first request to the end of a nonce.

use std::cell::Cell;
use std::sync::Arc;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::signer::Memory;
use crate::config;
use crate::dpop::NONCE_HEADER;
use crate::engine::{
    Action, Answer, Effect, Engine, Env, NoConnection, NoSharedData, NonceStore, ProofMemory,
    Proofs, StreamId,
};
use crate::http::{HeaderEdit, HeaderMap, RequestHead};
use crate::json;
use crate::jwk::Thumbprint;
use crate::telemetry::Reason;
use crate::time::UnixTime;

const START: i64 = 1_800_000_000;

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// A key of a client, or of an issuer.
pub(super) struct Key {
    pair: EcdsaKeyPair,
    pub(super) jwk: String,
}

impl Key {
    pub(super) fn new() -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        let (x, y) = pair.public_key().as_ref()[1..].split_at(32);
        let (x, y) = (encode(x), encode(y));
        let jwk = format!(r#"{{"kty":"EC","crv":"P-256","x":"{x}","y":"{y}"}}"#);
        Self { pair, jwk }
    }

    fn thumbprint(&self) -> String {
        let members = json::object(self.jwk.as_bytes(), 4).unwrap();
        encode(Thumbprint::of(&members).unwrap().as_bytes())
    }

    pub(super) fn sign(&self, header: &str, claims: &str) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.pair.sign(&SystemRandom::new(), signed.as_bytes());
        format!("{signed}.{}", encode(signature.unwrap().as_ref()))
    }
}

/// A client with a bound token, and a filter that requires nonces.
struct Stage {
    engine: Engine,
    client: Key,
    token: String,
    requests: Cell<u32>,
}

impl Stage {
    fn new() -> Self {
        let (issuer, client) = (Key::new(), Key::new());
        let policy = format!(
            r#"{{"providers":[{{"name":"a","issuer":"https://a.example","audiences":["api"],
                "jwks":{{"inline":{{"keys":[{}]}}}},
                "dpop":{{"origins":["https://api.example"],"nonce":"5m"}}}}],
                "routes":[{{"match":"GET /"}},{{"match":"GET /read","scopes":["read"]}}]}}"#,
            issuer.jwk
        );
        let policy = Arc::new(config::compile(policy.as_bytes()).unwrap());
        let claims = format!(
            r#"{{"iss":"https://a.example","aud":"api","exp":4102444800,"cnf":{{"jkt":"{}"}}}}"#,
            client.thumbprint()
        );
        let memory = Arc::new(ProofMemory::new(1000, 1));
        let nonces = NonceStore::new(|secret| {
            aws_lc_rs::rand::fill(secret).map_err(|_| crate::engine::NoRandomness)
        });
        let proofs = Proofs::new(memory, Arc::new(nonces));
        Self {
            engine: Engine::sharing(policy, 1, proofs),
            token: issuer.sign(r#"{"alg":"ES256"}"#, &claims),
            client,
            requests: Cell::new(0),
        }
    }

    /// The answer to a request with this nonce in its proof.
    fn request(&mut self, path: &str, nonce: Option<&str>, secs: i64) -> Box<Answer> {
        let number = self.requests.get() + 1;
        self.requests.set(number);
        let header = format!(
            r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{}}}"#,
            self.client.jwk
        );
        let ath = encode(Sha256::digest(&self.token));
        let nonce = nonce.map_or_else(String::new, |nonce| format!(r#","nonce":"{nonce}""#));
        let claims = format!(
            r#"{{"jti":"{number}","htm":"GET","htu":"https://api.example{path}","iat":{},"ath":"{ath}"{nonce}}}"#,
            START + secs
        );
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", path),
            ("authorization", &format!("DPoP {}", self.token)),
            ("dpop", &self.client.sign(&header, &claims)),
        ]));
        let env = Env {
            now: UnixTime::from_secs(START + secs),
            shared: &NoSharedData,
            host_signatures: &Memory,
            connection: &NoConnection,
        };
        let effects = self.engine.request(StreamId(number), head, env);
        let mut answers = effects.into_iter().filter_map(Effect::answer);
        answers.next().expect("an answer")
    }
}

/// The nonce in a reply of the filter.
fn in_reply(answer: &Answer) -> Option<String> {
    let Action::Reply(reply) = &answer.action else {
        panic!("{answer:?}");
    };
    let mut headers = reply.headers.iter();
    let found = headers.find(|(name, _)| *name == NONCE_HEADER);
    found.map(|(_, nonce)| nonce.as_str().to_owned())
}

/// The nonce that the upstream's answer gets.
fn in_response(answer: &Answer) -> Option<String> {
    assert!(matches!(answer.action, Action::Forward(_)), "{answer:?}");
    let nonce = answer.facts.nonce.as_ref().expect("the proof had a nonce");
    let own: [(&[u8], &[u8]); 1] = [(NONCE_HEADER.as_bytes(), b"of the upstream")];
    match nonce.apply(own) {
        Some(HeaderEdit::Set(_, value)) => Some(String::from_utf8(value.to_vec()).unwrap()),
        Some(HeaderEdit::Remove(_)) => None,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_client_gets_a_new_nonce_when_half_of_the_time_of_its_own_has_passed() {
    let mut stage = Stage::new();
    let refused = stage.request("/", None, 0);
    assert_eq!(refused.reason, Reason::NoNonce);
    let first = in_reply(&refused).expect("a nonce");
    for secs in [0, 1, 150] {
        let answer = stage.request("/", Some(&first), secs);
        assert_eq!(answer.reason, Reason::Allowed);
        assert_eq!(in_response(&answer), None, "{secs}");
    }
    let mut known = vec![first.clone()];
    for secs in [151, 200, 300] {
        let answer = stage.request("/", Some(&first), secs);
        assert_eq!(answer.reason, Reason::Allowed);
        let next = in_response(&answer).expect("a new nonce");
        assert!(!known.contains(&next), "{secs}");
        known.push(next);
    }
    let refused = stage.request("/", Some(&first), 301);
    assert_eq!(refused.reason, Reason::BadNonce);
    assert!(!known.contains(&in_reply(&refused).expect("a nonce")));
    // Each of the new ones has its own time.
    for (nonce, end) in known[1..].iter().zip([451, 500, 600]) {
        let answer = stage.request("/", Some(nonce), end);
        assert_eq!(answer.reason, Reason::Allowed);
        let answer = stage.request("/", Some(nonce), end + 1);
        assert_eq!(answer.reason, Reason::BadNonce);
    }
}

#[test]
fn a_refusal_by_the_rules_of_the_route_renews_the_nonce_too() {
    let mut stage = Stage::new();
    let first = in_reply(&stage.request("/", None, 0)).expect("a nonce");
    let early = stage.request("/read", Some(&first), 100);
    assert_eq!(early.reason, Reason::MissingScope);
    assert_eq!(in_reply(&early), None);
    let late = stage.request("/read", Some(&first), 200);
    assert_eq!(late.reason, Reason::MissingScope);
    let next = in_reply(&late).expect("a new nonce");
    assert_eq!(stage.request("/", Some(&next), 450).reason, Reason::Allowed);
}

#[test]
fn after_the_clock_was_set_back_a_client_is_asked_again() {
    let mut stage = Stage::new();
    let first = in_reply(&stage.request("/", None, 200)).expect("a nonce");
    let answer = stage.request("/", Some(&first), 200);
    assert_eq!(answer.reason, Reason::Allowed);
    let refused = stage.request("/", Some(&first), 100);
    assert_eq!(refused.reason, Reason::BadNonce);
    // The former nonce stays useless when its time comes again.
    for secs in [200, 250, 400] {
        let again = stage.request("/", Some(&first), secs);
        assert_eq!(again.reason, Reason::BadNonce, "{secs}");
    }
    let second = in_reply(&refused).expect("a nonce");
    assert_eq!(
        stage.request("/", Some(&second), 400).reason,
        Reason::Allowed
    );
}
