//! A host with signatures of its own: that of the dynamic module.

use std::cell::Cell;

use edge_authz::crypto::{Hash, HostSignatures};

#[path = "../../hosts/dynamic-module/src/signatures.rs"]
mod signatures;

use signatures::Signatures;

/// AWS-LC, and how often it is asked.
#[derive(Default)]
pub(crate) struct AwsLc {
    asked: Cell<usize>,
}

impl AwsLc {
    pub(crate) fn asked(&self) -> usize {
        self.asked.get()
    }
}

impl HostSignatures for AwsLc {
    fn verify(
        &self,
        hash: Hash,
        spki_der: &[u8],
        signature: &[u8],
        message: &[u8],
    ) -> Option<bool> {
        self.asked.set(self.asked.get() + 1);
        let verified = Signatures.verify(hash, spki_der, signature, message);
        assert!(verified.is_some(), "asked for what the host does not have");
        verified
    }
}
