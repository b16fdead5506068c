//! The keys of these tests are made with a library that the module does not use.

mod host;
mod keys;
mod material;

use std::cell::RefCell;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::*;

const MESSAGE: &[u8] = b"header.payload";

/// The largest number with this number of bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xFF; bits.div_ceil(8)];
    modulus[0] = [0xFF, 0x01, 0x03, 0x07, 0x0F, 0x1F, 0x3F, 0x7F][bits % 8];
    modulus
}

fn rsa_pair() -> (RsaKeyPair, VerifyingKey) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let parts: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let key = VerifyingKey::rsa(&parts.n, &parts.e).unwrap();
    (pair, key)
}

fn ec_pair(curve: Curve) -> (EcdsaKeyPair, VerifyingKey) {
    let algorithm: &'static EcdsaSigningAlgorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    };
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref()[1..].to_vec();
    let (x, y) = point.split_at(point.len() / 2);
    let key = VerifyingKey::ec(curve, x, y).unwrap();
    (pair, key)
}

fn ed25519_key() -> (Ed25519KeyPair, VerifyingKey) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = VerifyingKey::ed25519(pair.public_key().as_ref()).unwrap();
    (pair, key)
}

/// A host that gives a fixed result and records its arguments.
struct Host {
    answer: Option<bool>,
    asked: RefCell<Vec<(Algorithm, Vec<u8>)>>,
}

impl Host {
    fn new(answer: Option<bool>) -> Self {
        let asked = RefCell::default();
        Self { answer, asked }
    }
}

impl HostSignatures for Host {
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let asked = (check.algorithm(), check.signature().to_vec());
        self.asked.borrow_mut().push(asked);
        self.answer
    }
}
