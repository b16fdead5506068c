//! The memory of key sets.

use crate::memory::Need;

/// The memory for parsing a document, in bytes for each byte of the document. It is the
/// maximum for a document made for this purpose, which `tests/key_set_memory.rs`
/// measures.
const PER_BYTE: usize = 16;
/// The largest single allocation, in bytes for each byte of the document.
const BLOCK_PER_BYTE: usize = 8;
/// The fixed memory for parsing any document, in bytes.
const SMALL: usize = 16 * 1024;

/// The memory of a stored key, in bytes, without the part that depends on its length.
const KEPT_PER_KEY: usize = 512;
/// The part that depends on the length, in bytes for each byte: an RSA modulus is stored
/// in several forms.
const KEPT_PER_BYTE: usize = 4;

/// The maximum memory for parsing a key set of this size in bytes. It includes the stored
/// set, but not the document itself.
#[must_use]
pub const fn memory_needed(document: usize) -> Need {
    let block = document.saturating_mul(BLOCK_PER_BYTE);
    Need::block(block.saturating_add(SMALL)).and(document.saturating_mul(PER_BYTE - BLOCK_PER_BYTE))
}

/// The maximum memory of this number of stored keys, without the part that depends on
/// their length, in bytes.
pub(super) const fn kept_by(keys: usize) -> usize {
    keys.saturating_mul(KEPT_PER_KEY)
}

/// The part of a stored key that depends on the length of its text, in bytes.
pub(super) const fn kept_of(text: usize) -> usize {
    text.saturating_mul(KEPT_PER_BYTE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_document_needs_sixteen_times_its_size_half_of_it_in_one_block() {
        let need = memory_needed(1000);
        assert_eq!(need.block, 8000 + 16 * 1024);
        assert_eq!(need.all, 16_000 + 16 * 1024);
        assert_eq!(memory_needed(usize::MAX).all, usize::MAX);
    }
}
