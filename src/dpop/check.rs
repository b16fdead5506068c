//! The checks of one proof.

use std::fmt;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use sha2::{Digest as _, Sha256};

use super::uri::{Origin, Uri, normal_path};
use super::{MAX_PROOF_BYTES, Nonces, ProofError};
use crate::crypto::{Algorithm, AlgorithmSet, HostSignatures};
use crate::json::{self, Object, Value};
use crate::jwk::{Jwk, Thumbprint};
use crate::jws::{Jws, MAX_HEADER_DEPTH};
use crate::time::UnixTime;

/// The maximum nesting of objects and arrays in a proof's claims.
const MAX_DEPTH: usize = 32;

/// The requirements on proofs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProofRules {
    /// The origins that `htu` may have.
    pub origins: Vec<Origin>,
    /// The accepted algorithms, all of them asymmetric.
    pub algorithms: AlgorithmSet,
    /// The longest time between `iat` and now, in either direction.
    pub max_age: Duration,
    /// The maximum age of the nonce that a proof must have. `None` if it needs none.
    pub nonce: Option<Duration>,
    /// How long a used proof must be remembered: `max_age`, or that of other rules, if it is
    /// longer and another route may judge the same proof by them.
    pub kept_for: Duration,
}

/// The request and the token for which a proof is shown.
#[derive(Clone, Copy)]
pub struct Shown<'a> {
    /// The method of the request.
    pub method: &'a [u8],
    /// The path of the request, with or without its query.
    pub path: &'a [u8],
    /// The token, as received.
    pub token: &'a [u8],
    /// The key to which the token is bound.
    pub key: &'a Thumbprint,
    /// How nonces are checked, if the rules require one.
    pub nonces: &'a Nonces,
    /// The time of the check.
    pub now: UnixTime,
}

/// A proof that was checked, apart from its reuse.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub struct Proof {
    /// Its ID.
    pub id: ProofId,
    /// The later one of its `iat` and the time of the check.
    pub latest: UnixTime,
    /// The last moment at which it would be accepted again, if it were not remembered.
    pub until: UnixTime,
    /// Whether the client should get a fresh nonce: its own is good, and near its end (RFC
    /// 9449 section 8.2).
    pub renews_nonce: bool,
}

/// The key and the `jti` of a proof, as a hash, because both may be long. An attacker
/// cannot find another pair with the same hash.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ProofId([u64; 2]);

impl ProofId {
    fn of(key: &Thumbprint, jti: &str) -> Self {
        let mut hash = Sha256::new();
        // The thumbprint has a fixed length, so the parts cannot be shifted.
        hash.update(key.as_bytes());
        hash.update(jti);
        let hash = hash.finalize();
        let (words, _) = hash.as_slice().as_chunks();
        let mut id = [0; 2];
        for (part, word) in id.iter_mut().zip(words) {
            *part = u64::from_le_bytes(*word);
        }
        Self(id)
    }

    /// An ID with these bytes, for tests.
    #[cfg(test)]
    pub(crate) const fn from_words(words: [u64; 2]) -> Self {
        Self(words)
    }

    /// The ID in another space of IDs, where the same proof may be used once more.
    #[must_use]
    pub const fn within(self, space: u8) -> Self {
        let Self([high, low]) = self;
        let space = [0, 0, 0, 0, 0, 0, 0, space];
        Self([high, low ^ u64::from_be_bytes(space)])
    }

    /// The bytes, which are as good as random.
    #[must_use]
    pub const fn words(self) -> [u64; 2] {
        self.0
    }
}

impl fmt::Debug for ProofId {
    /// `Debug` shows nothing that identifies a client.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("ProofId")
    }
}

impl ProofRules {
    /// The algorithms that are accepted unless others are configured.
    pub const DEFAULT_ALGORITHMS: [Algorithm; 2] = [Algorithm::Es256, Algorithm::EdDsa];

    /// The maximum age of a proof unless another is configured.
    pub const DEFAULT_MAX_AGE: Duration = Duration::from_mins(1);

    /// Checks a proof (RFC 9449 sections 4.3 and 7.1). It takes time and memory linear in
    /// the length of the proof, which is checked first, and at most one verification.
    ///
    /// # Errors
    ///
    /// The first check that failed, in the order of [`ProofError`]'s variants.
    pub fn check(
        &self,
        proof: &[u8],
        shown: &Shown<'_>,
        host_signatures: &dyn HostSignatures,
    ) -> Result<Proof, ProofError> {
        if proof.len() > MAX_PROOF_BYTES {
            return Err(ProofError::TooLong);
        }
        let (jws, payload) = Jws::parse(proof, None)?;
        let header = jws.header();
        let is_proof = header
            .token_type()
            .is_some_and(|typ| typ.as_str() == "dpop+jwt");
        require(is_proof, ProofError::Type)?;
        let algorithm = header.algorithm();
        let is_accepted = self.algorithms.contains(algorithm) && !algorithm.is_symmetric();
        require(is_accepted, ProofError::Algorithm)?;
        let decoded = URL_SAFE_NO_PAD.decode(header.text());
        let decoded = decoded.map_err(|_| ProofError::Malformed)?;
        let members = json::object(&decoded, MAX_HEADER_DEPTH);
        let members = members.map_err(|_| ProofError::Malformed)?;
        let key = members.get("jwk").ok_or(ProofError::Key)?;
        let thumbprint = key.members().as_ref().and_then(Thumbprint::of);
        let thumbprint = thumbprint.ok_or(ProofError::Key)?;
        require(thumbprint == *shown.key, ProofError::OtherKey)?;
        let checked = self.claims(&payload, shown)?;
        let key = Jwk::public(key).map_err(|_| ProofError::Key)?;
        require(key.serves(algorithm), ProofError::Key)?;
        let signer = jws.verify(&key, host_signatures);
        require(signer.is_some(), ProofError::Signature)?;
        Ok(checked)
    }

    fn claims(&self, payload: &[u8], shown: &Shown<'_>) -> Result<Proof, ProofError> {
        let claims = json::object(payload, MAX_DEPTH).map_err(|_| ProofError::Malformed)?;
        let text = |name: &str| {
            let text = claims.get(name).and_then(Value::string);
            text.filter(|text| !text.is_empty())
                .ok_or(ProofError::Claims)
        };
        let jti = text("jti")?;
        let (method, uri, token_hash) = (text("htm")?, text("htu")?, text("ath")?);
        let issued_at = date(&claims, "iat")?.ok_or(ProofError::Claims)?;
        require(method.as_bytes() == shown.method, ProofError::Method)?;
        require(self.is_for(&uri, shown.path), ProofError::Uri)?;
        self.times(&claims, issued_at, shown.now)?;
        let expected = URL_SAFE_NO_PAD.encode(Sha256::digest(shown.token));
        require(*token_hash == *expected, ProofError::TokenHash)?;
        let renews_nonce = match self.nonce {
            Some(max_age) => {
                let nonce = claims.get("nonce");
                // A client that sends another type has no nonce of this server.
                let nonce = nonce.map(|nonce| nonce.string().unwrap_or_default());
                shown.nonces.check(nonce.as_deref(), shown.now, max_age)?
            }
            None => false,
        };
        let latest = issued_at.max(shown.now);
        Ok(Proof {
            renews_nonce,
            id: ProofId::of(shown.key, &jti),
            // The ID of a proof must not be used again for `kept_for`, even if the proof
            // itself is too old before.
            until: latest.saturating_add(self.kept_for),
            latest,
        })
    }

    /// Whether the URI of a proof is that of a request with this path.
    fn is_for(&self, uri: &str, path: &[u8]) -> bool {
        let path = path.split(|byte| *byte == b'?').next().unwrap_or_default();
        match (Uri::parse(uri), normal_path(path)) {
            (Some(uri), Some(path)) => uri.path == path && self.origins.contains(&uri.origin),
            (None, _) | (_, None) => false,
        }
    }

    /// Checks `iat`, and `exp` and `nbf` if the client has added them.
    fn times(
        &self,
        claims: &Object<'_>,
        issued_at: UnixTime,
        now: UnixTime,
    ) -> Result<(), ProofError> {
        let is_old = now > issued_at.saturating_add(self.max_age);
        let has_expired = date(claims, "exp")?.is_some_and(|end| now >= end);
        require(!is_old && !has_expired, ProofError::Expired)?;
        let latest = now.saturating_add(self.max_age);
        let begins = date(claims, "nbf")?.is_none_or(|start| start <= latest);
        require(issued_at <= latest && begins, ProofError::NotYetValid)
    }
}

fn date(claims: &Object<'_>, name: &str) -> Result<Option<UnixTime>, ProofError> {
    let Some(value) = claims.get(name) else {
        return Ok(None);
    };
    let time = value.number().and_then(UnixTime::from_numeric_date);
    time.map(Some).ok_or(ProofError::Claims)
}

fn require(holds: bool, error: ProofError) -> Result<(), ProofError> {
    if holds { Ok(()) } else { Err(error) }
}
