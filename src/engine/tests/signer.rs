//! The keys of issuers, the sets that they publish and the tokens that they sign, made
//! with a library that the module does not use.

use std::cell::RefCell;
use std::collections::BTreeMap;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair,
    UnparsedPublicKey,
};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use crate::crypto::{HostCheck, HostSignatures};

/// A key of one of the issuers. A `kid` does not identify a key: two keys may have the
/// same `kid`, of one issuer or of two.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct KeyId(pub(super) usize);

/// The number of keys.
pub(super) const KEYS: usize = 6;

impl KeyId {
    /// The last two keys have the same `kid`.
    pub(super) fn kid(self) -> String {
        format!("k{}", self.0.min(KEYS - 2))
    }
}

/// Signs and verifies.
pub(super) struct Signer {
    pairs: Vec<EcdsaKeyPair>,
    random: SystemRandom,
    tokens: RefCell<BTreeMap<String, String>>,
    checked: RefCell<BTreeMap<Vec<u8>, bool>>,
}

thread_local! {
    /// Signing and verifying are expensive in a debug build, and all schedules can use
    /// the same keys.
    pub(super) static SIGNER: Signer = Signer::new();
}

impl Signer {
    fn new() -> Self {
        let generate = || EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self {
            pairs: (0..=KEYS).map(|_| generate()).collect(),
            random: SystemRandom::new(),
            tokens: RefCell::default(),
            checked: RefCell::default(),
        }
    }

    /// A key as a member of a set.
    fn jwk(&self, key: KeyId) -> String {
        let point = self.pairs[key.0].public_key().as_ref();
        let (x, y) = point[1..].split_at(32);
        let encode = |octets: &[u8]| URL_SAFE_NO_PAD.encode(octets);
        format!(
            r#"{{"kty":"EC","crv":"P-256","kid":"{}","x":"{}","y":"{}"}}"#,
            key.kid(),
            encode(x),
            encode(y)
        )
    }

    /// The set of these keys.
    pub(super) fn key_set(&self, keys: &[KeyId]) -> Vec<u8> {
        let keys: Vec<String> = keys.iter().map(|key| self.jwk(*key)).collect();
        format!(r#"{{"keys":[{}]}}"#, keys.join(",")).into_bytes()
    }

    fn token(&self, (issuer, subject): (&str, &str), kid: &str, key: usize, exp: i64) -> String {
        let claims = format!(r#"{{"iss":"{issuer}","sub":"{subject}","aud":"api","exp":{exp}}}"#);
        let header = format!(r#"{{"alg":"ES256","kid":"{kid}"}}"#);
        let name = format!("{key}{header}{claims}");
        let mut tokens = self.tokens.borrow_mut();
        let token = tokens.entry(name).or_insert_with(|| {
            let encode = |text: &str| URL_SAFE_NO_PAD.encode(text);
            let signed = format!("{}.{}", encode(&header), encode(&claims));
            let pair = &self.pairs[key];
            let signature = pair.sign(&self.random, signed.as_bytes()).unwrap();
            format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
        });
        token.clone()
    }

    /// A token that this key has signed.
    pub(super) fn good(&self, issuer: &str, key: KeyId, exp: i64) -> String {
        self.of(issuer, "alice", key, exp)
    }

    /// A token of this subject that this key has signed.
    pub(super) fn of(&self, issuer: &str, subject: &str, key: KeyId, exp: i64) -> String {
        self.token((issuer, subject), &key.kid(), key.0, exp)
    }

    /// A token that names this `kid` and that no key has signed.
    pub(super) fn forged(&self, issuer: &str, kid: &str, exp: i64) -> String {
        self.token((issuer, "alice"), kid, KEYS, exp)
    }
}

/// Verifies each signature once and remembers the result.
pub(super) struct Memory;

impl HostSignatures for Memory {
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let (spki, signature, message) = (check.spki_der(), check.signature(), check.message());
        SIGNER.with(|signer| {
            let question = [spki, signature, message].concat();
            let mut checked = signer.checked.borrow_mut();
            let answer = checked.entry(question).or_insert_with(|| {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_ASN1, &spki[spki.len() - 65..])
                    .verify(message, signature)
                    .is_ok()
            });
            Some(*answer)
        })
    }
}
