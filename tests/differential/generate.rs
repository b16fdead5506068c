//! Generates tokens and their key sets.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE;
use serde_json::{Value, json};

use crate::faults::{self, Change, Fault, Set, Text};
use crate::random::Random;
use crate::tokens::{self, TokenMaker, encode};

/// The issuer and the audience that all judges expect.
pub(crate) const ISSUER: &str = "https://issuer.example";
pub(crate) const AUDIENCE: &str = "api";

/// The algorithms that all judges know.
pub(crate) const ALGORITHMS: [&str; 6] = ["RS256", "RS512", "PS256", "ES256", "ES384", "EdDSA"];

/// A token, its key set and what is wrong with them.
pub(crate) struct Case {
    pub(crate) token: String,
    /// The number of its key set.
    pub(crate) set: usize,
    pub(crate) faults: Vec<Fault>,
}

/// Keys, and the key sets made of them.
pub(crate) struct World {
    /// Two keys for each algorithm. Only the first is in the sets.
    makers: Vec<[TokenMaker; 2]>,
    /// The sets as JSON. Each algorithm has one for each change of a set.
    pub(crate) sets: Vec<String>,
    pub(crate) now: u64,
}

impl World {
    pub(crate) fn new() -> Self {
        let makers: Vec<_> = ALGORITHMS
            .iter()
            .map(|algorithm| ["k", "k"].map(|kid| TokenMaker::generate(algorithm, kid)))
            .collect();
        let mut world = Self {
            makers,
            sets: Vec::new(),
            now: tokens::now(),
        };
        for algorithm in 0..ALGORITHMS.len() {
            for change in changes() {
                let set = world.set(algorithm, change);
                world.sets.push(set.to_string());
            }
        }
        world
    }

    /// The same cases in each run, except for the keys.
    pub(crate) fn cases(&self, count: usize) -> Vec<Case> {
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        (0..count).map(|_| self.case(&mut random)).collect()
    }

    fn case(&self, random: &mut Random) -> Case {
        let algorithm = random.below(ALGORITHMS.len());
        let wanted = [1, 1, 1, 1, 2, 2, 0, 1][random.below(8)];
        let mut faults: Vec<Fault> = Vec::new();
        while faults.len() < wanted {
            let fault = faults::ALL[random.below(faults::ALL.len())];
            if faults
                .iter()
                .all(|known| !collide(known.change, fault.change))
            {
                faults.push(fault);
            }
        }
        faults.sort();
        let of_set = faults.iter().map(|fault| fault.change).find(is_of_set);
        let place = changes()
            .iter()
            .position(|change| *change == of_set)
            .unwrap();
        Case {
            token: self.token(algorithm, &faults),
            set: algorithm * changes().len() + place,
            faults,
        }
    }

    /// The key set of an algorithm: the signing key, and one that does not matter.
    fn set(&self, algorithm: usize, change: Option<Change>) -> Value {
        let own = &self.makers[algorithm][0];
        let mut key = own.public_jwk();
        let mut keys = Vec::new();
        match change {
            Some(Change::Key(name, value)) => {
                let value = value.replace("{other}", other(algorithm));
                key[name] = serde_json::from_str(&value).unwrap();
            }
            Some(Change::NoKey(name)) => drop(key.as_object_mut().unwrap().remove(name)),
            Some(Change::Set(Set::UnknownKind)) => {
                keys.push(json!({"kty": "AKP", "alg": "ML-DSA-44", "kid": "new", "pub": "AAAA"}));
            }
            Some(Change::Set(Set::Broken)) => {
                keys.push(json!({"kty": "EC", "crv": "P-256", "kid": "bad", "x": "AA", "y": "AA"}));
            }
            Some(Change::Set(Set::EncryptionFirst)) => {
                let mut other = self.makers[algorithm][1].public_jwk();
                other["use"] = json!("enc");
                keys.push(other);
            }
            Some(Change::Set(Set::SameKidFirst)) => {
                keys.push(self.makers[algorithm][1].public_jwk());
            }
            Some(Change::Set(Set::SameKidOtherKind)) => {
                keys.push(self.makers[kindred(algorithm)][0].public_jwk());
            }
            Some(Change::Set(Set::Absent)) => key = self.makers[algorithm][1].public_jwk(),
            _ => {}
        }
        keys.push(key);
        json!({"keys": keys})
    }

    fn token(&self, algorithm: usize, faults: &[Fault]) -> String {
        let maker = &self.makers[algorithm][0];
        let mut header = pairs(&maker.header());
        let mut claims = pairs(&json!({
            "iss": ISSUER, "aud": AUDIENCE, "sub": "alice", "exp": self.now + 86400, "x": "y",
        }));
        for fault in faults {
            match fault.change {
                Change::Header(name, value) => {
                    set(
                        &mut header,
                        name,
                        &value.replace("{other}", other(algorithm)),
                    );
                }
                Change::NoHeader(name) => header.retain(|(known, _)| known != name),
                Change::HeaderTwice(name, value) => header.insert(0, (name.into(), value.into())),
                Change::Claim(name, value) => set(&mut claims, name, &self.dated(value)),
                Change::NoClaim(name) => claims.retain(|(known, _)| known != name),
                Change::Instead(name, other, value) => {
                    claims.retain(|(known, _)| known != name);
                    set(&mut claims, other, value);
                }
                Change::ClaimTwice(name, value) => {
                    claims.insert(0, (name.into(), self.dated(value)));
                }
                _ => {}
            }
        }
        let (mut header, mut claims) = (object(&header), object(&claims));
        for fault in faults {
            match fault.change {
                Change::AroundHeader(before, after) => header = [before, &header, after].concat(),
                Change::AroundClaims(b"comma", _) => {
                    claims.truncate(claims.len() - 1);
                    claims.extend(b",}");
                }
                Change::AroundClaims(before, b"skip") => {
                    claims = [before, &claims[1..]].concat();
                }
                Change::AroundClaims(before, after) => claims = [before, &claims, after].concat(),
                _ => {}
            }
        }
        let text = faults.iter().find_map(|fault| match fault.change {
            Change::Text(text) => Some(text),
            _ => None,
        });
        self.signed(algorithm, &header, &claims, text)
    }

    /// A text with its times.
    fn dated(&self, value: &str) -> String {
        value
            .replace("{now+86400}", &(self.now + 86400).to_string())
            .replace("{now-86400}", &(self.now - 86400).to_string())
    }

    fn signed(&self, algorithm: usize, header: &[u8], claims: &[u8], text: Option<Text>) -> String {
        let [own, stranger] = &self.makers[algorithm];
        let good = || own.compact(header, claims);
        let parts = |token: &str| -> Vec<String> { token.split('.').map(Into::into).collect() };
        let with_signature = |change: &dyn Fn(&mut Vec<u8>)| {
            let token = good();
            let mut parts = parts(&token);
            let mut bytes = tokens::decode(&parts[2]);
            change(&mut bytes);
            parts[2] = encode(bytes);
            parts.join(".")
        };
        match text {
            None => good(),
            Some(Text::OtherKey) => stranger.compact(header, claims),
            Some(Text::OtherSignature) => with_signature(&|bytes| bytes[9] ^= 4),
            Some(Text::Shorter) => with_signature(&|bytes| bytes.truncate(bytes.len() - 1)),
            Some(Text::Longer) => with_signature(&|bytes| bytes.push(0)),
            Some(Text::NoSignature) => with_signature(&Vec::clear),
            Some(Text::OtherClaims) => {
                let mut changed = claims.to_vec();
                let last = changed.len() - 3;
                changed[last] ^= 1;
                let token = good();
                format!(
                    "{}.{}.{}",
                    encode(header),
                    encode(changed),
                    parts(&token)[2]
                )
            }
            Some(Text::None) => self.unsigned(algorithm, claims),
            Some(Text::PublicKeyAsSecret) => self.with_public_secret(algorithm, claims),
            Some(Text::Padded) => {
                let token = good();
                let padded = parts(&token).into_iter();
                let padded = padded.map(|part| URL_SAFE.encode(tokens::decode(&part)) + "=");
                padded.collect::<Vec<_>>().join(".")
            }
            Some(Text::LooseBits) => loose(good()),
            // A signature has such characters with near certainty; otherwise the last part is
            // padded, which the same readers refuse.
            Some(Text::OtherAlphabet) => {
                let token = good().replace('-', "+").replace('_', "/");
                format!(
                    "{token}{}",
                    if token.contains(['+', '/']) { "" } else { "=" }
                )
            }
            Some(Text::BlankAtEnd) => good() + " ",
            Some(Text::LineEnd) => {
                let mut parts = parts(&good());
                parts[1].insert(8, '\n');
                parts.join(".")
            }
            Some(Text::FourParts) => good() + ".AAAA",
            Some(Text::TwoParts) => parts(&good())[..2].join("."),
        }
    }

    /// A token whose `alg` is `none`, without a signature.
    fn unsigned(&self, algorithm: usize, claims: &[u8]) -> String {
        let mut members = pairs(&self.makers[algorithm][0].header());
        set(&mut members, "alg", "\"none\"");
        format!("{}.{}.", encode(object(&members)), encode(claims))
    }

    /// A token with an HMAC whose secret is the public key.
    fn with_public_secret(&self, algorithm: usize, claims: &[u8]) -> String {
        let own = &self.makers[algorithm][0];
        let mut members = pairs(&own.header());
        set(&mut members, "alg", "\"HS256\"");
        let key = own.public_jwk();
        let secret = key.get("n").or(key.get("x")).unwrap().as_str().unwrap();
        let secret = tokens::decode(secret);
        TokenMaker::hmac("HS256", "k", &secret).compact(object(&members), claims)
    }
}

/// Changes bits of the last character that no octet contains. Signatures whose length is a
/// multiple of three have none, and get a character that is not in the alphabet.
fn loose(token: String) -> String {
    const ALPHABET: &[u8] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let signature = token.rsplit('.').next().unwrap();
    if signature.len().is_multiple_of(4) {
        return token + "=";
    }
    let mut bytes = token.into_bytes();
    let last = bytes.pop().unwrap();
    let place = ALPHABET.iter().position(|known| *known == last).unwrap();
    bytes.push(ALPHABET[place ^ 1]);
    String::from_utf8(bytes).unwrap()
}

/// The changes that a set can have; `None` is a good one.
fn changes() -> Vec<Option<Change>> {
    let changed = faults::ALL
        .iter()
        .map(|fault| fault.change)
        .filter(is_of_set);
    std::iter::once(None).chain(changed.map(Some)).collect()
}

fn is_of_set(change: &Change) -> bool {
    matches!(change, Change::Key(..) | Change::NoKey(_) | Change::Set(_))
}

/// Whether two faults change the same part, so that one of them could hide the other.
fn collide(one: Change, other: Change) -> bool {
    let part = |change: Change| match change {
        Change::Header(..)
        | Change::NoHeader(_)
        | Change::HeaderTwice(..)
        | Change::AroundHeader(..) => 0,
        Change::Text(_) => 1,
        Change::Key(..) | Change::NoKey(_) | Change::Set(_) => 2,
        Change::Claim(name, _)
        | Change::NoClaim(name)
        | Change::Instead(name, ..)
        | Change::ClaimTwice(name, _) => 3 + name.len() + usize::from(name.as_bytes()[0]) * 16,
        Change::AroundClaims(..) => 3,
    };
    part(one) == part(other)
}

/// An algorithm of another kind of key.
fn other(algorithm: usize) -> &'static str {
    ALGORITHMS[kindred(algorithm)]
}

const fn kindred(algorithm: usize) -> usize {
    (algorithm + 3) % ALGORITHMS.len()
}

type Pairs = Vec<(String, String)>;

fn pairs(object: &Value) -> Pairs {
    let members = object.as_object().unwrap().iter();
    members
        .map(|(name, value)| (name.clone(), value.to_string()))
        .collect()
}

fn set(pairs: &mut Pairs, name: &str, value: &str) {
    pairs.retain(|(known, _)| known != name);
    pairs.push((name.to_owned(), value.to_owned()));
}

fn object(pairs: &Pairs) -> Vec<u8> {
    let members = pairs
        .iter()
        .map(|(name, value)| format!("\"{name}\":{value}"));
    format!("{{{}}}", members.collect::<Vec<_>>().join(",")).into_bytes()
}
