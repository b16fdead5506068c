//! The C function `memcmp`, which every comparison of texts calls.
//!
//! The target's own library compares byte by byte. That was a seventh of the instructions
//! of a request with a remembered token.

use std::cmp::Ordering;

/// Replaces the C library's function in the module.
///
/// # Safety
///
/// As in C: `size` bytes can be read at both places.
#[cfg(target_family = "wasm")]
#[unsafe(no_mangle)]
unsafe extern "C" fn memcmp(one: *const u8, other: *const u8, size: usize) -> i32 {
    // SAFETY: as the caller says.
    match unsafe { compare(one, other, size) } {
        Ordering::Less => -1,
        Ordering::Equal => 0,
        Ordering::Greater => 1,
    }
}

/// Compares `size` bytes at two places, eight at a time. The last eight may overlap the
/// eight before, which are the same at both places. It must not compare slices, which
/// would call `memcmp`.
///
/// # Safety
///
/// `size` bytes can be read at both places.
unsafe fn compare(one: *const u8, other: *const u8, size: usize) -> Ordering {
    // SAFETY, of all three: the callers below pass offsets at which so many bytes are
    // left.
    let eight = |at: usize| unsafe {
        let (a, b) = (
            one.add(at).cast::<[u8; 8]>(),
            other.add(at).cast::<[u8; 8]>(),
        );
        (u64::from_ne_bytes(a.read()), u64::from_ne_bytes(b.read()))
    };
    let four = |at: usize| unsafe {
        let (a, b) = (
            one.add(at).cast::<[u8; 4]>(),
            other.add(at).cast::<[u8; 4]>(),
        );
        (u32::from_be_bytes(a.read()), u32::from_be_bytes(b.read()))
    };
    let byte = |at: usize| unsafe { (one.add(at).read(), other.add(at).read()) };
    if let Some(last) = size.checked_sub(8) {
        let mut at = 0_usize;
        loop {
            let (a, b) = eight(at);
            if a != b {
                return a.to_be().cmp(&b.to_be());
            }
            if at >= last {
                return Ordering::Equal;
            }
            at = at.saturating_add(8).min(last);
        }
    }
    if let Some(last) = size.checked_sub(4) {
        let ((a, b), (c, d)) = (four(0), four(last));
        return a.cmp(&b).then(c.cmp(&d));
    }
    for at in 0..size {
        let (a, b) = byte(at);
        if a != b {
            return a.cmp(&b);
        }
    }
    Ordering::Equal
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(one: &[u8], other: &[u8]) -> Ordering {
        assert_eq!(one.len(), other.len());
        // SAFETY: so many bytes are in both slices.
        unsafe { compare(one.as_ptr(), other.as_ptr(), one.len()) }
    }

    #[test]
    fn texts_have_the_order_of_their_first_different_bytes() {
        for length in 0..40_u8 {
            let text: Vec<u8> = (100..).take(length.into()).collect();
            assert_eq!(of(&text, &text.clone()), Ordering::Equal);
            for at in 0..text.len() {
                for byte in [0, 99, 127, 128, 255] {
                    let mut other = text.clone();
                    other[at] = byte;
                    // Later bytes do not count.
                    if let Some(after) = other.get_mut(at + 1) {
                        *after = !byte;
                    }
                    assert_eq!(of(&text, &other), text.cmp(&other), "{length}: {at}");
                    assert_eq!(of(&other, &text), other.cmp(&text), "{length}: {at}");
                }
            }
        }
    }
}
