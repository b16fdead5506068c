//! Comparison of secrets.

/// Whether two texts are equal. It reads both completely, so that the time does not
/// reveal where they differ.
#[must_use]
pub fn are_same(a: &[u8], b: &[u8]) -> bool {
    let (a_blocks, a_rest) = a.as_chunks::<32>();
    let (b_blocks, b_rest) = b.as_chunks::<32>();
    let (a_words, a_end) = a_rest.as_chunks::<8>();
    let (b_words, b_end) = b_rest.as_chunks::<8>();
    let differ = |a: &[u8; 8], b: &[u8; 8]| u64::from_ne_bytes(*a) ^ u64::from_ne_bytes(*b);
    let blocks = a_blocks.iter().zip(b_blocks).fold(0, |found, (a, b)| {
        let ([a0, a1, a2, a3], []) = a.as_chunks::<8>() else {
            return !0;
        };
        let ([b0, b1, b2, b3], []) = b.as_chunks::<8>() else {
            return !0;
        };
        found | differ(a0, b0) | differ(a1, b1) | differ(a2, b2) | differ(a3, b3)
    });
    let words = a_words.iter().zip(b_words);
    let words = words.fold(blocks, |found, (a, b)| found | differ(a, b));
    let ends = a_end.iter().zip(b_end);
    let ends = ends.fold(0, |found, (a, b)| found | (a ^ b));
    a.len() == b.len() && words == 0 && ends == 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_the_same_only_byte_for_byte() {
        for length in 0..80 {
            let text: Vec<u8> = (0..length).collect();
            assert!(are_same(&text, &text.clone()));
            let longer = [&text[..], b"x"].concat();
            assert!(!are_same(&text, &longer) && !are_same(&longer, &text));
            for at in 0..text.len() {
                for bit in [1, 0x80] {
                    let mut other = text.clone();
                    other[at] ^= bit;
                    assert!(!are_same(&text, &other), "{length} bytes, byte {at}");
                }
            }
        }
    }
}
