//! Test keys with public secrets, in a library other than the one under test.

use std::sync::LazyLock;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    self, ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, ED25519, EcdsaKeyPair,
    Ed25519KeyPair, KeyPair, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256,
    RSA_PSS_2048_8192_SHA256, RSA_PSS_SHA256, RsaKeyPair, UnparsedPublicKey, VerificationAlgorithm,
};
use aws_lc_rs::{hmac, signature::RsaEncoding};

use super::base64url;

/// The shared secret, with the 64 octets that `HS512` needs.
const SECRET: &[u8; 64] = b"a secret that everybody knows, of the sixty-four octets it needs";

struct Keys {
    rsa: RsaKeyPair,
    ec: EcdsaKeyPair,
    ed: Ed25519KeyPair,
}

static KEYS: LazyLock<Keys> = LazyLock::new(|| Keys {
    rsa: RsaKeyPair::from_der(include_bytes!("../../keys/rsa.der")).unwrap(),
    ec: EcdsaKeyPair::from_pkcs8(
        &ECDSA_P256_SHA256_FIXED_SIGNING,
        include_bytes!("../../keys/p256.pk8"),
    )
    .unwrap(),
    ed: Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap(),
});

/// The keys as a JWK Set: `rsa`, `ec`, `ed` and `oct`, none of which names its
/// algorithm.
pub(crate) static KEY_SET: LazyLock<String> = LazyLock::new(|| {
    let encode = base64url::encode;
    let rsa = KEYS.rsa.public_key();
    let point = KEYS.ec.public_key().as_ref();
    format!(
        r#"{{"keys":[
        {{"kid":"rsa","kty":"RSA","n":"{}","e":"{}"}},
        {{"kid":"ec","kty":"EC","crv":"P-256","x":"{}","y":"{}"}},
        {{"kid":"ed","kty":"OKP","crv":"Ed25519","x":"{}"}},
        {{"kid":"oct","kty":"oct","k":"{}"}}]}}"#,
        encode(rsa.modulus().big_endian_without_leading_zero()),
        encode(rsa.exponent().big_endian_without_leading_zero()),
        encode(&point[1..33]),
        encode(&point[33..]),
        encode(KEYS.ed.public_key().as_ref()),
        encode(SECRET),
    )
});

/// Signs with one of the keys. If no key fits the algorithm, the signature is a fixed
/// text, so that a token can have any `alg`.
pub(crate) fn sign(algorithm: &str, message: &[u8]) -> Vec<u8> {
    let random = SystemRandom::new();
    let rsa = |encoding: &'static dyn RsaEncoding| {
        let mut signature = vec![0; KEYS.rsa.public_modulus_len()];
        KEYS.rsa
            .sign(encoding, &random, message, &mut signature)
            .unwrap();
        signature
    };
    match algorithm {
        "RS256" => rsa(&RSA_PKCS1_SHA256),
        "PS256" => rsa(&RSA_PSS_SHA256),
        "ES256" | "ESP256" => KEYS.ec.sign(&random, message).unwrap().as_ref().to_vec(),
        "EdDSA" | "Ed25519" => KEYS.ed.sign(message).as_ref().to_vec(),
        "HS256" | "HS384" | "HS512" => hmac::sign(&secret(algorithm), message).as_ref().to_vec(),
        _ => b"unsigned".to_vec(),
    }
}

/// Whether the key called `kid` has made the signature, with one of its own algorithms.
/// An algorithm that no key above supports gives false.
pub(crate) fn verifies(kid: &str, algorithm: &str, message: &[u8], signature: &[u8]) -> bool {
    let public = |how: &'static dyn VerificationAlgorithm, key: &[u8]| {
        UnparsedPublicKey::new(how, key)
            .verify(message, signature)
            .is_ok()
    };
    let rsa = |how: &'static signature::RsaParameters| public(how, KEYS.rsa.public_key().as_ref());
    match (kid, algorithm) {
        ("rsa", "RS256") => rsa(&RSA_PKCS1_2048_8192_SHA256),
        ("rsa", "RS384") => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        ("rsa", "RS512") => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        ("rsa", "PS256") => rsa(&RSA_PSS_2048_8192_SHA256),
        ("rsa", "PS384") => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        ("rsa", "PS512") => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        ("ec", "ES256") => public(&ECDSA_P256_SHA256_FIXED, KEYS.ec.public_key().as_ref()),
        ("ed", "EdDSA") => public(&ED25519, KEYS.ed.public_key().as_ref()),
        ("oct", "HS256" | "HS384" | "HS512") => {
            hmac::verify(&secret(algorithm), message, signature).is_ok()
        }
        _ => false,
    }
}

fn secret(algorithm: &str) -> hmac::Key {
    let hash = match algorithm {
        "HS384" => hmac::HMAC_SHA384,
        "HS512" => hmac::HMAC_SHA512,
        _ => hmac::HMAC_SHA256,
    };
    hmac::Key::new(hash, SECRET)
}

/// A token with these texts, signed with the key for `algorithm`, regardless of the
/// header.
pub(crate) fn token(algorithm: &str, header: &[u8], claims: &[u8]) -> String {
    let signed = format!(
        "{}.{}",
        base64url::encode(header),
        base64url::encode(claims)
    );
    let signature = sign(algorithm, signed.as_bytes());
    format!("{signed}.{}", base64url::encode(&signature))
}

/// The algorithms that [`sign`] has a key for, by their first names.
pub(crate) const SIGNED: [&str; 7] = [
    "RS256", "PS256", "ES256", "EdDSA", "HS256", "HS384", "HS512",
];
