//! The proofs of possession that were used in this process, and the keys of its nonces.

use std::num::NonZero;
use std::sync::{Arc, LazyLock};
use std::thread;

use aws_lc_rs::rand;
use edge_authz::engine::{NoRandomness, NonceStore, ProofMemory, Proofs};

static PROOFS: LazyLock<Proofs> = LazyLock::new(|| {
    let threads = thread::available_parallelism().map_or(1, NonZero::get);
    let memory = ProofMemory::new(ProofMemory::MAX_OF_PROCESS, threads);
    Proofs::new(Arc::new(memory), Arc::new(NonceStore::new(random)))
});

/// Fills a secret with random bytes.
fn random(secret: &mut [u8; 32]) -> Result<(), NoRandomness> {
    rand::fill(secret).map_err(|_| NoRandomness)
}

/// The memory that all listeners and all configurations share, so that a proof which one
/// of them has accepted cannot be used again.
#[must_use]
pub fn of_process() -> &'static Proofs {
    &PROOFS
}
