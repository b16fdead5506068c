//! A host with signatures of its own: that of the dynamic module.

use std::cell::Cell;

use edge_authz::crypto::{HostCheck, HostSignatures};

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
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        self.asked.set(self.asked.get() + 1);
        let verified = Signatures.verify(check);
        assert!(verified.is_some(), "asked for what the host does not have");
        verified
    }
}
