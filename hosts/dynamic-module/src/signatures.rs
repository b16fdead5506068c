//! Signature checks by AWS-LC, whose arithmetic is written in assembly.
//!
//! It does only the arithmetic. The core has checked before that the key's type fits the
//! algorithm, and that the key is strong enough. Signatures that AWS-LC does not support
//! are checked by the core itself.

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, ECDSA_P521_SHA512_ASN1,
    RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_2048_8192_SHA384, RSA_PKCS1_2048_8192_SHA512,
    UnparsedPublicKey, VerificationAlgorithm,
};
use edge_authz::crypto::{Hash, HostSignatures};

/// Object identifiers, as they are in a `SubjectPublicKeyInfo`: `rsaEncryption` and the
/// curves (RFC 3279 section 2.3.1, RFC 5480 section 2.1.1.1).
const RSA: &[u8] = &[0x2A, 0x86, 0x48, 0x86, 0xF7, 0x0D, 0x01, 0x01, 0x01];
const P256: &[u8] = &[0x2A, 0x86, 0x48, 0xCE, 0x3D, 0x03, 0x01, 0x07];
const P384: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x22];
const P521: &[u8] = &[0x2B, 0x81, 0x04, 0x00, 0x23];

/// The part of the key's encoding that is searched for the identifiers, in bytes. What
/// follows is the key itself, which could contain any bytes.
const HEAD: usize = 32;

/// The checks by AWS-LC. They keep no state.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Signatures;

impl HostSignatures for Signatures {
    fn verify(
        &self,
        hash: Hash,
        spki_der: &[u8],
        signature: &[u8],
        message: &[u8],
    ) -> Option<bool> {
        let head = spki_der.get(..HEAD)?;
        let is = |identifier: &[u8]| {
            head.windows(identifier.len())
                .any(|part| part == identifier)
        };
        let algorithm: &'static dyn VerificationAlgorithm = match hash {
            Hash::Sha256 if is(RSA) => &RSA_PKCS1_2048_8192_SHA256,
            Hash::Sha384 if is(RSA) => &RSA_PKCS1_2048_8192_SHA384,
            Hash::Sha512 if is(RSA) => &RSA_PKCS1_2048_8192_SHA512,
            Hash::Sha256 if is(P256) => &ECDSA_P256_SHA256_ASN1,
            Hash::Sha384 if is(P384) => &ECDSA_P384_SHA384_ASN1,
            Hash::Sha512 if is(P521) => &ECDSA_P521_SHA512_ASN1,
            Hash::Sha256 | Hash::Sha384 | Hash::Sha512 => return None,
        };
        let key = UnparsedPublicKey::new(algorithm, spki_der);
        Some(key.verify(message, signature).is_ok())
    }
}
