//! Keys and tokens, made by a library other than the one under test. Header and claims
//! may be any text.

#[path = "claims.rs"]
mod claims;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use serde_json::{Value, json};

pub(crate) use claims::*;

/// A private key with its `kid` and algorithm, which signs tokens.
pub(crate) struct TokenMaker {
    kid: Option<String>,
    algorithm: String,
    key: Key,
}

enum Key {
    Rsa(Box<RsaKeyPair>),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Vec<u8>),
}

impl TokenMaker {
    /// A new key for an algorithm, RSA keys with 2048 bits.
    pub(crate) fn generate(algorithm: &str, kid: &str) -> Self {
        let ec = |curve, signing: &'static EcdsaSigningAlgorithm| {
            Key::Ec(curve, EcdsaKeyPair::generate(signing).expect("a curve key"))
        };
        let key = match algorithm {
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
                return Self::rsa(algorithm, kid, rsa::KeySize::Rsa2048);
            }
            "ES256" | "ESP256" => ec("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" | "ESP384" => ec("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" | "ESP512" => ec("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
            "EdDSA" | "Ed25519" => {
                Key::Ed25519(Ed25519KeyPair::generate().expect("an Ed25519 key"))
            }
            "HS256" | "HS384" | "HS512" => {
                let mut secret = vec![0; 64];
                aws_lc_rs::rand::fill(&mut secret).expect("random bytes");
                Key::Hmac(secret)
            }
            other => panic!("no such algorithm: {other}"),
        };
        Self::of(algorithm, kid, key)
    }

    /// A new RSA key of a given size.
    pub(crate) fn rsa(algorithm: &str, kid: &str, size: rsa::KeySize) -> Self {
        let pair = RsaKeyPair::generate(size).expect("an RSA key");
        Self::of(algorithm, kid, Key::Rsa(Box::new(pair)))
    }

    /// A private RSA key in PKCS#1 or PKCS#8 DER.
    pub(crate) fn rsa_from_der(algorithm: &str, kid: &str, der: &[u8]) -> Self {
        let pair = RsaKeyPair::from_pkcs8(der)
            .or_else(|_| RsaKeyPair::from_der(der))
            .expect("a private RSA key");
        Self::of(algorithm, kid, Key::Rsa(Box::new(pair)))
    }

    /// A given HMAC secret.
    pub(crate) fn hmac(algorithm: &str, kid: &str, secret: &[u8]) -> Self {
        Self::of(algorithm, kid, Key::Hmac(secret.to_vec()))
    }

    /// Removes the `kid`. The same key material for another algorithm needs another
    /// maker.
    pub(crate) fn without_kid(mut self) -> Self {
        self.kid = None;
        self
    }

    fn of(algorithm: &str, kid: &str, key: Key) -> Self {
        Self {
            kid: Some(kid.to_owned()),
            algorithm: algorithm.to_owned(),
            key,
        }
    }

    /// The public key as a JWK (for an HMAC key: the secret, as `oct`).
    pub(crate) fn public_jwk(&self) -> Value {
        let mut jwk = match &self.key {
            Key::Rsa(pair) => {
                let public = pair.public_key();
                json!({
                    "kty": "RSA",
                    "n": encode(public.modulus().big_endian_without_leading_zero()),
                    "e": encode(public.exponent().big_endian_without_leading_zero()),
                })
            }
            Key::Ec(curve, pair) => {
                // The uncompressed point: 4, x, y.
                let (x, y) = {
                    let point = &pair.public_key().as_ref()[1..];
                    point.split_at(point.len() / 2)
                };
                json!({"kty": "EC", "crv": curve, "x": encode(x), "y": encode(y)})
            }
            Key::Ed25519(pair) => json!({
                "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()),
            }),
            Key::Hmac(secret) => json!({"kty": "oct", "k": encode(secret)}),
        };
        jwk["alg"] = json!(self.algorithm);
        jwk["use"] = json!("sig");
        if let Some(kid) = &self.kid {
            jwk["kid"] = json!(kid);
        }
        jwk
    }

    /// The header that [`Self::token`] writes.
    pub(crate) fn header(&self) -> Value {
        let mut header = json!({"alg": self.algorithm, "typ": "JWT"});
        if let Some(kid) = &self.kid {
            header["kid"] = json!(kid);
        }
        header
    }

    /// A token with the usual header.
    pub(crate) fn token(&self, claims: &Value) -> String {
        self.compact(self.header().to_string(), claims.to_string())
    }

    /// A token whose header and claims are any text, signed with the maker's own
    /// algorithm, regardless of the header.
    pub(crate) fn compact(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", encode(header), encode(claims));
        let signature = self.sign(signed.as_bytes());
        format!("{signed}.{}", encode(signature))
    }

    /// The signature of any bytes, in the form of JWS.
    pub(crate) fn sign(&self, message: &[u8]) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.key {
            Key::Rsa(pair) => {
                let padding: &dyn RsaEncoding = match self.algorithm.as_str() {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    other => panic!("RSA does not sign {other}"),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .expect("an RSA signature");
                signature
            }
            Key::Ec(_, pair) => {
                let signature = pair.sign(&random, message).expect("an ECDSA signature");
                signature.as_ref().to_vec()
            }
            Key::Ed25519(pair) => pair.sign(message).as_ref().to_vec(),
            Key::Hmac(secret) => {
                let hash = match self.algorithm.as_str() {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    other => panic!("HMAC does not sign {other}"),
                };
                hmac::sign(&hmac::Key::new(hash, secret), message)
                    .as_ref()
                    .to_vec()
            }
        }
    }
}
