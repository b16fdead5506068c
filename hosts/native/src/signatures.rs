//! Signature verification with AWS-LC, whose arithmetic is written in assembly.
//!
//! AWS-LC does only the arithmetic. The core has already checked that the key's type fits
//! the algorithm, that the key is strong enough, and that the signature has the correct
//! length and range.

use std::sync::OnceLock;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1, ED25519,
    ParsedPublicKey, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384,
    RSA_PKCS1_2048_8192_SHA512, RSA_PSS_2048_8192_SHA256, RSA_PSS_2048_8192_SHA384,
    RSA_PSS_2048_8192_SHA512, VerificationAlgorithm,
};
use edge_authz::crypto::{Algorithm, HostCheck, HostSignatures};

/// Signature verification with AWS-LC. Its form of a key is stored with the key.
#[derive(Clone, Copy, Debug, Default)]
pub struct Signatures;

impl HostSignatures for Signatures {
    /// Returns `None` if AWS-LC lacks the algorithm or does not accept the key.
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let (place, algorithm) = algorithm(check.algorithm())?;
        let key: &ParsedKey = check.prepared(ParsedKey::default)?;
        let parse = || ParsedPublicKey::new(algorithm, check.spki_der()).ok();
        let key = key.0.get(place)?.get_or_init(parse).as_ref()?;
        let verified = key.verify_sig(check.message(), check.signature());
        Some(verified.is_ok())
    }
}

/// A key in AWS-LC's form, once for each algorithm that was used: up to six for an RSA
/// key, and one for the others. `None` if AWS-LC does not accept the key.
#[derive(Debug, Default)]
struct ParsedKey([OnceLock<Option<ParsedPublicKey>>; PLACES]);

const PLACES: usize = 6;

/// The index of an algorithm among those of a key, and AWS-LC's implementation of it.
fn algorithm(algorithm: Algorithm) -> Option<(usize, &'static dyn VerificationAlgorithm)> {
    let found: (usize, &'static dyn VerificationAlgorithm) = match algorithm {
        Algorithm::Rs256 => (0, &RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => (1, &RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => (2, &RSA_PKCS1_2048_8192_SHA512),
        // The salt is as long as the hash, and the mask uses the same hash.
        Algorithm::Ps256 => (3, &RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => (4, &RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => (5, &RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => (0, &ECDSA_P256_SHA256_ASN1),
        Algorithm::Es384 => (0, &ECDSA_P384_SHA384_ASN1),
        Algorithm::Es512 => (0, &ECDSA_P521_SHA512_ASN1),
        Algorithm::EdDsa => (0, &ED25519),
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => return None,
    };
    Some(found)
}
