//! One key of a set.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{KeyOrigin, SkipReason};
use crate::crypto::{Algorithm, Curve, Preparation, Tables, VerifyingKey};
use crate::json::{Object, Value};
use crate::memory::Budget;

/// A usable key (RFC 7517 section 4). Only [`KeySet::parse`] makes one.
///
/// ```compile_fail,E0451
/// // A key cannot be used for more algorithms than its document allows.
/// fn promote(key: edge_authz::jwk::Jwk) -> edge_authz::jwk::Jwk {
///     edge_authz::jwk::Jwk { algorithm: None, ..key }
/// }
/// ```
///
/// [`KeySet::parse`]: super::KeySet::parse
#[derive(Debug, Clone)]
pub struct Jwk {
    kid: Option<Box<str>>,
    algorithm: Option<Algorithm>,
    key: VerifyingKey,
    has_private_part: bool,
}

impl Jwk {
    /// The key ID. An empty string is an ID.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        self.kid.as_deref()
    }

    /// The only algorithm for which the key may be used, if it names one.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        self.algorithm
    }

    /// The key material.
    #[must_use]
    pub fn key(&self) -> &VerifyingKey {
        &self.key
    }

    /// Whether the document contains the private key too, so that its readers can sign
    /// tokens. Only the public key is used.
    #[must_use]
    pub fn has_private_part(&self) -> bool {
        self.has_private_part
    }

    /// Whether the key may verify signatures of `algorithm`: its material fits, and it
    /// names no other algorithm.
    #[must_use]
    pub fn serves(&self, algorithm: Algorithm) -> bool {
        self.key.fits(algorithm) && self.algorithm.is_none_or(|own| own == algorithm)
    }

    /// The cost of precomputed tables for this key, if tables exist for its kind.
    pub(super) fn preparation(&self) -> Option<Preparation> {
        self.key.preparation()
    }

    /// Builds the precomputed tables for this key.
    pub(super) fn prepare(&self, budget: &'static Budget) -> Option<Tables> {
        self.key.prepare(budget)
    }

    /// Shares the material and the tables of a known key if the material is equal.
    /// Returns whether it is.
    pub(super) fn adopt(&mut self, known: &Self) -> bool {
        let same = self.key.fingerprint() == known.key.fingerprint();
        if same {
            self.key = known.key.clone();
        }
        same
    }

    pub(super) fn read(value: Value<'_>, source: KeyOrigin) -> Result<Self, SkipReason> {
        let members = Members(value.members().ok_or(SkipReason::NotAnObject)?);
        let key_type = members.required("kty")?;
        members.check_purpose()?;
        let algorithm = members.algorithm()?;
        let key = match &*key_type {
            "RSA" => members.rsa()?,
            "EC" => members.ec()?,
            "OKP" => members.okp()?,
            "oct" => members.oct(source)?,
            _ => return Err(SkipReason::UnknownKeyType),
        };
        if algorithm.is_some_and(|algorithm| !key.fits(algorithm)) {
            return Err(SkipReason::AlgorithmDoesNotFit);
        }
        Ok(Self {
            kid: members.optional("kid")?.map(Box::from),
            algorithm,
            key,
            has_private_part: members.0.get("d").is_some(),
        })
    }
}

/// The members of a key (RFC 7517 section 4, RFC 7518 section 6).
struct Members<'a>(Object<'a>);

impl<'a> Members<'a> {
    /// An optional string. `null` does not count as absent.
    fn optional(&self, member: &'static str) -> Result<Option<Cow<'a, str>>, SkipReason> {
        self.0
            .get(member)
            .map(|value| value.string().ok_or(SkipReason::WrongType { member }))
            .transpose()
    }

    fn required(&self, member: &'static str) -> Result<Cow<'a, str>, SkipReason> {
        self.optional(member)?.ok_or(SkipReason::Missing { member })
    }

    fn octets(&self, member: &'static str) -> Result<Vec<u8>, SkipReason> {
        URL_SAFE_NO_PAD
            .decode(&*self.required(member)?)
            .map_err(|_| SkipReason::NotBase64Url { member })
    }

    /// Checks that the key is for verifying signatures (RFC 7517 sections 4.2 and 4.3).
    fn check_purpose(&self) -> Result<(), SkipReason> {
        if self
            .optional("use")?
            .is_some_and(|purpose| purpose != "sig")
        {
            return Err(SkipReason::NotForSignatures);
        }
        let Some(operations) = self.0.get("key_ops") else {
            return Ok(());
        };
        let wrong_type = SkipReason::WrongType { member: "key_ops" };
        let mut verifies = false;
        // The elements are not collected, because their number is limited only by the
        // size of the document.
        for operation in operations.elements().ok_or(wrong_type)? {
            verifies |= operation.string().ok_or(wrong_type)? == "verify";
        }
        if verifies {
            Ok(())
        } else {
            Err(SkipReason::NotForVerifying)
        }
    }

    fn algorithm(&self) -> Result<Option<Algorithm>, SkipReason> {
        self.optional("alg")?
            .map(|name| Algorithm::parse(&name).ok_or(SkipReason::UnknownAlgorithm))
            .transpose()
    }

    fn rsa(&self) -> Result<VerifyingKey, SkipReason> {
        let (n, e) = (self.octets("n")?, self.octets("e")?);
        VerifyingKey::rsa(&n, &e).map_err(SkipReason::Material)
    }

    fn ec(&self) -> Result<VerifyingKey, SkipReason> {
        let curve = match &*self.required("crv")? {
            "P-256" => Curve::P256,
            "P-384" => Curve::P384,
            "P-521" => Curve::P521,
            _ => return Err(SkipReason::UnknownCurve),
        };
        let (x, y) = (self.octets("x")?, self.octets("y")?);
        VerifyingKey::ec(curve, &x, &y).map_err(SkipReason::Material)
    }

    fn okp(&self) -> Result<VerifyingKey, SkipReason> {
        if self.required("crv")? != "Ed25519" {
            return Err(SkipReason::UnknownCurve);
        }
        VerifyingKey::ed25519(&self.octets("x")?).map_err(SkipReason::Material)
    }

    fn oct(&self, source: KeyOrigin) -> Result<VerifyingKey, SkipReason> {
        match source {
            KeyOrigin::Fetched => Err(SkipReason::Symmetric),
            KeyOrigin::Inline => {
                VerifyingKey::hmac(&self.octets("k")?).map_err(SkipReason::Material)
            }
        }
    }
}
