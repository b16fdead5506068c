//! Signature verification by the host, which may be faster.

use std::any::Any;
use std::borrow::Cow;
use std::sync::OnceLock;

use super::Algorithm;
use super::seam::Never;

/// The host's own verification of signatures. It is not called for HMAC.
pub trait HostSignatures {
    /// Verifies one signature. Returns `None` if the host has no such function or cannot
    /// use this key; in this case the module verifies the signature itself.
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool>;
}

/// A host without its own verification.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoHostSignatures;

impl HostSignatures for NoHostSignatures {
    fn verify(&self, _: &HostCheck<'_>) -> Option<bool> {
        None
    }
}

/// A signature to verify, in the form that hosts expect. The core has checked that the
/// key fits the algorithm and is strong enough, and that the length and the range of the
/// signature are correct.
pub struct HostCheck<'c> {
    algorithm: Algorithm,
    key: &'c ExportedKey,
    signature: Cow<'c, [u8]>,
    message: &'c [u8],
}

impl HostCheck<'_> {
    /// The algorithm of the signature. It is never symmetric.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        self.algorithm
    }

    /// The key as a DER `SubjectPublicKeyInfo` (RFC 3279 section 2.3.1, RFC 5480
    /// section 2, RFC 8410 section 4).
    #[must_use]
    pub fn spki_der(&self) -> &[u8] {
        &self.key.spki_der
    }

    /// A DER `ECDSA-Sig-Value` for a key on a NIST curve, otherwise the bytes of the
    /// token.
    #[must_use]
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// The signed text, not its hash.
    #[must_use]
    pub const fn message(&self) -> &[u8] {
        self.message
    }

    /// The host's own form of the key. It is prepared for the first signature that is
    /// verified with the key, and stored as long as the key or a copy of it exists.
    /// Returns `None` if another host has stored a value of another type.
    ///
    /// A key is prepared once, so the memory depends on the publisher of the keys and not
    /// on clients. The value should not be larger than a few times the key.
    pub fn prepared<T: Send + Sync + 'static>(&self, prepare: impl FnOnce() -> T) -> Option<&T> {
        let prepared = self.key.prepared.get_or_init(|| Box::new(prepare()));
        prepared.downcast_ref()
    }
}

/// A key in the form that hosts expect.
pub(super) struct ExportedKey {
    spki_der: Box<[u8]>,
    /// The host's own form of the key.
    prepared: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl ExportedKey {
    /// Makes the key from a DER `SubjectPublicKeyInfo`.
    pub(super) const fn new(spki_der: Box<[u8]>) -> Self {
        Self {
            spki_der,
            prepared: OnceLock::new(),
        }
    }
}

/// An algorithm that a host may also implement.
pub(super) trait Exportable: jwt_compact::Algorithm<SigningKey = Never> {
    /// The name of the algorithm.
    fn algorithm(&self) -> Algorithm;

    /// The key in the form that hosts expect.
    fn exported(key: &Self::VerifyingKey) -> &ExportedKey;

    /// The signature in the form that hosts expect.
    fn export(signature: &Self::Signature) -> Cow<'_, [u8]>;

    /// Whether the module verifies faster than hosts with this key.
    fn is_faster(key: &Self::VerifyingKey) -> bool;

    /// Whether the length and the range of the signature are correct for the key. Hosts
    /// may accept more than this module.
    fn admits(key: &Self::VerifyingKey, signature: &Self::Signature) -> bool;
}

/// An algorithm that the host verifies, unless the module is faster.
pub(super) struct HostFirst<'n, A> {
    pub(super) algorithm: A,
    pub(super) host_signatures: &'n dyn HostSignatures,
}

impl<A: Exportable> jwt_compact::Algorithm for HostFirst<'_, A> {
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
        let check = HostCheck {
            algorithm: self.algorithm.algorithm(),
            key: A::exported(key),
            signature: A::export(signature),
            message,
        };
        self.host_signatures
            .verify(&check)
            .unwrap_or_else(|| self.algorithm.verify_signature(signature, key, message))
    }
}
