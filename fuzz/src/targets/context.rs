//! A context in which no key is known and nothing is remembered.

use std::sync::Arc;

use edge_authz::authz::{
    Context, CurrentKeys, Keys, NoConnection, NoUsedProofs, Remembered, Verifications,
};
use edge_authz::crypto::NoHostSignatures;
use edge_authz::jwk::AskedKid;
use edge_authz::policy::SourceId;
use edge_authz::time::UnixTime;

/// The context of a request that arrives now.
pub(super) fn context(now: UnixTime) -> Context<'static> {
    Context {
        keys: &Nothing,
        remembered: &Nothing,
        host_signatures: &NoHostSignatures,
        connection: &NoConnection,
        proofs: &NoUsedProofs,
        arrived: now,
        now,
    }
}

struct Nothing;

impl Keys for Nothing {
    fn keys(&self, _: SourceId) -> Option<CurrentKeys<'_>> {
        None
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

impl Remembered for Nothing {
    fn recall(&self, _: &[u8]) -> Option<Arc<Verifications>> {
        None
    }
}
