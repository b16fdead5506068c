//! Keys and tokens, made by a library other than the one under test. Header and claims
//! may be any text.

use std::time::{SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::{Value, json};

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

/// Claims of a valid token: it expires in an hour, its subject is `user-1`.
pub(crate) fn claims(issuer: &str, audience: &str) -> Value {
    let now = now();
    json!({
        "iss": issuer,
        "sub": "user-1",
        "aud": audience,
        "iat": now,
        "exp": now + 3600,
    })
}

/// The claims with these in addition or instead.
pub(crate) fn claims_with(issuer: &str, audience: &str, more: Value) -> Value {
    let mut claims = claims(issuer, audience);
    let (Value::Object(all), Value::Object(more)) = (&mut claims, more) else {
        panic!("claims are an object");
    };
    all.extend(more);
    claims
}

/// The content of a Cognito access token, about 680 bytes: valid for a week from `now`,
/// for the user with that number.
pub(crate) fn access_claims(
    issuer: &str,
    audience: &str,
    scope: &str,
    user: usize,
    now: u64,
) -> Value {
    json!({
        "sub": format!("9f3c1d20-7a51-4c1b-8e0d-{user:012}"),
        "iss": issuer,
        "aud": audience,
        "client_id": audience,
        "version": 2,
        "cognito:groups": ["customers", "eu-central"],
        "origin_jti": "3d7c1c51-6a2f-4b6b-9a40-5e1f6f0c2b7d",
        "event_id": "b2b7f6c4-1f1e-4d2e-a1b5-0e8c4f7a9d33",
        "token_use": "access",
        "scope": format!("openid profile {scope} aws.cognito.signin.user.admin"),
        "auth_time": now,
        "nbf": now,
        "iat": now,
        "exp": now + 7 * 24 * 3600,
        "jti": format!("5b0a6ab2-07c8-4e7a-9e3b-{user:012}"),
        "username": format!("user-{user:08}"),
        "device_key": "us-east-1_1f6d2a3c-5b1f-4a51-b0f1-2f6d8e7a9c11",
    })
}

/// The time in seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .expect("a clock after 1970")
        .as_secs()
}

/// base64url without padding.
pub(crate) fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// The inverse of [`encode`].
pub(crate) fn decode(text: &str) -> Vec<u8> {
    URL_SAFE_NO_PAD.decode(text).expect("base64url")
}
