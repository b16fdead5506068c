//! A token that was parsed, or that is in the token cache.

use std::sync::Arc;

use super::{Remembered, Verifications};
use crate::crypto::{Algorithm, Fingerprint, HostSignatures};
use crate::jwk::Jwk;
use crate::jwt::{TokenError, TokenType, UnverifiedJwt, VerifiedJwt};

/// A token's header and issuer, neither of which is trusted yet. No claim can be
/// read.
pub struct Form<'t> {
    text: &'t [u8],
    known: Known<'t>,
}

enum Known<'t> {
    /// It was verified earlier, at least for these providers.
    Before(Arc<Verifications>),
    Parsed(UnverifiedJwt<'t>),
}

/// A token that a key has signed.
pub(super) struct Signed {
    pub(super) jwt: Arc<VerifiedJwt>,
    /// Whether it was verified now, and not found in the token cache.
    pub(super) new: bool,
}

impl<'t> Form<'t> {
    pub(super) fn of(text: &'t [u8], remembered: &dyn Remembered) -> Result<Self, TokenError> {
        let known = match remembered.recall(text) {
            Some(known) => Known::Before(known),
            None => Known::Parsed(UnverifiedJwt::parse_with(text, remembered.headers())?),
        };
        Ok(Self { text, known })
    }

    pub(super) const fn text(&self) -> &'t [u8] {
        self.text
    }

    pub(super) const fn is_remembered(&self) -> bool {
        matches!(self.known, Known::Before(_))
    }

    /// The issuer that the token names.
    #[must_use]
    pub fn issuer(&self) -> &str {
        match &self.known {
            Known::Before(known) => known.first().issuer(),
            Known::Parsed(jwt) => jwt.issuer(),
        }
    }

    /// The algorithm that the token names.
    #[must_use]
    pub fn algorithm(&self) -> Algorithm {
        match &self.known {
            Known::Before(known) => known.first().algorithm(),
            Known::Parsed(jwt) => jwt.algorithm(),
        }
    }

    /// The ID of the key that the token names.
    #[must_use]
    pub fn kid(&self) -> Option<&str> {
        match &self.known {
            Known::Before(known) => known.first().kid(),
            Known::Parsed(jwt) => jwt.kid(),
        }
    }

    /// Its `typ`.
    #[must_use]
    pub fn token_type(&self) -> Option<&TokenType> {
        match &self.known {
            Known::Before(known) => known.first().token_type(),
            Known::Parsed(jwt) => jwt.token_type(),
        }
    }

    /// Whether its `cnf` names a client certificate.
    pub(super) fn names_certificate(&self) -> bool {
        match &self.known {
            Known::Before(known) => known.first().names_certificate(),
            Known::Parsed(jwt) => jwt.names_certificate(),
        }
    }

    /// Checks whether one of these keys of a provider signed the token. An earlier
    /// verification for any provider counts if its key is among them. No key is tried
    /// twice, so a forged token costs one check for each key, independent of the number
    /// of providers that trust its issuer.
    pub(super) fn signed_by(
        &self,
        candidates: &[&Jwk],
        host_signatures: &dyn HostSignatures,
        tried: &mut Tried,
    ) -> Option<Signed> {
        let is_signer = |jwt: &VerifiedJwt| {
            let signer = |key: &&Jwk| key.key().fingerprint() == jwt.fingerprint();
            candidates.iter().any(signer)
        };
        let known = tried
            .good
            .as_ref()
            .filter(|jwt| is_signer(jwt))
            .or_else(|| match &self.known {
                Known::Parsed(_) => None,
                Known::Before(known) => known.iter().map(|(_, jwt)| jwt).find(|jwt| is_signer(jwt)),
            });
        if let Some(jwt) = known {
            return Some(Signed {
                jwt: Arc::clone(jwt),
                new: false,
            });
        }
        let jwt = match &self.known {
            Known::Parsed(jwt) => tried.verify(jwt, candidates, host_signatures),
            Known::Before(_) => tried.verify(
                &UnverifiedJwt::parse(self.text).ok()?,
                candidates,
                host_signatures,
            ),
        }?;
        Some(Signed { jwt, new: true })
    }
}

/// The keys that were already tried with one token.
#[derive(Default)]
pub(super) struct Tried {
    good: Option<Arc<VerifiedJwt>>,
    bad: Vec<Fingerprint>,
}

impl Tried {
    fn verify(
        &mut self,
        token: &UnverifiedJwt<'_>,
        candidates: &[&Jwk],
        host_signatures: &dyn HostSignatures,
    ) -> Option<Arc<VerifiedJwt>> {
        for key in candidates {
            let fingerprint = key.key().fingerprint();
            if self.bad.contains(fingerprint) {
                continue;
            }
            if let Some(jwt) = token.verify(key, host_signatures) {
                let jwt = Arc::new(jwt);
                self.good = Some(Arc::clone(&jwt));
                return Some(jwt);
            }
            self.bad.push(*fingerprint);
        }
        None
    }
}
