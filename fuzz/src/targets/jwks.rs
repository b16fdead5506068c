//! Key sets, compared with a second reader; another library judges the keys.
//!
//! The input is a JWK Set, read once as fetched and once as configured.

use std::collections::BTreeSet;

use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P384_SHA384_FIXED, ECDSA_P521_SHA512_FIXED, ED25519,
    ParsedPublicKey,
};
use edge_authz::crypto::Algorithm;
use edge_authz::jwk::{Jwk, KeyOrigin, KeySet, KeySetError, Lookup};

use crate::reference::base64url;
use crate::reference::json::{self, Json};

const DEPTH: usize = 32;

pub(crate) fn target(data: &[u8]) {
    for source in [KeyOrigin::Fetched, KeyOrigin::Inline] {
        judge(data, source);
    }
}

fn judge(data: &[u8], source: KeyOrigin) {
    let document = json::parse(data, DEPTH);
    let elements = document
        .as_ref()
        .and_then(|document| document.get("keys")?.array())
        .filter(|elements| elements.len() <= 256 && data.len() <= 512 * 1024);
    let parsed = KeySet::parse(data, source);
    let Some(elements) = elements else {
        let error = parsed.expect_err("only the reference refuses the document");
        let of_keys = matches!(error, KeySetError::NoUsableKey { .. });
        assert!(!of_keys, "only the reference refuses the document");
        return;
    };
    let (keys, skipped) = match &parsed {
        Ok(parsed) => (parsed.set.iter().collect(), &parsed.skipped),
        Err(KeySetError::NoUsableKey { skipped }) => (Vec::new(), skipped),
        Err(error) => panic!("only the reference accepts the document: {error}"),
    };
    let skipped: BTreeSet<usize> = skipped.iter().map(|key| key.index).collect();
    assert_eq!(keys.len() + skipped.len(), elements.len());
    let mut taken = keys.iter();
    for (index, element) in elements.iter().enumerate() {
        let usable = Usable::of(element, source);
        if skipped.contains(&index) {
            let certain = usable.is_some_and(|usable| usable.certain);
            assert!(!certain, "a good key is skipped: {}", element.text);
            continue;
        }
        let key = taken.next().unwrap();
        let usable = usable.unwrap_or_else(|| panic!("a bad key is accepted: {}", element.text));
        assert_eq!(key.kid(), element.get("kid").and_then(Json::string));
        assert_eq!(key.has_private_part(), element.get("d").is_some());
        let serves: Vec<_> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| key.serves(*algorithm))
            .map(Algorithm::name)
            .collect();
        assert_eq!(serves, usable.algorithms);
    }
    if let Ok(parsed) = &parsed {
        look_up(&parsed.set);
    }
}

/// The possible uses of a key.
struct Usable {
    algorithms: Vec<&'static str>,
    /// False if the other library accepts more than ours.
    certain: bool,
}

impl Usable {
    fn of(key: &Json<'_>, source: KeyOrigin) -> Option<Self> {
        key.object()?;
        // A member that is used must be a string.
        let text = |name: &str| match key.get(name) {
            None => Some(None),
            Some(value) => value.string().map(Some),
        };
        let octets = |name: &str| base64url::decode(text(name)??.as_bytes());
        if text("use")?.is_some_and(|purpose| purpose != "sig") {
            return None;
        }
        if let Some(operations) = key.get("key_ops") {
            let operations: Option<Vec<_>> = operations.array()?.iter().map(Json::string).collect();
            operations?.contains(&"verify").then_some(())?;
        }
        text("kid")?;
        let mut certain = true;
        let fitting: Vec<&'static str> = match text("kty")?? {
            "RSA" => {
                is_rsa(&octets("n")?, &octets("e")?).then_some(())?;
                vec!["RS256", "RS384", "RS512", "PS256", "PS384", "PS512"]
            }
            "EC" => vec![on_curve(text("crv")??, &octets("x")?, &octets("y")?)?],
            "OKP" if text("crv")?? == "Ed25519" => {
                // It accepts points of small order.
                certain = false;
                let x = octets("x")?;
                (x.len() == 32).then_some(())?;
                ParsedPublicKey::new(&ED25519, &x).ok()?;
                vec!["EdDSA"]
            }
            "oct" if source == KeyOrigin::Inline => match octets("k")?.len() {
                0..32 => return None,
                32..48 => vec!["HS256"],
                48..64 => vec!["HS256", "HS384"],
                64.. => vec!["HS256", "HS384", "HS512"],
            },
            _ => return None,
        };
        let algorithms = match text("alg")? {
            None => fitting,
            Some(name) => {
                let own = Algorithm::parse(name)?.name();
                fitting.into_iter().filter(|name| *name == own).collect()
            }
        };
        (!algorithms.is_empty()).then_some(Self {
            algorithms,
            certain,
        })
    }
}

/// 2048 to 8192 bits, odd; the exponent odd, from 3 to 32 bits.
fn is_rsa(n: &[u8], e: &[u8]) -> bool {
    let bare = |number: &[u8]| -> Vec<u8> {
        let zeros = number.iter().take_while(|octet| **octet == 0).count();
        number[zeros..].to_vec()
    };
    let (n, e) = (bare(n), bare(e));
    let odd = |number: &[u8]| number.last().is_some_and(|last| last % 2 == 1);
    let bits = n.first().map_or(0, |first| {
        8 * n.len() - usize::try_from(first.leading_zeros()).unwrap()
    });
    (2048..=8192).contains(&bits) && odd(&n) && odd(&e) && e.len() <= 4 && e != [1]
}

fn on_curve(curve: &str, x: &[u8], y: &[u8]) -> Option<&'static str> {
    let (how, octets, algorithm) = match curve {
        "P-256" => (&ECDSA_P256_SHA256_FIXED, 32, "ES256"),
        "P-384" => (&ECDSA_P384_SHA384_FIXED, 48, "ES384"),
        "P-521" => (&ECDSA_P521_SHA512_FIXED, 66, "ES512"),
        _ => return None,
    };
    (x.len() == octets && y.len() == octets).then_some(())?;
    ParsedPublicKey::new(how, [&[4], x, y].concat()).ok()?;
    Some(algorithm)
}

/// A lookup returns only matching keys, and never too many.
fn look_up(set: &KeySet) {
    let known = set.iter().map(Jwk::kid);
    for kid in known.chain([None, Some(""), Some("no such key")]) {
        for algorithm in Algorithm::ALL {
            let named = |key: &&Jwk| kid.is_none() || key.kid() == kid;
            let fits = |key: &&Jwk| key.serves(algorithm);
            let exists = set.iter().any(|key| kid.is_some() && key.kid() == kid);
            let mut expected: Vec<&Jwk> = if kid.is_some() && !exists {
                set.iter().filter(|key| key.kid().is_none()).collect()
            } else {
                set.iter().filter(named).collect()
            };
            expected.retain(fits);
            let most = if kid.is_none() { 1 } else { 4 };
            let prints = |keys: &[&Jwk]| -> Vec<_> {
                keys.iter().map(|key| *key.key().fingerprint()).collect()
            };
            match set.lookup(kid, algorithm) {
                Lookup::Candidates { keys, kid_known } => {
                    assert!((1..=most).contains(&keys.len()));
                    assert_eq!(prints(&keys), prints(&expected));
                    assert_eq!(kid_known, kid.is_none() || exists);
                    for print in prints(&keys) {
                        assert!(set.still_offers(kid, algorithm, &print));
                        assert!(set.contains(&print));
                    }
                }
                Lookup::UnknownKid => {
                    assert!(kid.is_some() && !exists);
                    assert!(expected.is_empty() || expected.len() > most);
                }
                Lookup::NoFittingKey => {
                    assert!(kid.is_none() || exists);
                    assert!(expected.is_empty() || expected.len() > most);
                }
            }
        }
    }
}
