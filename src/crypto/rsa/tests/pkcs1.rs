use super::*;

fn algorithm(hash: Hash) -> Algorithm {
    match hash {
        Hash::Sha256 => Algorithm::Rs256,
        Hash::Sha384 => Algorithm::Rs384,
        Hash::Sha512 => Algorithm::Rs512,
    }
}

/// A DER element.
fn der(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u8::try_from(content.len()).unwrap();
    assert!(length < 0x80);
    [&[tag, length], content].concat()
}

/// The object identifier of the hash algorithm, as a DER element.
fn identifier(hash: Hash) -> Vec<u8> {
    let last = match hash {
        Hash::Sha256 => 1,
        Hash::Sha384 => 2,
        Hash::Sha512 => 3,
    };
    der(6, &[0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, last])
}

/// A `DigestInfo` with these parameters.
fn info(hash: Hash, parameters: &[u8], message: &[u8]) -> Vec<u8> {
    let algorithm = der(0x30, &[&identifier(hash), parameters].concat());
    let digest = der(4, &hash.digest(&[message]));
    der(0x30, &[algorithm, digest].concat())
}

fn good_info(hash: Hash) -> Vec<u8> {
    info(hash, &[5, 0], MESSAGE)
}

/// Padding before content that may be longer or shorter than it should be.
fn padded(octets: usize, info: &[u8]) -> Vec<u8> {
    let padding = vec![0xFF; octets - 3 - info.len()];
    [&[0, 1], &padding[..], &[0], info].concat()
}

#[test]
fn signatures_of_every_size_and_exponent_verify() {
    for forger in Forger::each() {
        for hash in HASHES {
            let signature = forger.sign(&padded(forger.octets(), &good_info(hash)));
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
        let good = forger.sign(&padded(forger.octets(), &good_info(Hash::Sha256)));
        forger.judge(Algorithm::Rs256, MESSAGE, &good, true);
        for flipped in flipped(&good) {
            assert!(!forger.verify(Algorithm::Rs256, MESSAGE, &flipped));
        }
    }
}

/// A signature and the same signature plus the modulus have the same power.
#[test]
fn a_signature_is_less_than_the_modulus() {
    let forger = Forger::new(PRIMES[1], 3);
    let good = forger.sign(&padded(forger.octets(), &good_info(Hash::Sha256)));
    let mut more = good.clone();
    let mut carry = 0;
    for (octet, n) in more.iter_mut().zip(&forger.n).rev() {
        let sum = u16::from(*octet) + u16::from(*n) + carry;
        [_, *octet] = sum.to_be_bytes();
        carry = sum >> 8;
    }
    assert_eq!(carry, 0);
    forger.judge(Algorithm::Rs256, MESSAGE, &good, true);
    forger.judge(Algorithm::Rs256, MESSAGE, &more, false);
}

#[test]
fn only_the_exact_padding_is_accepted() {
    for prime in [PRIMES[0], PRIMES[1], PRIMES[2]] {
        for hash in HASHES {
            refuse_paddings(&Forger::new(prime, 3), hash);
        }
    }
}

fn refuse_paddings(forger: &Forger, hash: Hash) {
    let octets = forger.octets();
    let info = good_info(hash);
    let good = padded(octets, &info);
    let refuse = |encoded: &[u8]| {
        let signature = forger.sign(encoded);
        forger.judge(algorithm(hash), MESSAGE, &signature, false);
    };
    // Bleichenbacher 2006: few bytes of padding, and after the hash arbitrary bytes that
    // make the number a cube.
    for padding in [0, 1, 8, octets - 4 - info.len()] {
        let mut short = [&[0, 1], &vec![0xFF; padding][..], &[0], &info].concat();
        for garbage in [0x00, 0x5A, 0xFF] {
            short.resize(octets, garbage);
            refuse(&short);
            short.truncate(3 + padding + info.len());
        }
    }
    // A missing separator, a separator with another value, and further ones in the
    // padding.
    let separator = octets - info.len() - 1;
    for (at, value) in [
        (0, 0x01),
        (1, 0x00),
        (1, 0x02),
        (2, 0x00),
        (2, 0xFE),
        (2, 0x01),
        (separator - 1, 0x00),
        (separator - 1, 0x7F),
        (separator, 0x01),
        (separator, 0xFF),
    ] {
        let mut wrong = good.clone();
        wrong[at] = value;
        // A number that is not less than the modulus is not a message.
        if wrong < forger.n {
            refuse(&wrong);
        }
    }
    // Any byte of the rest is changed.
    for at in separator + 1..octets {
        let mut wrong = good.clone();
        wrong[at] ^= 1;
        assert!(!forger.verify(algorithm(hash), MESSAGE, &forger.sign(&wrong)));
    }
    refuse(&vec![0; octets]);
    // Only the digest, as in TLS 1.1, and in reverse byte order.
    refuse(&padded(octets, &hash.digest(&[MESSAGE])));
    refuse(&[&info[..], &good[..=separator]].concat());
}

#[test]
fn only_the_exact_digest_info_is_accepted() {
    for hash in HASHES {
        let forger = Forger::new(PRIMES[0], 3);
        let digest = hash.digest(&[MESSAGE]);
        let good = good_info(hash);
        let refuse = |info: &[u8]| {
            let signature = forger.sign(&padded(forger.octets(), info));
            // The other implementation is not compared here, because it accepts the first
            // one.
            assert!(!forger.verify(algorithm(hash), MESSAGE, &signature));
        };
        // Parameters that are absent, empty, or contain arbitrary bytes.
        refuse(&info(hash, &[], MESSAGE));
        refuse(&info(hash, &[0x30, 0], MESSAGE));
        refuse(&info(hash, &[4, 3, 1, 2, 3], MESSAGE));
        refuse(&info(hash, &[5, 1, 0], MESSAGE));
        refuse(&info(hash, &[5, 0, 5, 0], MESSAGE));
        // BER: lengths in long or indefinite form.
        let content = &good[2..];
        let length = u8::try_from(content.len()).unwrap();
        refuse(&[&[0x30, 0x81, length], content].concat());
        refuse(&[&[0x30, 0x82, 0, length], content].concat());
        refuse(&[&[0x30, 0x80], content, &[0, 0]].concat());
        let algorithm = der(0x30, &[&identifier(hash)[..], &[5, 0x81, 0]].concat());
        refuse(&der(0x30, &[algorithm, der(4, &digest)].concat()));
        // Extra bytes at the end, with and without a matching outer length.
        refuse(&[&good[..], &[0]].concat());
        refuse(&der(0x30, &[content, &[0]].concat()));
        // The identifier of another hash before this digest, and a shorter digest.
        for other in HASHES.into_iter().filter(|other| *other != hash) {
            let algorithm = der(0x30, &[&identifier(other)[..], &[5, 0]].concat());
            refuse(&der(0x30, &[algorithm, der(4, &digest)].concat()));
        }
        let algorithm = der(0x30, &[&identifier(hash)[..], &[5, 0]].concat());
        refuse(&der(0x30, &[algorithm, der(4, &digest[1..])].concat()));
    }
}
