//! Signature checks that the host may do faster.

use std::borrow::Cow;

use jwt_compact::Algorithm;

use super::Hash;
use super::seam::Never;

/// The host's own verification of RSASSA-PKCS1-v1_5 and ECDSA signatures.
/// Other algorithms are never asked for.
pub trait HostSignatures {
    /// Verifies one signature, or returns `None` when the host has no such
    /// function or cannot use these arguments; the module then verifies
    /// itself.
    ///
    /// `spki_der` is the key as a DER `SubjectPublicKeyInfo`. `signature` is
    /// the bare number for an RSA key, a DER `ECDSA-Sig-Value` for one on a
    /// curve. `message` is the text that was signed, not its hash.
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

/// An algorithm that a host may have, too.
pub(super) trait Exportable: Algorithm<SigningKey = Never> {
    /// The hash it is used with.
    fn hash(&self) -> Hash;

    /// The key as a DER `SubjectPublicKeyInfo`.
    fn spki(key: &Self::VerifyingKey) -> &[u8];

    /// The signature in the form that hosts take.
    fn export(signature: &Self::Signature) -> Cow<'_, [u8]>;

    /// Whether a check with this key is faster here than where hosts do it.
    fn is_faster(key: &Self::VerifyingKey) -> bool;

    /// Whether the signature's length and range are right for the key. Hosts
    /// may be more generous than RFC 7518.
    fn admits(key: &Self::VerifyingKey, signature: &Self::Signature) -> bool;
}

/// An algorithm for which the host is asked first, unless the module is faster.
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
