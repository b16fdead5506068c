//! When the host verifies signatures, and how its results are used.

use super::*;

#[test]
fn the_host_is_called_only_for_supported_algorithms() {
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
        assert!(!rsa.verify(Algorithm::Rs256, MESSAGE, &wrong, &host));
    }
    assert!(host.asked.borrow().is_empty());
    let mut largest = modulus;
    // The number is odd.
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
        // A host with wrong results shows which side has verified.
        let (liar, generous) = (Host::new(Some(false)), Host::new(Some(true)));
        assert!(!verify(&key, algorithm, good, &liar));
        assert_eq!(key.preparation().is_some(), has_a_way);
        let copy = key.clone();
        let tables = key.prepare(&DEFAULT_TABLE_BUDGET);
        assert_eq!(tables.is_some(), has_a_way);
        assert_eq!(key.is_prepared(), has_a_way);
        assert_eq!(verify(&key, algorithm, good, &liar), has_a_way);
        let mut wrong = good.to_vec();
        wrong[60] ^= 1;
        assert_eq!(verify(&key, algorithm, &wrong, &generous), !has_a_way);
        // A copy has tables too, as long as they are held.
        assert_eq!(copy.is_prepared(), has_a_way);
        drop(tables);
        assert!(!key.is_prepared() && !copy.is_prepared());
        assert!(!verify(&copy, algorithm, good, &liar));
    }
}
