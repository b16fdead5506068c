//! What key sets take.

use crate::memory::Need;

/// What reading a document takes besides it, in bytes for each of its bytes: at
/// most, in a document that is made for that. `tests/key_set_memory.rs` measures it.
const PER_BYTE: usize = 16;
/// The same in one block.
const BLOCK_PER_BYTE: usize = 8;
/// What it takes in any case.
const SMALL: usize = 16 * 1024;

/// What a key takes that is kept, besides what is longer in longer keys.
const KEPT_PER_KEY: usize = 512;
/// What is longer: an RSA key's modulus is kept in several forms.
const KEPT_PER_BYTE: usize = 4;

/// The most memory that reading a key set of so many bytes takes, the set that is
/// kept included and the document itself not.
#[must_use]
pub const fn memory_needed(document: usize) -> Need {
    let block = document.saturating_mul(BLOCK_PER_BYTE);
    Need::block(block.saturating_add(SMALL)).and(document.saturating_mul(PER_BYTE - BLOCK_PER_BYTE))
}

/// The most memory that so many keys take which are kept, however short they are.
pub(super) const fn kept_by(keys: usize) -> usize {
    keys.saturating_mul(KEPT_PER_KEY)
}

/// The same that a key of so long a text takes besides.
pub(super) const fn kept_of(text: usize) -> usize {
    text.saturating_mul(KEPT_PER_BYTE)
}
