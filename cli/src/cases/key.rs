//! The keys that a case file names. They are generated at run time, by a library that
//! shares nothing with the checks under test.

use std::collections::BTreeMap;
use std::sync::Arc;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair,
    RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256, RSA_PSS_SHA384,
    RSA_PSS_SHA512, RsaEncoding, RsaKeyPair,
};
use aws_lc_rs::{hmac, rsa};
use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{Problem, text};

/// A key as a file describes it: an algorithm, or more.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum KeySpec {
    Algorithm(String),
    Described(Described),
}

/// A key with more than its algorithm.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Described {
    alg: Option<String>,
    /// Its `kid`; the default if absent, no `kid` if `null`.
    #[serde(default)]
    kid: Kid,
    /// The size of an RSA key in bits.
    bits: Option<u32>,
    /// The secret of an HMAC key.
    secret: Option<String>,
    /// The private key is that of another key, under this one's `kid` and `alg`.
    like: Option<String>,
    /// Whether key sets that do not list their keys contain it.
    #[serde(default = "yes")]
    published: bool,
}

const fn yes() -> bool {
    true
}

/// The `kid` of a key.
#[derive(Debug, Default, Deserialize)]
#[serde(from = "Option<String>")]
enum Kid {
    #[default]
    Usual,
    Absent,
    Named(String),
}

impl From<Option<String>> for Kid {
    fn from(kid: Option<String>) -> Self {
        kid.map_or(Self::Absent, Self::Named)
    }
}

/// A named key.
#[derive(Clone, Debug)]
pub(super) struct Key {
    pub(super) alg: String,
    pub(super) kid: Option<String>,
    pub(super) published: bool,
    material: Arc<Material>,
}

#[derive(Debug)]
enum Material {
    Rsa(RsaKeyPair),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
    Hmac(Vec<u8>),
}

/// All keys of a file.
pub(super) type Keys = BTreeMap<String, Key>;

/// Generates the keys of a file.
pub(super) fn make_all(specs: BTreeMap<String, KeySpec>) -> Result<Keys, super::CaseError> {
    let mut keys = Keys::new();
    // Keys that refer to others are generated after them.
    let (second, first): (Vec<_>, Vec<_>) =
        specs.into_iter().partition(|(_, spec)| spec.needs_others());
    for (name, spec) in first.into_iter().chain(second) {
        let key = Key::make(&name, spec.described(), &keys)
            .map_err(|problem| problem.at(format!("keys.{name}")))?;
        keys.insert(name, key);
    }
    Ok(keys)
}

impl KeySpec {
    fn needs_others(&self) -> bool {
        match self {
            Self::Algorithm(_) => false,
            Self::Described(key) => {
                let refers = |secret: &String| text::references(secret).next().is_some();
                key.like.is_some() || key.secret.as_ref().is_some_and(refers)
            }
        }
    }

    fn described(self) -> Described {
        match self {
            Self::Algorithm(alg) => Described {
                alg: Some(alg),
                kid: Kid::Usual,
                bits: None,
                secret: None,
                like: None,
                published: true,
            },
            Self::Described(described) => described,
        }
    }
}

impl Key {
    fn make(name: &str, spec: Described, others: &Keys) -> Result<Self, Problem> {
        let like = match &spec.like {
            Some(other) => Some(
                others
                    .get(other)
                    .ok_or_else(|| Problem::unknown("key", other))?,
            ),
            None => None,
        };
        let alg = spec
            .alg
            .or_else(|| like.map(|key| key.alg.clone()))
            .ok_or(Problem::Missing("`alg`"))?;
        let material = match (like, spec.secret) {
            (Some(key), None) => Arc::clone(&key.material),
            (Some(_), Some(_)) => {
                return Err(Problem::Key("`like` and `secret` exclude each other"));
            }
            (None, Some(secret)) => {
                let secret = text::bytes(&secret, &|name| reference(others, name))?;
                Arc::new(Material::Hmac(secret))
            }
            (None, None) => Arc::new(Material::generate(&alg, spec.bits)?),
        };
        Ok(Self {
            alg,
            kid: match spec.kid {
                Kid::Usual => Some(name.to_owned()),
                Kid::Absent => None,
                Kid::Named(kid) => Some(kid),
            },
            published: spec.published,
            material,
        })
    }

    /// The public key as a JWK; for an HMAC key, the secret.
    pub(super) fn jwk(&self) -> Map<String, Value> {
        let mut jwk = match &*self.material {
            Material::Rsa(pair) => {
                let public = pair.public_key();
                let n = public.modulus().big_endian_without_leading_zero();
                let e = public.exponent().big_endian_without_leading_zero();
                members(&[("kty", "RSA"), ("n", &encode(n)), ("e", &encode(e))])
            }
            Material::Ec(curve, pair) => {
                let (x, y) = coordinates(pair);
                let (x, y) = (encode(x), encode(y));
                members(&[("kty", "EC"), ("crv", curve), ("x", &x), ("y", &y)])
            }
            Material::Ed25519(pair) => {
                let x = encode(pair.public_key());
                members(&[("kty", "OKP"), ("crv", "Ed25519"), ("x", &x)])
            }
            Material::Hmac(secret) => members(&[("kty", "oct"), ("k", &encode(secret))]),
        };
        jwk.insert("alg".to_owned(), json!(self.alg));
        jwk.insert("use".to_owned(), json!("sig"));
        if let Some(kid) = &self.kid {
            jwk.insert("kid".to_owned(), json!(kid));
        }
        jwk
    }

    /// The signature of `message`, by an algorithm that the key supports.
    pub(super) fn sign(&self, alg: &str, message: &[u8]) -> Result<Vec<u8>, Problem> {
        let random = SystemRandom::new();
        let failed = |_| Problem::Key("the key does not sign");
        match &*self.material {
            Material::Rsa(pair) => {
                let padding: &dyn RsaEncoding = match alg {
                    "RS256" => &RSA_PKCS1_SHA256,
                    "RS384" => &RSA_PKCS1_SHA384,
                    "RS512" => &RSA_PKCS1_SHA512,
                    "PS256" => &RSA_PSS_SHA256,
                    "PS384" => &RSA_PSS_SHA384,
                    "PS512" => &RSA_PSS_SHA512,
                    other => return Err(Problem::invalid(other, "not an RSA algorithm")),
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, message, &mut signature)
                    .map_err(failed)?;
                Ok(signature)
            }
            Material::Ec(_, pair) => {
                let signature = pair.sign(&random, message).map_err(failed)?;
                Ok(signature.as_ref().to_vec())
            }
            Material::Ed25519(pair) => Ok(pair.sign(message).as_ref().to_vec()),
            Material::Hmac(secret) => {
                let hash = match alg {
                    "HS256" => hmac::HMAC_SHA256,
                    "HS384" => hmac::HMAC_SHA384,
                    "HS512" => hmac::HMAC_SHA512,
                    other => return Err(Problem::invalid(other, "not an HMAC algorithm")),
                };
                let key = hmac::Key::new(hash, secret);
                Ok(hmac::sign(&key, message).as_ref().to_vec())
            }
        }
    }

    /// The public key in a form that attackers use as an HMAC secret.
    fn form(&self, form: &str) -> Result<Vec<u8>, Problem> {
        if form == "jwk" {
            return Ok(Value::Object(self.jwk()).to_string().into_bytes());
        }
        if form == "jkt" {
            return self.thumbprint().map(String::into_bytes);
        }
        if let Some(Value::String(text)) = self.jwk().get(form) {
            return Ok(text.clone().into_bytes());
        }
        let raw = match &*self.material {
            Material::Rsa(pair) => pair.public_key().as_ref().to_vec(),
            Material::Ec(_, pair) => pair.public_key().as_ref().to_vec(),
            Material::Ed25519(pair) => pair.public_key().as_ref().to_vec(),
            Material::Hmac(secret) => secret.clone(),
        };
        match form {
            "raw" => Ok(raw),
            "raw pem" => Ok(pem("RSA PUBLIC KEY", &raw)),
            "spki" => self.spki(),
            "pem" => Ok(pem("PUBLIC KEY", &self.spki()?)),
            other => Err(Problem::unknown("form of a key", other)),
        }
    }

    /// The thumbprint of the key (RFC 7638).
    fn thumbprint(&self) -> Result<String, Problem> {
        let jwk = self.jwk();
        let required = ["crv", "e", "kty", "n", "x", "y"].into_iter();
        // A map has its members in the order of their names.
        let members: Map<String, Value> = required
            .filter_map(|name| Some((name.to_owned(), jwk.get(name)?.clone())))
            .collect();
        if members.len() < 3 {
            return Err(Problem::Key("a secret has no thumbprint"));
        }
        let text = Value::Object(members).to_string();
        Ok(encode(digest(&SHA256, text.as_bytes())))
    }

    fn spki(&self) -> Result<Vec<u8>, Problem> {
        let der: Result<PublicKeyX509Der<'_>, _> = match &*self.material {
            Material::Rsa(pair) => pair.public_key().as_der(),
            Material::Ec(_, pair) => pair.public_key().as_der(),
            Material::Ed25519(pair) => pair.public_key().as_der(),
            Material::Hmac(_) => return Err(Problem::Key("a secret has no public form")),
        };
        let der = der.map_err(|_| Problem::Key("the key has no SPKI form"))?;
        Ok(der.as_ref().to_vec())
    }
}

/// The meaning of `jwk of NAME`, `n of NAME`, `pem of NAME` and similar references.
pub(super) fn reference(keys: &Keys, text: &str) -> Result<Vec<u8>, Problem> {
    let (form, name) = text
        .split_once(" of ")
        .ok_or_else(|| Problem::unknown("text", text))?;
    keys.get(name.trim())
        .ok_or_else(|| Problem::unknown("key", name))?
        .form(form.trim())
}

impl Material {
    fn generate(alg: &str, bits: Option<u32>) -> Result<Self, Problem> {
        let failed = |_| Problem::Key("the key cannot be generated");
        let ec = |curve, signing: &'static EcdsaSigningAlgorithm| {
            let pair = EcdsaKeyPair::generate(signing).map_err(failed)?;
            Ok(Self::Ec(curve, pair))
        };
        match alg {
            "RS256" | "RS384" | "RS512" | "PS256" | "PS384" | "PS512" => {
                let size = match bits {
                    None | Some(2048) => rsa::KeySize::Rsa2048,
                    Some(3072) => rsa::KeySize::Rsa3072,
                    Some(4096) => rsa::KeySize::Rsa4096,
                    Some(8192) => rsa::KeySize::Rsa8192,
                    Some(other) => {
                        let expected = "`bits` of an RSA key are 2048, 3072, 4096 or 8192";
                        return Err(Problem::invalid(other.to_string(), expected));
                    }
                };
                Ok(Self::Rsa(RsaKeyPair::generate(size).map_err(failed)?))
            }
            "ES256" | "ESP256" => ec("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" | "ESP384" => ec("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" | "ESP512" => ec("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
            "EdDSA" | "Ed25519" => Ok(Self::Ed25519(Ed25519KeyPair::generate().map_err(failed)?)),
            "HS256" | "HS384" | "HS512" => {
                let mut secret = vec![0; 64];
                SystemRandom::new().fill(&mut secret).map_err(failed)?;
                Ok(Self::Hmac(secret))
            }
            other => Err(Problem::unknown("algorithm", other)),
        }
    }
}

/// The coordinates of the uncompressed point: 4, x, y.
fn coordinates(pair: &EcdsaKeyPair) -> (&[u8], &[u8]) {
    let point = pair.public_key().as_ref();
    let (_, both) = point.split_first().unwrap_or((&4, point));
    both.split_at_checked(both.len() >> 1).unwrap_or_default()
}

fn members(pairs: &[(&str, &str)]) -> Map<String, Value> {
    pairs
        .iter()
        .map(|(name, value)| ((*name).to_owned(), json!(value)))
        .collect()
}

fn encode(bytes: impl AsRef<[u8]>) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

fn pem(label: &str, der: &[u8]) -> Vec<u8> {
    let mut text = format!("-----BEGIN {label}-----\n").into_bytes();
    for line in STANDARD.encode(der).as_bytes().chunks(64) {
        text.extend(line);
        text.push(b'\n');
    }
    text.extend(format!("-----END {label}-----\n").bytes());
    text
}
