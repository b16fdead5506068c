//! Which numbers, points and secrets are accepted as keys.

use super::*;

#[test]
fn an_rsa_modulus_has_2048_to_8192_bits_and_is_odd() {
    for bits in [2048, 2049, 3072, 4095, 8192] {
        assert!(
            VerifyingKey::rsa(&modulus(bits), &[1, 0, 1]).is_ok(),
            "{bits}"
        );
    }
    for bits in [8, 1024, 2047, 8193, 16384] {
        let error = VerifyingKey::rsa(&modulus(bits), &[1, 0, 1]).unwrap_err();
        assert_eq!(error, KeyError::RsaModulusSize { bits });
    }
    // Leading zeros do not make a key longer.
    let padded = [vec![0; 200], modulus(1024)].concat();
    let error = VerifyingKey::rsa(&padded, &[3]).unwrap_err();
    assert_eq!(error, KeyError::RsaModulusSize { bits: 1024 });
    for nothing in [&[][..], &[0; 300]] {
        let error = VerifyingKey::rsa(nothing, &[3]).unwrap_err();
        assert_eq!(error, KeyError::RsaModulusSize { bits: 0 });
    }
    let mut even = modulus(2048);
    even[255] = 0xFE;
    let error = VerifyingKey::rsa(&even, &[1, 0, 1]).unwrap_err();
    assert_eq!(error, KeyError::RsaModulusEven);
}

#[test]
fn an_rsa_exponent_is_odd_at_least_3_and_at_most_32_bits() {
    let accepted: [&[u8]; 6] = [
        &[3],
        &[17],
        &[1, 0, 1],
        &[0, 1, 0, 1],
        &[0, 0, 0, 0, 3],
        &[0xFF; 4],
    ];
    for exponent in accepted {
        assert!(
            VerifyingKey::rsa(&modulus(2048), exponent).is_ok(),
            "{exponent:?}"
        );
    }
    let refused: [&[u8]; 8] = [
        &[],
        &[0],
        &[1],
        &[2],
        &[4],
        &[1, 0, 0],
        &[1, 0, 0, 0, 1],
        &[0xFF; 256],
    ];
    for exponent in refused {
        let error = VerifyingKey::rsa(&modulus(2048), exponent).unwrap_err();
        assert_eq!(error, KeyError::RsaExponent, "{exponent:?}");
    }
}

#[test]
fn no_modulus_and_no_signature_causes_a_trap() {
    // With one bit more than whole bytes, the encoded message of RSASSA-PSS is one byte
    // shorter than the modulus.
    for bits in [2048, 2049, 2050, 2055, 2056, 4097] {
        let modulus = modulus(bits);
        let key = VerifyingKey::rsa(&modulus, &[3]).unwrap();
        let mut less = modulus.clone();
        *less.last_mut().unwrap() -= 1;
        let mut one = vec![0; modulus.len()];
        *one.last_mut().unwrap() = 1;
        for signature in [vec![0; modulus.len()], one, less, modulus] {
            for algorithm in Algorithm::ALL {
                assert!(!key.verify(algorithm, MESSAGE, &signature, &NoHostSignatures));
            }
        }
    }
}

#[test]
fn leading_zeros_do_not_make_another_rsa_key() {
    let plain = VerifyingKey::rsa(&modulus(2048), &[1, 0, 1]).unwrap();
    let padded = [vec![0], modulus(2048)].concat();
    let padded = VerifyingKey::rsa(&padded, &[0, 1, 0, 1]).unwrap();
    assert_eq!(plain.fingerprint(), padded.fingerprint());
    let other = VerifyingKey::rsa(&modulus(2048), &[3]).unwrap();
    assert_ne!(plain.fingerprint(), other.fingerprint());
}

#[test]
fn a_point_has_full_coordinates_and_is_on_its_curve() {
    for (curve, octets) in [(Curve::P256, 32), (Curve::P384, 48), (Curve::P521, 66)] {
        let (pair, _) = ec_pair(curve);
        let point = &pair.public_key().as_ref()[1..];
        let (x, y) = point.split_at(octets);
        let error = |x: &[u8], y: &[u8]| VerifyingKey::ec(curve, x, y).err();
        assert_eq!(error(x, y), None);
        let padded = [&[0], x].concat();
        for (x, y) in [
            (&x[1..], y),
            (x, &y[1..]),
            (&padded, y),
            (&[], y),
            (x, &[]),
            (&[], &[]),
        ] {
            assert_eq!(error(x, y), Some(KeyError::CoordinateLength));
        }
        let mut wrong = y.to_vec();
        wrong[octets - 1] ^= 1;
        assert_eq!(error(x, &wrong), Some(KeyError::OffCurve));
        assert_eq!(error(y, x), Some(KeyError::OffCurve));
        let zero = vec![0; octets];
        assert_eq!(error(&zero, &zero), Some(KeyError::OffCurve));
        assert_eq!(error(&vec![0xFF; octets], y), Some(KeyError::OffCurve));
    }
}

#[test]
fn an_ed25519_key_is_one_point_of_large_order_in_one_spelling() {
    let (pair, _) = ed25519_key();
    let octets = pair.public_key().as_ref();
    for wrong in [&octets[1..], &[octets, &[0]].concat(), &[]] {
        let error = VerifyingKey::ed25519(wrong).unwrap_err();
        assert_eq!(error, KeyError::CoordinateLength);
    }
    // No point has y = 2.
    let mut off = [0; 32];
    off[0] = 2;
    let error = VerifyingKey::ed25519(&off).unwrap_err();
    assert_eq!(error, KeyError::OffCurve);
    // Points of order 1, 2, 4 and 8, some of them in non-canonical encodings.
    for weak in [
        "0100000000000000000000000000000000000000000000000000000000000000",
        "0100000000000000000000000000000000000000000000000000000000000080",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
        "0000000000000000000000000000000000000000000000000000000000000000",
        "0000000000000000000000000000000000000000000000000000000000000080",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
        "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc85",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
        "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac03fa",
        "eeffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
        "edffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f",
    ] {
        let octets: Vec<u8> = weak
            .as_bytes()
            .chunks(2)
            .map(|digits| u8::from_str_radix(str::from_utf8(digits).unwrap(), 16).unwrap())
            .collect();
        let error = VerifyingKey::ed25519(&octets).unwrap_err();
        assert_eq!(error, KeyError::WeakPoint, "{weak}");
    }
    // y = 3 + p is a non-canonical encoding of y = 3, a point of large order.
    let mut large = [0xFF; 32];
    large[31] = 0x7F;
    for (first, expected) in [(3, None), (0xF0, Some(KeyError::WeakPoint))] {
        let mut octets = if first == 3 { [0; 32] } else { large };
        octets[0] = first;
        assert_eq!(VerifyingKey::ed25519(&octets).err(), expected, "{first}");
    }
}

#[test]
fn a_secret_is_used_with_hashes_that_are_not_longer_than_it() {
    for length in [0, 6, 19, 31] {
        let error = VerifyingKey::hmac(&vec![7; length]).unwrap_err();
        assert_eq!(error, KeyError::SecretTooShort);
    }
    let serves = |length: usize| {
        let key = VerifyingKey::hmac(&vec![7; length]).unwrap();
        [Algorithm::Hs256, Algorithm::Hs384, Algorithm::Hs512].map(|hs| key.fits(hs))
    };
    assert_eq!(serves(32), [true, false, false]);
    assert_eq!(serves(47), [true, false, false]);
    assert_eq!(serves(48), [true, true, false]);
    assert_eq!(serves(63), [true, true, false]);
    assert_eq!(serves(64), [true; 3]);
    assert_eq!(serves(200), [true; 3]);
}
