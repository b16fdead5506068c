//! Whether the sender of a request is the holder of its token.

use std::cell::Cell;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest, Sha256};

use super::doubted::{NAMED, Pair, Sets, context, decide_in};
use crate::authz::{CertificateUnknown, Context, ProofUse, UsedProofs};
use crate::config;
use crate::dpop::{Nonces, Proof};
use crate::http::{HeaderMap, RequestHead};
use crate::json;
use crate::jwk::{Thumbprint, digest};
use crate::policy::Policy;
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// The digest of a certificate.
const CERTIFICATE: &str = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU";

/// A provider that accepts proofs, with these rules for nonces.
fn policy(key: &Pair, nonce: &str) -> Policy {
    let document = format!(
        r#"{{"providers":[{{"name":"p","issuer":"https://a.example","audiences":["api"],
            "jwks":{{"inline":{{"keys":[{}]}}}},
            "dpop":{{"origins":["https://api.example"]{nonce}}}}}],
            "routes":[{{"match":"$default"}}]}}"#,
        key.jwk(Some("k"))
    );
    config::compile(document.as_bytes()).unwrap()
}

#[test]
fn a_token_that_is_bound_to_a_certificate_passes_only_with_it() {
    let key = Pair::new();
    let own = digest(CERTIFICATE).unwrap();
    let policy = policy(&key, "");
    let cnf = format!(r#","cnf":{{"x5t#S256":"{CERTIFICATE}"}}"#);
    let head = RequestHead::new(HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        (
            "authorization",
            &*format!("Bearer {}", key.token_with(NAMED, &cnf)),
        ),
        // A client may write what a proxy would.
        ("x-forwarded-client-cert", &*format!("Hash={CERTIFICATE}")),
    ]));
    let sets = Sets::of(&[]);
    let mut other = own;
    other[31] ^= 1;
    for (shown, reason) in [
        (Ok(Some(own)), Reason::Allowed),
        (Ok(Some(other)), Reason::OtherCertificate),
        (Ok(None), Reason::NoCertificate),
        // Nobody knows, so it is not the client's fault.
        (Err(CertificateUnknown), Reason::InternalError),
    ] {
        let context = Context {
            connection: &shown,
            ..context(&sets)
        };
        let decision = decide_in(context, &policy, &head);
        assert_eq!(decision.reason(), Some(reason), "{shown:?}");
    }
}

/// A request with a proof. `more` is added to the claims of the proof, and begins with a comma.
fn proven(key: &Pair, more: &str) -> RequestHead {
    let client = Pair::new();
    let jwk = client.jwk(None);
    let thumbprint = Thumbprint::of(&json::object(jwk.as_bytes(), 4).unwrap()).unwrap();
    let thumbprint = URL_SAFE_NO_PAD.encode(thumbprint.as_bytes());
    let cnf = format!(r#","cnf":{{"jkt":"{thumbprint}"}}"#);
    let token = key.token_with(NAMED, &cnf);
    let ath = URL_SAFE_NO_PAD.encode(Sha256::digest(&token));
    let header = format!(r#"{{"typ":"dpop+jwt","alg":"ES256","jwk":{jwk}}}"#);
    let claims = format!(
        r#"{{"jti":"a","htm":"GET","htu":"https://api.example/","iat":1800000000,"ath":"{ath}"{more}}}"#
    );
    RequestHead::new(HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/"),
        ("authorization", &*format!("DPoP {token}")),
        ("dpop", &*client.sign(&header, &claims)),
    ]))
}

/// A memory of used proofs that gives one answer.
struct Memory {
    answer: Result<(), ProofUse>,
    asked: Cell<u32>,
}

impl UsedProofs for Memory {
    fn use_up(&self, _: &Proof, _: UnixTime) -> Result<(), ProofUse> {
        self.asked.set(self.asked.get().saturating_add(1));
        self.answer
    }

    fn nonces(&self, _: UnixTime) -> Nonces {
        Nonces::Unavailable
    }
}

#[test]
fn a_good_proof_that_cannot_be_remembered_is_refused() {
    let key = Pair::new();
    let (policy, head, sets) = (policy(&key, ""), proven(&key, ""), Sets::of(&[]));
    for (answer, reason) in [
        (Ok(()), Reason::Allowed),
        (Err(ProofUse::Again), Reason::UsedProof),
        (Err(ProofUse::NoMemory), Reason::InternalError),
    ] {
        let asked = Cell::new(0);
        let memory = Memory { answer, asked };
        let context = Context {
            proofs: &memory,
            ..context(&sets)
        };
        let decision = decide_in(context, &policy, &head);
        assert_eq!(decision.reason(), Some(reason));
        assert_eq!(memory.asked.get(), 1);
    }
}

#[test]
fn where_nothing_is_remembered_every_nonce_is_good_but_not_a_missing_one() {
    let key = Pair::new();
    let (policy, sets) = (policy(&key, r#","nonce":"5m""#), Sets::of(&[]));
    let context = context(&sets);
    let with_nonce = proven(&key, r#","nonce":"anything""#);
    for _ in 0..2 {
        let decision = decide_in(context, &policy, &with_nonce);
        assert_eq!(decision.reason(), Some(Reason::Allowed));
    }
    let decision = decide_in(context, &policy, &proven(&key, ""));
    assert_eq!(decision.reason(), Some(Reason::NoNonce));
}
