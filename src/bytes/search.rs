//! Searches of text for forbidden bytes.

/// A word that consists of this byte.
const fn all(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

const HIGH_BITS: u64 = all(0x80);

/// The result has the high bit of some byte set if and only if some byte of `word` is
/// less than `least`, which is at most 0x80.
const fn below(word: u64, least: u8) -> u64 {
    word.wrapping_sub(all(least)) & !word & HIGH_BITS
}

/// The result has the high bit of some byte set if and only if some byte of `word` is
/// 0x7F or more.
const fn above_printable(word: u64) -> u64 {
    (word.wrapping_add(all(1)) | word) & HIGH_BITS
}

/// The place of the first such byte.
#[must_use]
pub fn find(text: &[u8], byte: u8) -> Option<usize> {
    let (words, rest) = text.as_chunks();
    let mut at = 0_usize;
    for word in words {
        // A borrow marks only bytes after one that is marked rightly.
        let found = below(u64::from_le_bytes(*word) ^ all(byte), 1);
        if found != 0 {
            let before = usize::try_from(found.trailing_zeros() / 8).ok()?;
            return at.checked_add(before);
        }
        at = at.checked_add(word.len())?;
    }
    let before = rest.iter().position(|known| *known == byte)?;
    at.checked_add(before)
}

/// Whether every byte is a visible ASCII character, and none is one of these two.
#[must_use]
pub fn are_visible_without(text: &[u8], [one, other]: [u8; 2]) -> bool {
    let (words, rest) = text.as_chunks();
    let found = words.iter().fold(0, |found, word| {
        let word = u64::from_ne_bytes(*word);
        let excluded = below(word ^ all(one), 1) | below(word ^ all(other), 1);
        found | below(word, b'!') | above_printable(word) | excluded
    });
    let is_good = |byte: &u8| matches!(byte, b'!'..=b'~') && *byte != one && *byte != other;
    found == 0 && rest.iter().all(is_good)
}

/// Whether every byte is ASCII and none is a control character.
#[must_use]
pub fn are_printable(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let found = words.iter().fold(0, |found, word| {
        let word = u64::from_ne_bytes(*word);
        found | below(word, b' ') | above_printable(word)
    });
    found == 0 && rest.iter().all(|byte| matches!(byte, b' '..=b'~'))
}

/// Whether no byte is a comma, a blank or an ASCII control character other than DEL.
#[must_use]
pub fn are_unseparated(text: &[u8]) -> bool {
    let (words, rest) = text.as_chunks();
    let found = words.iter().fold(0, |found, word| {
        let word = u64::from_ne_bytes(*word);
        found | below(word, b'!') | below(word ^ all(b','), 1)
    });
    found == 0 && rest.iter().all(|byte| *byte >= b'!' && *byte != b',')
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Calls `check` with every byte at every position of texts of every length up to
    /// three words.
    fn each_byte_at_each_place(check: impl Fn(&[u8])) {
        for length in 0..=24 {
            let mut text = vec![b'a'; length];
            check(&text);
            for at in 0..length {
                for byte in 0..=u8::MAX {
                    text[at] = byte;
                    check(&text);
                }
                text[at] = b'a';
            }
        }
    }

    #[test]
    fn text_is_printable_if_each_byte_is() {
        each_byte_at_each_place(|text| {
            let expected = text.iter().all(|byte| (b' '..=b'~').contains(byte));
            assert_eq!(are_printable(text), expected, "{text:?}");
        });
        // A carry out of one byte must not affect the next.
        for (text, expected) in [(b"\xff\x7eaaaaaa", false), (b"~~~~~~~~", true)] {
            assert_eq!(are_printable(text), expected, "{text:?}");
        }
    }

    #[test]
    fn the_first_byte_is_found() {
        each_byte_at_each_place(|text| {
            for byte in [b'a', b' ', 0, 0xff, 0x80] {
                let expected = text.iter().position(|known| *known == byte);
                assert_eq!(find(text, byte), expected, "{byte}: {text:?}");
            }
        });
        assert_eq!(find(b"xx\x01\0\0\x01xxx", 0), Some(3));
        assert_eq!(find(b"xxxxxxxxx b c", b' '), Some(9));
    }

    #[test]
    fn text_is_visible_if_each_byte_is() {
        each_byte_at_each_place(|text| {
            let is_good = |byte: &u8| byte.is_ascii_graphic() && *byte != b'#' && *byte != b'\\';
            let expected = text.iter().all(is_good);
            assert_eq!(are_visible_without(text, *b"#\\"), expected, "{text:?}");
        });
    }

    #[test]
    fn text_is_unseparated_if_no_byte_separates() {
        each_byte_at_each_place(|text| {
            let separates = |byte: &u8| *byte <= b' ' || *byte == b',';
            let expected = !text.iter().any(separates);
            assert_eq!(are_unseparated(text), expected, "{text:?}");
        });
    }
}
