//! Every signature has exactly one form: no bit of it or of the text can change, and
//! nothing can be removed or added.

use aws_lc_rs::hmac;
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use edge_authz::crypto::Algorithm;

use crate::keys;
use crate::tally::Tally;

const MESSAGE: &[u8] = b"eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJqb2UifQ";

#[test]
fn every_changed_bit_and_length_of_rsa_is_refused() {
    refuse_changes("Changed RSA signatures", &rsa_samples());
}

#[test]
fn every_changed_bit_and_length_of_ecdsa_is_refused() {
    refuse_changes("Changed ECDSA signatures", &ecdsa_samples());
}

#[test]
fn every_changed_bit_and_length_of_eddsa_and_hmac_is_refused() {
    let mut samples = hmac_samples();
    samples.push(ed25519_sample());
    refuse_changes("Changed EdDSA and HMAC signatures", &samples);
}

type Sample = (Algorithm, keys::Key, Vec<u8>);

fn refuse_changes(corpus: &'static str, samples: &[Sample]) {
    let mut tally = Tally::new(corpus);
    for (algorithm, key, signature) in samples {
        change(&mut tally, *algorithm, key, signature);
    }
    let algorithms: Vec<Algorithm> = samples.iter().map(|sample| sample.0).collect();
    tally.finish(&algorithms);
}

fn change(tally: &mut Tally, algorithm: Algorithm, key: &keys::Key, signature: &[u8]) {
    let mut check = |name: &str, message: &[u8], signature: &[u8], expected| {
        tally.check(name, key, algorithm, message, signature, expected);
    };
    check("as it is", MESSAGE, signature, true);
    for bit in 0..8 * signature.len() {
        let mut changed = signature.to_vec();
        changed[bit / 8] ^= 1 << (bit % 8);
        check(&format!("bit {bit}"), MESSAGE, &changed, false);
    }
    for length in 0..signature.len() {
        check(
            &format!("the first {length}"),
            MESSAGE,
            &signature[..length],
            false,
        );
        check(
            &format!("from {}", length + 1),
            MESSAGE,
            &signature[length + 1..],
            false,
        );
    }
    for octet in [0, 1, 0xFF] {
        check("longer", MESSAGE, &[signature, &[octet]].concat(), false);
        check(
            "longer in front",
            MESSAGE,
            &[&[octet], signature].concat(),
            false,
        );
    }
    check("twice", MESSAGE, &[signature, signature].concat(), false);
    for at in 0..MESSAGE.len() {
        let mut changed = MESSAGE.to_vec();
        changed[at] ^= 1;
        check(&format!("text {at}"), &changed, signature, false);
        check(&format!("text to {at}"), &MESSAGE[..at], signature, false);
    }
}

fn rsa_samples() -> Vec<Sample> {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let parts: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let key = keys::rsa(&parts.n, &parts.e).unwrap();
    let schemes: [(Algorithm, &'static dyn RsaEncoding); 6] = [
        (Algorithm::Rs256, &RSA_PKCS1_SHA256),
        (Algorithm::Rs384, &RSA_PKCS1_SHA384),
        (Algorithm::Rs512, &RSA_PKCS1_SHA512),
        (Algorithm::Ps256, &RSA_PSS_SHA256),
        (Algorithm::Ps384, &RSA_PSS_SHA384),
        (Algorithm::Ps512, &RSA_PSS_SHA512),
    ];
    let mut samples = Vec::new();
    for (algorithm, scheme) in schemes {
        let mut signature = vec![0; pair.public_modulus_len()];
        let random = SystemRandom::new();
        pair.sign(scheme, &random, MESSAGE, &mut signature).unwrap();
        samples.push((algorithm, key.clone(), signature));
    }
    samples
}

fn ecdsa_samples() -> Vec<Sample> {
    let curves: [(Algorithm, &str, &'static EcdsaSigningAlgorithm); 3] = [
        (Algorithm::Es256, "P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
        (Algorithm::Es384, "P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        (Algorithm::Es512, "P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
    ];
    let mut samples = Vec::new();
    for (algorithm, curve, signing) in curves {
        let pair = EcdsaKeyPair::generate(signing).unwrap();
        let key = keys::ec(curve, pair.public_key().as_ref()).unwrap();
        let signature = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        samples.push((algorithm, key, signature.as_ref().to_vec()));
    }
    samples
}

fn ed25519_sample() -> Sample {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = keys::ed25519(pair.public_key().as_ref()).unwrap();
    let signature = pair.sign(MESSAGE).as_ref().to_vec();
    (Algorithm::EdDsa, key, signature)
}

fn hmac_samples() -> Vec<Sample> {
    let mut samples = Vec::new();
    let secret = [7; 64];
    let key = keys::oct(&secret).unwrap();
    for (algorithm, hash) in [
        (Algorithm::Hs256, hmac::HMAC_SHA256),
        (Algorithm::Hs384, hmac::HMAC_SHA384),
        (Algorithm::Hs512, hmac::HMAC_SHA512),
    ] {
        let tag = hmac::sign(&hmac::Key::new(hash, &secret), MESSAGE);
        samples.push((algorithm, key.clone(), tag.as_ref().to_vec()));
    }
    samples
}
