//! When the host verifies signatures, and how its results are used.

use super::*;

#[test]
fn the_host_is_called_for_every_algorithm_with_a_public_key() {
    let (_, rsa) = rsa_pair();
    let p256 = ec_pair(Curve::P256).1;
    let ed25519 = ed25519_key().1;
    let hmac = VerifyingKey::hmac(&[7; 64]).unwrap();
    let host = Host::new(Some(true));
    for (key, algorithm, length) in [
        (&rsa, Algorithm::Rs384, 256),
        (&rsa, Algorithm::Ps256, 256),
        (&p256, Algorithm::Es256, 64),
        (&ed25519, Algorithm::EdDsa, 64),
    ] {
        let signature = vec![1; length];
        assert!(key.verify(algorithm, MESSAGE, &signature, &host));
        let asked = host.asked.take();
        assert_eq!(asked.len(), 1);
        assert_eq!(asked[0].0, algorithm);
        let is_der = algorithm == Algorithm::Es256;
        assert_eq!(asked[0].1 != signature, is_der);
    }
    assert!(!hmac.verify(Algorithm::Hs256, MESSAGE, &[1; 32], &host));
    assert!(host.asked.borrow().is_empty());
}

/// A host that counts the keys that it prepares.
struct Preparing<T> {
    value: T,
    prepared: RefCell<Vec<()>>,
}

impl<T: Clone + PartialEq + Send + Sync + 'static> HostSignatures for Preparing<T> {
    fn verify(&self, check: &HostCheck<'_>) -> Option<bool> {
        let prepare = || {
            self.prepared.borrow_mut().push(());
            self.value.clone()
        };
        Some(*check.prepared(prepare)? == self.value)
    }
}

#[test]
fn a_key_is_prepared_once_and_for_its_copies() {
    let host = |value| Preparing {
        value,
        prepared: RefCell::default(),
    };
    let (one, other) = (
        host("one"),
        Preparing {
            value: 2_u8,
            prepared: RefCell::default(),
        },
    );
    let keys = [rsa_pair().1, rsa_pair().1];
    for key in &keys {
        for copy in [key, &key.clone(), key] {
            assert!(copy.verify(Algorithm::Rs256, MESSAGE, &[1; 256], &one));
            assert!(copy.verify(Algorithm::Ps512, MESSAGE, &[1; 256], &one));
            // A host of another kind cannot use the stored value, so the module verifies
            // the signature.
            assert!(!copy.verify(Algorithm::Rs256, MESSAGE, &[1; 256], &other));
        }
    }
    let counts = [one.prepared.take(), other.prepared.take()].map(|all| all.len());
    assert_eq!(counts, [keys.len(), 0]);
}

#[test]
fn lengths_and_ranges_are_checked_before_the_host_is_called() {
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
        for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
            assert!(!rsa.verify(algorithm, MESSAGE, &wrong, &host));
        }
    }
    assert!(host.asked.borrow().is_empty());
    let mut largest = modulus;
    // The number is odd.
    largest[255] -= 1;
    for algorithm in [Algorithm::Rs256, Algorithm::Ps256] {
        assert!(rsa.verify(algorithm, MESSAGE, &largest, &host));
    }
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
    edwards_signatures_are_judged_before(&host);
}

fn edwards_signatures_are_judged_before(host: &Host) {
    let (_, key) = ed25519_key();
    let mut good = [1; 64];
    good[63] = 0;
    let verify = |signature: &[u8]| key.verify(Algorithm::EdDsa, MESSAGE, signature, host);
    // The order of the base point, and larger numbers, are not reduced.
    let order = *b"\xed\xd3\xf5\x5c\x1a\x63\x12\x58\xd6\x9c\xf7\xa2\xde\xf9\xde\x14\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\x10";
    for s in [order, [0xFF; 32]] {
        assert!(!verify(&[&good[..32], &s].concat()));
    }
    // The neutral element and the point (0, -1).
    let mut small = [[0; 32], [0xFF; 32]];
    small[0][0] = 1;
    (small[1][0], small[1][31]) = (0xEC, 0x7F);
    for r in small {
        assert!(!verify(&[&r, &good[32..]].concat()));
    }
    for length in [0, 32, 63, 65, 128] {
        assert!(!verify(&vec![1; length]));
    }
    assert!(host.asked.borrow().is_empty());
    assert!(verify(&good));
}

#[test]
fn the_hosts_result_is_final_and_without_one_the_module_verifies() {
    let (pair, key) = rsa_pair();
    let mut good = vec![0; pair.public_modulus_len()];
    pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), MESSAGE, &mut good)
        .unwrap();
    let verify = |answer| key.verify(Algorithm::Rs256, MESSAGE, &good, &Host::new(answer));
    assert!(verify(Some(true)));
    assert!(!verify(Some(false)));
    assert!(verify(None));
    assert!(key.verify(Algorithm::Rs256, MESSAGE, &good, &NoHostSignatures));
    assert!(!key.verify(Algorithm::Rs256, b"other", &good, &NoHostSignatures));
}

#[test]
fn the_host_is_not_called_for_a_key_with_tables() {
    for (curve, algorithm, has_a_way) in [
        (Curve::P256, Algorithm::Es256, false),
        (Curve::P384, Algorithm::Es384, false),
        (Curve::P521, Algorithm::Es512, true),
    ] {
        let (pair, key) = ec_pair(curve);
        let good = pair.sign(&SystemRandom::new(), MESSAGE).unwrap();
        tables_replace_the_host(&key, algorithm, good.as_ref(), has_a_way);
    }
    let (pair, key) = ed25519_key();
    tables_replace_the_host(&key, Algorithm::EdDsa, pair.sign(MESSAGE).as_ref(), true);
}

/// Checks that the host verifies until the key has tables, if there is a way to make them.
fn tables_replace_the_host(key: &VerifyingKey, algorithm: Algorithm, good: &[u8], has_a_way: bool) {
    let verify = |key: &VerifyingKey, signature: &[u8], host: &Host| {
        key.verify(algorithm, MESSAGE, signature, host)
    };
    // A host with wrong results shows which side has verified.
    let (liar, generous) = (Host::new(Some(false)), Host::new(Some(true)));
    assert!(!verify(key, good, &liar));
    assert_eq!(key.preparation().is_some(), has_a_way);
    let copy = key.clone();
    let tables = key.prepare(&DEFAULT_TABLE_BUDGET);
    assert_eq!(tables.is_some(), has_a_way);
    assert_eq!(key.is_prepared(), has_a_way);
    assert_eq!(verify(key, good, &liar), has_a_way);
    let mut wrong = good.to_vec();
    wrong[60] ^= 1;
    assert_eq!(verify(key, &wrong, &generous), !has_a_way);
    // A copy has tables too, as long as they are held.
    assert_eq!(copy.is_prepared(), has_a_way);
    drop(tables);
    assert!(!key.is_prepared() && !copy.is_prepared());
    assert!(!verify(&copy, good, &liar));
}
