use super::*;

fn algorithm(hash: Hash) -> Algorithm {
    match hash {
        Hash::Sha256 => Algorithm::Ps256,
        Hash::Sha384 => Algorithm::Ps384,
        Hash::Sha512 => Algorithm::Ps512,
    }
}

/// EMSA-PSS-ENCODE (RFC 8017 section 9.1.1), with all possible errors.
struct Encoding {
    hash: Hash,
    mask_hash: Hash,
    salt: Vec<u8>,
    /// The bytes between the zeros and the salt.
    separator: Vec<u8>,
    /// A mask for the first byte before the zeros are masked.
    first_zero: u8,
    /// A mask for the first byte of the message.
    first: u8,
    trailer: u8,
}

impl Encoding {
    fn new(hash: Hash) -> Self {
        Self {
            hash,
            mask_hash: hash,
            salt: (1..).take(hash.length()).collect(),
            separator: vec![1],
            first_zero: 0,
            first: 0,
            trailer: 0xBC,
        }
    }

    fn encode(&self, forger: &Forger, message: &[u8]) -> Vec<u8> {
        let bits = forger.bits - 1;
        let octets = bits.div_ceil(8);
        let digest = self.hash.digest(&[message]);
        let salted = self.hash.digest(&[&[0; 8], &digest, &self.salt]);
        let end = [&self.separator[..], &self.salt].concat();
        let mut block = vec![0; octets - salted.len() - 1 - end.len()];
        block.extend(end);
        block[0] ^= self.first_zero;
        let length = self.mask_hash.length();
        for (counter, part) in (0_u32..).zip(block.chunks_mut(length)) {
            let mask = self.mask_hash.digest(&[&salted, &counter.to_be_bytes()]);
            part.iter_mut()
                .zip(mask)
                .for_each(|(octet, mask)| *octet ^= mask);
        }
        block[0] &= 0xFF >> (8 * octets - bits);
        block[0] ^= self.first;
        let encoded = [&block[..], &salted, &[self.trailer]].concat();
        [vec![0; forger.octets() - octets], encoded].concat()
    }

    #[track_caller]
    fn judge(&self, forger: &Forger, expected: bool) {
        let encoded = self.encode(forger, MESSAGE);
        // A number that is not less than the modulus is not a message.
        if encoded < forger.n {
            let signature = forger.sign(&encoded);
            forger.judge(algorithm(self.hash), MESSAGE, &signature, expected);
        } else {
            assert!(!expected);
        }
    }
}

#[test]
fn signatures_of_every_size_and_exponent_verify() {
    for forger in Forger::each() {
        for hash in HASHES {
            let signature = forger.sign(&Encoding::new(hash).encode(&forger, MESSAGE));
            forger.judge(algorithm(hash), MESSAGE, &signature, true);
            forger.judge(algorithm(hash), b"header.other", &signature, false);
            for other in HASHES.into_iter().filter(|other| *other != hash) {
                forger.judge(algorithm(other), MESSAGE, &signature, false);
            }
        }
    }
}

#[test]
fn no_bit_of_a_signature_can_change() {
    for prime in [PRIMES[0], PRIMES[1]] {
        let forger = Forger::new(prime, 65_537);
        let good = forger.sign(&Encoding::new(Hash::Sha256).encode(&forger, MESSAGE));
        forger.judge(Algorithm::Ps256, MESSAGE, &good, true);
        for flipped in flipped(&good) {
            assert!(!forger.verify(Algorithm::Ps256, MESSAGE, &flipped));
        }
    }
}

#[test]
fn an_encoding_that_is_not_the_expected_one_is_refused() {
    for prime in PRIMES {
        let forger = Forger::new(prime, 17);
        for hash in HASHES {
            refuse_encodings(&forger, hash);
        }
    }
}

fn refuse_encodings(forger: &Forger, hash: Hash) {
    let good = || Encoding::new(hash);
    let length = hash.length();
    good().judge(forger, true);
    for salt in [0, 1, 20, length - 1, length + 1] {
        let salt = vec![7; salt];
        Encoding { salt, ..good() }.judge(forger, false);
    }
    for trailer in [0x00, 0xBD, 0xCC, 0x3C, 0xFF] {
        Encoding { trailer, ..good() }.judge(forger, false);
    }
    for separator in [&[][..], &[0], &[2], &[0x81], &[1, 0], &[1, 1], &[3, 1]] {
        let separator = separator.to_vec();
        Encoding {
            separator,
            ..good()
        }
        .judge(forger, false);
    }
    // The lowest bit of the first byte is always part of the block.
    let first_zero = 1;
    Encoding {
        first_zero,
        ..good()
    }
    .judge(forger, false);
    for bit in 0..8 {
        let first = 1 << bit;
        Encoding { first, ..good() }.judge(forger, false);
    }
    for mask_hash in HASHES.into_iter().filter(|other| *other != hash) {
        Encoding {
            mask_hash,
            ..good()
        }
        .judge(forger, false);
    }
}

/// If the encoded message is shorter than the modulus, the byte before it must be zero.
/// In this modulus that byte is one, so a smaller number can have a one there too.
#[test]
fn a_number_that_is_too_large_for_the_encoding_is_refused() {
    let forger = Forger::new(PRIMES[1], 65_537);
    let mut encoded = Encoding::new(Hash::Sha256).encode(&forger, MESSAGE);
    assert_eq!((encoded.len(), encoded[0]), (257, 0));
    assert_eq!(forger.n[..2], [1, 0]);
    encoded[0] = 1;
    // The modulus is one, zeros, and a small number. Only zeros would be less.
    assert!(encoded > forger.n);
    let key = super::super::padding::is_pss;
    let digest = Hash::Sha256.digest(&[MESSAGE]);
    assert!(!key(&encoded, 2049, Hash::Sha256, &digest));
    encoded[0] = 0;
    assert!(key(&encoded, 2049, Hash::Sha256, &digest));
    // A number that is too short is refused too.
    assert!(!key(&encoded[1..], 2056, Hash::Sha256, &digest));
    for length in 0..encoded.len() {
        for bits in [0, 1, 8, 9, 512, 2049] {
            assert!(!key(&encoded[..length], bits, Hash::Sha512, &digest));
        }
    }
}
