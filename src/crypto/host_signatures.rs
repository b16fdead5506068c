//! Signature verification by the host, which may be faster.

use std::borrow::Cow;

use jwt_compact::Algorithm;

use super::Hash;
use super::seam::Never;

/// The host's own verification of RSASSA-PKCS1-v1_5 and ECDSA signatures. It is not
/// called for other algorithms.
pub trait HostSignatures {
    /// Verifies one signature. Returns `None` if the host has no such function or cannot
    /// use these arguments; in this case the module verifies the signature itself.
    ///
    /// `spki_der` is the key as a DER `SubjectPublicKeyInfo`. `signature` is the plain
    /// number for an RSA key, and a DER `ECDSA-Sig-Value` for an elliptic-curve key.
    /// `message` is the signed text, not its hash.
    fn verify(&self, hash: Hash, spki_der: &[u8], signature: &[u8], message: &[u8])
    -> Option<bool>;
}

/// A host without such a function.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHostSignatures;

impl HostSignatures for NoHostSignatures {
    fn verify(&self, _: Hash, _: &[u8], _: &[u8], _: &[u8]) -> Option<bool> {
        None
    }
}

/// An algorithm that a host may also implement.
pub(super) trait Exportable: Algorithm<SigningKey = Never> {
    /// The hash of the algorithm.
    fn hash(&self) -> Hash;

    /// The key as a DER `SubjectPublicKeyInfo`.
    fn spki(key: &Self::VerifyingKey) -> &[u8];

    /// The signature in the form that hosts expect.
    fn export(signature: &Self::Signature) -> Cow<'_, [u8]>;

    /// Whether the module verifies faster than hosts with this key.
    fn is_faster(key: &Self::VerifyingKey) -> bool;

    /// Whether the length and the range of the signature are correct for the key. Hosts
    /// may accept more than RFC 7518 allows.
    fn admits(key: &Self::VerifyingKey, signature: &Self::Signature) -> bool;
}

/// An algorithm that the host verifies, unless the module is faster.
pub(super) struct HostFirst<'n, A> {
    pub(super) algorithm: A,
    pub(super) host_signatures: &'n dyn HostSignatures,
}

impl<A: Exportable> Algorithm for HostFirst<'_, A> {
    type SigningKey = Never;
    type VerifyingKey = A::VerifyingKey;
    type Signature = A::Signature;

    fn name(&self) -> Cow<'static, str> {
        self.algorithm.name()
    }

    fn sign(&self, key: &Never, _: &[u8]) -> A::Signature {
        match *key {}
    }

    fn verify_signature(
        &self,
        signature: &A::Signature,
        key: &A::VerifyingKey,
        message: &[u8],
    ) -> bool {
        if !A::admits(key, signature) {
            return false;
        }
        if A::is_faster(key) {
            return self.algorithm.verify_signature(signature, key, message);
        }
        self.host_signatures
            .verify(
                self.algorithm.hash(),
                A::spki(key),
                &A::export(signature),
                message,
            )
            .unwrap_or_else(|| self.algorithm.verify_signature(signature, key, message))
    }
}
