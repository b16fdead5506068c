use std::cell::RefCell;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::{KeySize, PublicKeyComponents};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RsaKeyPair,
};

use super::*;

const MESSAGE: &[u8] = b"header.payload";

/// The largest number of so many bits.
fn modulus(bits: usize) -> Vec<u8> {
    let mut modulus = vec![0xFF; bits.div_ceil(8)];
    modulus[0] = [0xFF, 0x01, 0x03, 0x07, 0x0F, 0x1F, 0x3F, 0x7F][bits % 8];
    modulus
}

fn rsa_pair() -> (RsaKeyPair, VerifyingKey) {
    let pair = RsaKeyPair::generate(KeySize::Rsa2048).unwrap();
    let parts: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let key = VerifyingKey::rsa(&parts.n, &parts.e).unwrap();
    (pair, key)
}

fn ec_pair(curve: Curve) -> (EcdsaKeyPair, VerifyingKey) {
    let algorithm: &'static EcdsaSigningAlgorithm = match curve {
        Curve::P256 => &ECDSA_P256_SHA256_FIXED_SIGNING,
        Curve::P384 => &ECDSA_P384_SHA384_FIXED_SIGNING,
        Curve::P521 => &ECDSA_P521_SHA512_FIXED_SIGNING,
    };
    let pair = EcdsaKeyPair::generate(algorithm).unwrap();
    let point = pair.public_key().as_ref()[1..].to_vec();
    let (x, y) = point.split_at(point.len() / 2);
    let key = VerifyingKey::ec(curve, x, y).unwrap();
    (pair, key)
}

fn ed25519_key() -> (Ed25519KeyPair, VerifyingKey) {
    let pair = Ed25519KeyPair::generate().unwrap();
    let key = VerifyingKey::ed25519(pair.public_key().as_ref()).unwrap();
    (pair, key)
}

/// Answers as told and remembers what it was asked.
struct Host {
    answer: Option<bool>,
    asked: RefCell<Vec<(Hash, Vec<u8>)>>,
}

impl Host {
    fn new(answer: Option<bool>) -> Self {
        let asked = RefCell::default();
        Self { answer, asked }
    }
}

impl NativeSignatures for Host {
    fn verify(&self, hash: Hash, _: &[u8], signature: &[u8], _: &[u8]) -> Option<bool> {
        self.asked.borrow_mut().push((hash, signature.to_vec()));
        self.answer
    }
}

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
fn no_modulus_and_no_signature_traps() {
    // With one bit more than whole octets, the encoded message of RSASSA-PSS
    // is an octet shorter than the modulus.
    for bits in [2048, 2049, 2050, 2055, 2056, 4097] {
        let modulus = modulus(bits);
        let key = VerifyingKey::rsa(&modulus, &[3]).unwrap();
        let mut less = modulus.clone();
        *less.last_mut().unwrap() -= 1;
        let mut one = vec![0; modulus.len()];
        *one.last_mut().unwrap() = 1;
        for signature in [vec![0; modulus.len()], one, less, modulus] {
            for algorithm in Algorithm::ALL {
                assert!(!key.verify(algorithm, MESSAGE, &signature, &NoNativeSignatures));
            }
        }
    }
}

#[test]
fn leading_zeros_make_no_other_rsa_key() {
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
    // y = 2 is on no point.
    let mut off = [0; 32];
    off[0] = 2;
    let error = VerifyingKey::ed25519(&off).unwrap_err();
    assert_eq!(error, KeyError::OffCurve);
    // Points of order 1, 2, 4 and 8, and some of them in other spellings.
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
    // y = 3 + p is a second spelling of y = 3, a point of large order.
    let mut large = [0xFF; 32];
    large[31] = 0x7F;
    for (first, expected) in [(3, None), (0xF0, Some(KeyError::WeakPoint))] {
        let mut octets = if first == 3 { [0; 32] } else { large };
        octets[0] = first;
        assert_eq!(VerifyingKey::ed25519(&octets).err(), expected, "{first}");
    }
}

#[test]
fn a_secret_serves_hashes_that_are_not_longer_than_it() {
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

#[test]
fn a_key_fits_its_own_algorithms_and_verifies_nothing_under_another() {
    use Algorithm::*;
    let rsa = rsa_pair().1;
    let p256 = ec_pair(Curve::P256).1;
    let p384 = ec_pair(Curve::P384).1;
    let p521 = ec_pair(Curve::P521).1;
    let ed25519 = ed25519_key().1;
    let hmac = VerifyingKey::hmac(&[7; 64]).unwrap();
    let keys: [(VerifyingKey, &[Algorithm]); 6] = [
        (rsa, &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512]),
        (p256, &[Es256]),
        (p384, &[Es384]),
        (p521, &[Es512]),
        (ed25519, &[EdDsa]),
        (hmac, &[Hs256, Hs384, Hs512]),
    ];
    // A host that says yes to everything is not even asked.
    let host = Host::new(Some(true));
    for (key, own) in keys {
        for algorithm in Algorithm::ALL {
            assert_eq!(
                key.fits(algorithm),
                own.contains(&algorithm),
                "{key:?} {algorithm}"
            );
            if own.contains(&algorithm) {
                continue;
            }
            for length in [32, 48, 64, 96, 132, 256] {
                assert!(!key.verify(algorithm, MESSAGE, &vec![1; length], &host));
            }
        }
    }
    assert!(host.asked.borrow().is_empty());
}

#[test]
fn the_host_is_asked_only_for_what_it_can_have() {
    let (_, rsa) = rsa_pair();
    let ed25519 = ed25519_key().1;
    let hmac = VerifyingKey::hmac(&[7; 64]).unwrap();
    let host = Host::new(Some(true));
    for (key, algorithm, length) in [
        (&rsa, Algorithm::Ps256, 256),
        (&rsa, Algorithm::Ps384, 256),
        (&rsa, Algorithm::Ps512, 256),
        (&ed25519, Algorithm::EdDsa, 64),
        (&hmac, Algorithm::Hs256, 32),
    ] {
        assert!(!key.verify(algorithm, MESSAGE, &vec![1; length], &host));
    }
    assert!(host.asked.borrow().is_empty());
    assert!(rsa.verify(Algorithm::Rs384, MESSAGE, &[1; 256], &host));
    let asked = host.asked.take();
    assert_eq!(asked, [(Hash::Sha384, vec![1; 256])]);
}

#[test]
fn lengths_and_ranges_are_judged_before_the_host_is_asked() {
    let host = Host::new(Some(true));
    let (pair, rsa) = rsa_pair();
    let parts: PublicKeyComponents<Vec<u8>> = pair.public_key().into();
    let modulus = parts.n;
    for wrong in [
        vec![],
        vec![1; 255],
        vec![1; 257],
        vec![0xFF; 256],
        modulus.clone(),
    ] {
        assert!(!rsa.verify(Algorithm::Rs256, MESSAGE, &wrong, &host));
    }
    assert!(host.asked.borrow().is_empty());
    let mut largest = modulus;
    // It is odd.
    largest[255] -= 1;
    assert!(rsa.verify(Algorithm::Rs256, MESSAGE, &largest, &host));
    host.asked.take();
    for (curve, algorithm, octets) in [
        (Curve::P256, Algorithm::Es256, 32),
        (Curve::P384, Algorithm::Es384, 48),
        (Curve::P521, Algorithm::Es512, 66),
    ] {
        let (_, key) = ec_pair(curve);
        let one = vec![1; octets];
        let zero = vec![0; octets];
        let large = vec![0xFF; octets];
        for (r, s) in [
            (&zero, &one),
            (&one, &zero),
            (&zero, &zero),
            (&large, &one),
            (&one, &large),
        ] {
            let signature = [&r[..], s].concat();
            assert!(!key.verify(algorithm, MESSAGE, &signature, &host));
        }
        for length in [0, 1, 2 * octets - 1, 2 * octets + 1, 2 * octets + 2] {
            assert!(!key.verify(algorithm, MESSAGE, &vec![1; length], &host));
        }
    }
    assert!(host.asked.borrow().is_empty());
}

#[test]
fn the_hosts_answer_stands_and_its_silence_means_checking_here() {
    let (pair, key) = rsa_pair();
    let mut good = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut good)
        .unwrap();
    let verify = |answer| key.verify(Algorithm::Rs256, MESSAGE, &good, &Host::new(answer));
    assert!(verify(Some(true)));
    assert!(!verify(Some(false)));
    assert!(verify(None));
    assert!(key.verify(Algorithm::Rs256, MESSAGE, &good, &NoNativeSignatures));
    assert!(!key.verify(Algorithm::Rs256, b"other", &good, &NoNativeSignatures));
}

#[test]
fn the_host_is_not_asked_where_a_key_has_its_multiples() {
    let verify = |key: &VerifyingKey, algorithm, signature: &[u8], host: &Host| {
        key.verify(algorithm, MESSAGE, signature, host)
    };
    for (curve, algorithm, has_a_way) in [
        (Curve::P256, Algorithm::Es256, false),
        (Curve::P384, Algorithm::Es384, false),
        (Curve::P521, Algorithm::Es512, true),
    ] {
        let (pair, key) = ec_pair(curve);
        let good = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        let good = good.as_ref();
        // A host that is wrong shows who was asked.
        let (liar, generous) = (Host::new(Some(false)), Host::new(Some(true)));
        assert!(!verify(&key, algorithm, good, &liar));
        assert_eq!(key.preparation().is_some(), has_a_way);
        let copy = key.clone();
        let tables = key.prepare();
        assert_eq!(tables.is_some(), has_a_way);
        assert_eq!(key.is_prepared(), has_a_way);
        assert_eq!(verify(&key, algorithm, good, &liar), has_a_way);
        let mut wrong = good.to_vec();
        wrong[60] ^= 1;
        assert_eq!(verify(&key, algorithm, &wrong, &generous), !has_a_way);
        // A copy has them too, for as long as somebody keeps them.
        assert_eq!(copy.is_prepared(), has_a_way);
        drop(tables);
        assert!(!key.is_prepared() && !copy.is_prepared());
        assert!(!verify(&copy, algorithm, good, &liar));
    }
}

#[test]
fn nothing_of_a_key_is_printed() {
    let secret = VerifyingKey::hmac(b"a secret that must not get into logs").unwrap();
    assert_eq!(format!("{secret:?}"), "VerifyingKey(HMAC)");
    assert_eq!(format!("{:?}", secret.fingerprint()), "Fingerprint");
}

#[test]
fn one_secret_and_one_point_have_one_fingerprint_and_others_have_others() {
    let one = VerifyingKey::hmac(&[1; 32]).unwrap();
    let same = VerifyingKey::hmac(&[1; 32]).unwrap();
    let other = VerifyingKey::hmac(&[1; 33]).unwrap();
    assert_eq!(one.fingerprint(), same.fingerprint());
    assert_eq!(one.fingerprint(), one.clone().fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
    // The same octets as another kind of key are another key.
    let (pair, point) = ed25519_key();
    let secret = VerifyingKey::hmac(pair.public_key().as_ref()).unwrap();
    assert_ne!(point.fingerprint(), secret.fingerprint());
    assert_eq!(point.fingerprint().as_bytes().len(), 32);
}

#[test]
fn jwt_compact_drives_the_algorithms_too() {
    use jwt_compact::{Algorithm as _, AlgorithmExt, Empty, UntrustedToken};
    // RFC 7515 appendix A.1, with its claims left untyped.
    let token = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    let secret = [
        3, 35, 53, 75, 43, 15, 165, 188, 131, 126, 6, 101, 119, 123, 166, 143, 90, 179, 40, 230,
        240, 84, 201, 40, 169, 15, 132, 178, 210, 80, 46, 191, 211, 251, 90, 146, 210, 6, 71, 239,
        150, 138, 180, 195, 119, 98, 61, 34, 61, 46, 33, 114, 5, 46, 79, 8, 192, 205, 154, 245,
        103, 208, 128, 163,
    ];
    let token = UntrustedToken::new(token).unwrap();
    let key = hmac::HmacKey::new(&secret).unwrap();
    let valid = hmac::Hmac(Hash::Sha256)
        .validator::<Empty>(&key)
        .validate(&token);
    assert!(valid.is_ok());
    let other = hmac::HmacKey::new(&[7; 64]).unwrap();
    let hs256 = hmac::Hmac(Hash::Sha256);
    assert!(hs256.validator::<Empty>(&other).validate(&token).is_err());
    // The trait's names are the registered ones.
    let names = [
        rsa::Pkcs1(Hash::Sha384).name(),
        rsa::Pss(Hash::Sha512).name(),
        ecdsa::Ecdsa::<ecdsa::P521>::new().name(),
        eddsa::Ed25519.name(),
        hs256.name(),
    ];
    assert!(names.iter().all(|name| Algorithm::parse(name).is_some()));
}

#[test]
fn an_ed25519_signature_is_one_of_its_length_and_of_its_text() {
    let (pair, key) = ed25519_key();
    let good = pair.sign(MESSAGE).as_ref().to_vec();
    let mut _tables = None;
    for is_prepared in [false, true, false] {
        assert_eq!(key.is_prepared(), is_prepared);
        let verify = |message: &[u8], signature: &[u8]| {
            key.verify(Algorithm::EdDsa, message, signature, &NoNativeSignatures)
        };
        assert!(verify(MESSAGE, &good));
        assert!(!verify(b"header.other", &good));
        assert!(!verify(MESSAGE, &good[..63]));
        assert!(!verify(MESSAGE, &[&good[..], &[0]].concat()));
        // Once more with its multiples at hand, and once without them again.
        _tables = if is_prepared { None } else { key.prepare() };
    }
}
