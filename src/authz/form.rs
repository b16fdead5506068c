//! A token as it is known: parsed anew, or remembered.

use std::rc::Rc;

use super::Remembered;
use crate::crypto::{Algorithm, NativeSignatures};
use crate::jwk::Jwk;
use crate::jwt::{TokenError, TokenType, UnverifiedJwt, VerifiedJwt};
use crate::policy::ProviderId;

/// A token's header and issuer, on which no trust rests yet.
pub(super) struct Form<'t>(Known<'t>);

enum Known<'t> {
    /// It verified before, for these providers at least; its text is at hand
    /// to verify it for another.
    Before {
        known: &'t [(ProviderId, Rc<VerifiedJwt>)],
        first: &'t VerifiedJwt,
        text: &'t [u8],
    },
    Parsed(UnverifiedJwt<'t>),
}

/// A token that a key has signed.
pub(super) struct Signed {
    pub(super) jwt: Rc<VerifiedJwt>,
    /// Whether that is news.
    pub(super) new: bool,
}

impl<'t> Form<'t> {
    pub(super) fn of(text: &'t [u8], remembered: &'t dyn Remembered) -> Result<Self, TokenError> {
        let known = remembered.recall(text).unwrap_or_default();
        Ok(Self(match known.first() {
            Some((_, first)) => Known::Before { known, first, text },
            None => Known::Parsed(UnverifiedJwt::parse(text)?),
        }))
    }

    pub(super) const fn is_remembered(&self) -> bool {
        matches!(self.0, Known::Before { .. })
    }

    pub(super) fn issuer(&self) -> &str {
        match &self.0 {
            Known::Before { first, .. } => first.issuer(),
            Known::Parsed(jwt) => jwt.issuer(),
        }
    }

    pub(super) fn algorithm(&self) -> Algorithm {
        match &self.0 {
            Known::Before { first, .. } => first.algorithm(),
            Known::Parsed(jwt) => jwt.algorithm(),
        }
    }

    pub(super) fn kid(&self) -> Option<&str> {
        match &self.0 {
            Known::Before { first, .. } => first.kid(),
            Known::Parsed(jwt) => jwt.kid(),
        }
    }

    pub(super) fn token_type(&self) -> Option<&TokenType> {
        match &self.0 {
            Known::Before { first, .. } => first.token_type(),
            Known::Parsed(jwt) => jwt.token_type(),
        }
    }

    /// The token, signed by one of these keys of a provider. That it verified
    /// before counts only while the key is among them still.
    pub(super) fn signed_by(
        &self,
        candidates: &[&Jwk],
        provider: ProviderId,
        native: &dyn NativeSignatures,
    ) -> Option<Signed> {
        let verify = |jwt: &UnverifiedJwt<'_>| {
            let jwt = candidates.iter().find_map(|key| jwt.verify(key, native))?;
            Some(Signed {
                jwt: Rc::new(jwt),
                new: true,
            })
        };
        match &self.0 {
            Known::Parsed(jwt) => verify(jwt),
            Known::Before { known, text, .. } => {
                let before = known.iter().find(|(id, jwt)| {
                    let signer = |key: &&Jwk| key.key().fingerprint() == jwt.fingerprint();
                    *id == provider && candidates.iter().any(signer)
                });
                match before {
                    Some((_, jwt)) => Some(Signed {
                        jwt: Rc::clone(jwt),
                        new: false,
                    }),
                    None => verify(&UnverifiedJwt::parse(text).ok()?),
                }
            }
        }
    }
}
