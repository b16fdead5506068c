//! What a key verifies, and what its `Debug` output shows.

use std::collections::BTreeSet;

use super::*;
use crate::memory::Budget;

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
    // A host that accepts everything is not even called.
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
fn debug_output_contains_nothing_of_a_key() {
    let secret = VerifyingKey::hmac(b"a secret that must not get into logs").unwrap();
    assert_eq!(format!("{secret:?}"), "VerifyingKey(HMAC)");
    assert_eq!(format!("{:?}", secret.fingerprint()), "Fingerprint");
}

#[test]
fn equal_material_has_equal_fingerprints_and_different_material_different_ones() {
    let one = VerifyingKey::hmac(&[1; 32]).unwrap();
    let same = VerifyingKey::hmac(&[1; 32]).unwrap();
    let other = VerifyingKey::hmac(&[1; 33]).unwrap();
    assert_eq!(one.fingerprint(), same.fingerprint());
    assert_eq!(one.fingerprint(), one.clone().fingerprint());
    assert_ne!(one.fingerprint(), other.fingerprint());
    // The same bytes as another kind of key are another key.
    let (pair, point) = ed25519_key();
    let secret = VerifyingKey::hmac(pair.public_key().as_ref()).unwrap();
    assert_ne!(point.fingerprint(), secret.fingerprint());
    // Each part counts. The keys of an issuer often have the same exponent.
    let rsa = |modulus: u8, exponent: &[u8]| VerifyingKey::rsa(&[modulus; 256], exponent).unwrap();
    let one = rsa(0xF5, &[1, 0, 1]);
    assert_eq!(one.fingerprint(), rsa(0xF5, &[0, 1, 0, 1]).fingerprint());
    assert_ne!(one.fingerprint(), rsa(0xF7, &[1, 0, 1]).fingerprint());
    assert_ne!(one.fingerprint(), rsa(0xF5, &[3]).fingerprint());
    let points = [Curve::P256, Curve::P256, Curve::P384].map(|curve| ec_pair(curve).1);
    let fingerprints: BTreeSet<_> = points.iter().map(VerifyingKey::fingerprint).collect();
    assert_eq!(fingerprints.len(), points.len());
}

#[test]
fn tables_take_their_size_from_the_budget() {
    // The tables of one key fit into the larger budget, and those of two do not.
    static OF_P521: [Budget; 2] = [Budget::new(384 * 1024), Budget::new(768 * 1024)];
    static OF_ED25519: [Budget; 2] = [Budget::new(120 * 1024), Budget::new(250 * 1024)];
    for ([small, large], keys) in [
        (&OF_P521, [(); 2].map(|()| ec_pair(Curve::P521).1)),
        (&OF_ED25519, [(); 2].map(|()| ed25519_key().1)),
    ] {
        assert!(keys[0].prepare(small).is_none());
        let tables = keys[0].prepare(large);
        assert!(tables.is_some());
        assert!(keys[1].prepare(large).is_none());
        drop(tables);
        assert!(keys[1].prepare(large).is_some());
    }
    // Other tests use the default budget at the same time: half of it leaves them enough.
    assert!(DEFAULT_TABLE_BUDGET.take(16 * 1024 * 1024).is_some());
    assert!(DEFAULT_TABLE_BUDGET.take(32 * 1024 * 1024 + 1).is_none());
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
    // The names in the trait are the registered ones.
    let rsa = |padding, hash| rsa::Rsa { padding, hash };
    let names = [
        rsa(rsa::Padding::Pkcs1, Hash::Sha384).name(),
        rsa(rsa::Padding::Pss, Hash::Sha512).name(),
        ecdsa::Ecdsa::<ecdsa::P521>::new().name(),
        eddsa::Ed25519.name(),
        hs256.name(),
        host_signatures::HostFirst {
            algorithm: eddsa::Ed25519,
            host_signatures: &NoHostSignatures,
        }
        .name(),
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
            key.verify(Algorithm::EdDsa, message, signature, &NoHostSignatures)
        };
        assert!(verify(MESSAGE, &good));
        assert!(!verify(b"header.other", &good));
        assert!(!verify(MESSAGE, &good[..63]));
        assert!(!verify(MESSAGE, &[&good[..], &[0]].concat()));
        // The same with tables, and then again without them.
        _tables = if is_prepared {
            None
        } else {
            key.prepare(&DEFAULT_TABLE_BUDGET)
        };
    }
}
