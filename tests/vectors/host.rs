//! A host with signatures of its own: those of the hosts with native code.

use std::cell::Cell;

use edge_authz::crypto::{HostCheck, HostSignatures};
use edge_authz_native::Signatures;

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
