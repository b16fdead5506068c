//! The encoded messages that a signature must contain (RFC 8017 section 9).

use crate::crypto::Hash;

/// The bytes before the PKCS #1 hash without the padding: two before it and one after it.
/// The padding has at least eight bytes (RFC 8017 section 9.2 step 3).
const PKCS1_FRAME: usize = 3;
const PKCS1_PADDING: usize = 8;

/// The last byte of every encoded message of PSS.
const PSS_TRAILER: u8 = 0xBC;

/// Whether `encoded` is the EMSA-PKCS1-v1_5 encoding of a message with this `digest`, as
/// long as the modulus.
///
/// There is exactly one encoding. It is computed and compared as a whole (RFC 8017
/// section 8.2.2). A verifier that parses the padding and stops after the hash accepts
/// forged signatures if the exponent is 3 (Bleichenbacher 2006, and many libraries
/// since).
pub(super) fn is_pkcs1(encoded: &[u8], hash: Hash, digest: &[u8]) -> bool {
    let info = digest_info(hash);
    let Some(padding) = encoded
        .len()
        .checked_sub(PKCS1_FRAME)
        .and_then(|left| left.checked_sub(info.len()))
        .and_then(|left| left.checked_sub(digest.len()))
        .filter(|padding| *padding >= PKCS1_PADDING)
    else {
        return false;
    };
    let mut expected = vec![0x00, 0x01];
    expected.extend(std::iter::repeat_n(0xFF, padding));
    expected.push(0x00);
    expected.extend_from_slice(info);
    expected.extend_from_slice(digest);
    encoded == expected
}

/// A `DigestInfo` up to its digest (RFC 8017 section 9.2 note 1), in DER and with NULL
/// parameters. No other form is accepted.
const fn digest_info(hash: Hash) -> &'static [u8] {
    match hash {
        Hash::Sha256 => &[
            0x30, 0x31, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x01, 0x05, 0x00, 0x04, 0x20,
        ],
        Hash::Sha384 => &[
            0x30, 0x41, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x02, 0x05, 0x00, 0x04, 0x30,
        ],
        Hash::Sha512 => &[
            0x30, 0x51, 0x30, 0x0D, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02,
            0x03, 0x05, 0x00, 0x04, 0x40,
        ],
    }
}

/// Whether `encoded`, as long as a modulus with this number of bits, is an EMSA-PSS
/// encoding of a message with this `digest`. It must use the same hash for all purposes
/// and a salt as long as the hash (RFC 7518 section 3.5).
pub(super) fn is_pss(encoded: &[u8], modulus_bits: usize, hash: Hash, digest: &[u8]) -> bool {
    digest_of_salted(encoded, modulus_bits, hash, digest).is_some_and(|(found, expected)| {
        // RFC 8017 section 9.1.2 step 14.
        found == &*expected
    })
}

/// Returns the hash in the encoded message and the expected hash. The steps are those of
/// RFC 8017 section 9.1.2 that can fail here. Step 3 cannot, because a modulus of 2048
/// bits has room for two hashes of 512 bits.
fn digest_of_salted<'e>(
    encoded: &'e [u8],
    modulus_bits: usize,
    hash: Hash,
    digest: &[u8],
) -> Option<(&'e [u8], Box<[u8]>)> {
    let bits = modulus_bits.checked_sub(1)?;
    // If this is a multiple of 8, the encoded message is one byte shorter than the
    // modulus. A longer one is invalid (section 8.1.2 step 2c).
    let encoded = match encoded.len().checked_sub(bits.div_ceil(8))? {
        0 => encoded,
        1 => encoded.strip_prefix(&[0])?,
        _ => return None,
    };
    let encoded = encoded.strip_suffix(&[PSS_TRAILER])?;
    let (masked, found) = encoded.split_at_checked(encoded.len().checked_sub(hash.length())?)?;
    // The number of bits in the first byte that are not part of the message.
    let unused = u32::try_from(bits.div_ceil(8).checked_mul(8)?.checked_sub(bits)?).ok()?;
    let used = 0xFF_u8.checked_shr(unused)?;
    if masked.first()? & !used != 0 {
        return None;
    }
    let mut block = masked.to_vec();
    unmask(&mut block, hash, found);
    *block.first_mut()? &= used;
    let (padding, salt) = block.split_at_checked(block.len().checked_sub(hash.length())?)?;
    let zeros = padding.strip_suffix(&[1])?;
    if zeros.iter().any(|octet| *octet != 0) {
        return None;
    }
    Some((found, hash.digest(&[&[0; 8], digest, salt])))
}

/// Applies MGF1 (RFC 8017 appendix B.2.1) to `block` in place.
fn unmask(block: &mut [u8], hash: Hash, seed: &[u8]) {
    for (counter, part) in (0_u32..).zip(block.chunks_mut(hash.length())) {
        let mask = hash.digest(&[seed, &counter.to_be_bytes()]);
        for (octet, mask) in part.iter_mut().zip(mask) {
            *octet ^= mask;
        }
    }
}
