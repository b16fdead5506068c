//! One token, judged against the providers that a route allows.

use std::sync::Arc;

use super::credentials::Presented;
use super::form::{Form, Signed, Tried};
use super::{Absent, CurrentKeys, Keys, Refusal, Verified, Wanted};
use crate::crypto::NativeSignatures;
use crate::jwk::{AskedKid, KeySet, Lookup};
use crate::jwt::{ClaimError, JwsError, TokenError, ValidClaims, VerifiedJwt};
use crate::policy::{Policy, Provider, ProviderId, ProviderKeys, Route, SourceId};
use crate::rules::RequestParts;
use crate::telemetry::Reason;
use crate::time::UnixTime;

/// What a token is judged with.
#[derive(Clone, Copy)]
pub(super) struct Judge<'a> {
    pub(super) policy: &'a Policy,
    pub(super) keys: &'a dyn Keys,
    pub(super) native: &'a dyn NativeSignatures,
    /// How the token is presented.
    pub(super) presented: Presented,
    /// What the token came with.
    pub(super) request: &'a dyn RequestParts,
    /// When the request came: a `kid` is unknown only by keys fetched later.
    pub(super) arrived: UnixTime,
    pub(super) now: UnixTime,
}

/// What became of a token.
pub(super) struct Judged<T> {
    /// What was made of its claims, with the provider that it satisfies.
    pub(super) outcome: Result<(ProviderId, T), Failure>,
    /// What it newly verified as.
    pub(super) verified: Option<Verified>,
    /// Its `kid`, where keys fetched after the request came lack it.
    pub(super) absent: Option<Absent>,
    /// Where keys come from that should have verified it and did not.
    pub(super) doubted: Vec<SourceId>,
    pub(super) recalled: bool,
}

/// Why a token does not hold, or not yet.
pub(super) enum Failure {
    /// Keys are missing that might make it good.
    /// They are wanted by this provider first.
    Wanting(Vec<Wanted>, ProviderId),
    /// It is refused, by the provider whose checks it got furthest with.
    Refused(Refusal, Option<ProviderId>),
}

/// Why a token does not hold for one provider, in the order of the checks.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Fault {
    Algorithm,
    Type,
    UnknownKey,
    NoFittingKey,
    Signature,
    Claim(ClaimError),
    RouteTokenUse,
    Proof,
}

impl Judge<'_> {
    /// Judges a token for a route and hands its claims to `satisfied`. Of
    /// several providers of its issuer, the first that it satisfies counts; a
    /// provider that the route does not allow does not exist.
    pub(super) fn judge<T>(
        &self,
        form: &Form<'_>,
        route: &Route,
        satisfied: impl FnOnce(&Provider, ValidClaims<'_>) -> T,
    ) -> Judged<T> {
        let mut judged = Judged::default_for(form);
        let mut tried = Tried::default();
        let kid = form.kid().map(AskedKid::new);
        let mut wanting: Option<(Vec<Wanted>, ProviderId)> = None;
        let mut furthest: Option<(Fault, ProviderId)> = None;
        for (id, provider) in self.policy.providers.of_issuer(form.issuer()) {
            if !route.allows_provider(id) {
                continue;
            }
            let fault = match self.authenticate(form, kid.as_ref(), provider, &mut tried) {
                Ok(Signed { jwt, new }) => {
                    if new {
                        judged.verified = Some(Verified {
                            token: form.text().into(),
                            provider: id,
                            jwt: Arc::clone(&jwt),
                        });
                    }
                    match self.check(&jwt, provider, route) {
                        Ok(claims) => {
                            judged.doubted = Vec::new();
                            judged.outcome = Ok((id, satisfied(provider, claims)));
                            return judged;
                        }
                        Err(fault) => fault,
                    }
                }
                Err(Obstacle::Fault(fault)) => fault,
                Err(Obstacle::Doubt(fault, source)) => {
                    judged.doubted.push(source);
                    fault
                }
                Err(Obstacle::Absent(source)) => {
                    judged.lacks(source, kid.as_ref());
                    Fault::UnknownKey
                }
                Err(Obstacle::Keys(wanted)) => {
                    // Two providers may have their keys from one source.
                    let (all, _) = wanting.get_or_insert_with(|| (Vec::new(), id));
                    if let Err(place) = all.binary_search(&wanted) {
                        all.insert(place, wanted);
                    }
                    continue;
                }
            };
            if furthest.is_none_or(|(known, _)| known < fault) {
                furthest = Some((fault, id));
            }
        }
        judged.outcome = Err(match (wanting, furthest) {
            (Some((wanted, id)), _) => Failure::Wanting(wanted, id),
            (None, Some((fault, id))) => Failure::Refused(fault.reason().into(), Some(id)),
            (None, None) => Failure::Refused(Reason::UnknownIssuer.into(), None),
        });
        judged
    }

    /// The token, verified by a key of one provider.
    fn authenticate(
        &self,
        form: &Form<'_>,
        kid: Option<&AskedKid<'_>>,
        provider: &Provider,
        tried: &mut Tried,
    ) -> Result<Signed, Obstacle> {
        let algorithm = form.algorithm();
        if !provider.algorithms.contains(algorithm) {
            return Err(Obstacle::Fault(Fault::Algorithm));
        }
        if !provider.expectations.accepts_type(form.token_type()) {
            return Err(Obstacle::Fault(Fault::Type));
        }
        let keys = self.keys_of(provider)?;
        match keys.set.lookup(form.kid(), algorithm) {
            Lookup::Candidates {
                keys: candidates,
                kid_known,
            } => match form.signed_by(&candidates, self.native, tried) {
                Some(signed) => Ok(signed),
                None if kid_known => Err(keys.doubt(Fault::Signature)),
                // A forged token must not make the real one's `kid` absent.
                None => Err(self.unknown_key(&keys, kid, Memory::Unused)),
            },
            Lookup::UnknownKid => Err(self.unknown_key(&keys, kid, Memory::Used)),
            Lookup::NoFittingKey if kid.is_none() => Err(keys.doubt(Fault::NoFittingKey)),
            Lookup::NoFittingKey => Err(Obstacle::Fault(Fault::NoFittingKey)),
        }
    }

    fn keys_of<'k>(&'k self, provider: &'k Provider) -> Result<ProviderKeySet<'k>, Obstacle> {
        match &provider.keys {
            ProviderKeys::Inline(set) => Ok(ProviderKeySet { set, fetched: None }),
            ProviderKeys::Fetched(source) => match self.keys.keys(*source) {
                Some(keys) => Ok(ProviderKeySet {
                    set: keys.set,
                    fetched: Some((*source, keys)),
                }),
                None => Err(Obstacle::Keys(Wanted {
                    source: *source,
                    lacks_kid: false,
                })),
            },
        }
    }

    /// An unknown `kid` is final only where no later key set can have it: a
    /// rotation is never answered with 401.
    fn unknown_key(
        &self,
        keys: &ProviderKeySet<'_>,
        kid: Option<&AskedKid<'_>>,
        memory: Memory,
    ) -> Obstacle {
        let (Some((source, fetched)), Some(kid)) = (keys.fetched, kid) else {
            return Obstacle::Fault(Fault::UnknownKey);
        };
        let remembers = memory == Memory::Used;
        if fetched.fetched_from >= self.arrived {
            // A set that a cache has kept since before the question is all that
            // is to be had, and shows nothing to whoever asks next.
            return if remembers && fetched.as_of >= self.arrived {
                Obstacle::Absent(source)
            } else {
                Obstacle::Fault(Fault::UnknownKey)
            };
        }
        if remembers && self.keys.is_absent(source, kid) {
            return Obstacle::Fault(Fault::UnknownKey);
        }
        Obstacle::Keys(Wanted {
            source,
            lacks_kid: true,
        })
    }

    /// The claims, if they hold now and on this route.
    fn check<'t>(
        &self,
        jwt: &'t VerifiedJwt,
        provider: &Provider,
        route: &Route,
    ) -> Result<ValidClaims<'t>, Fault> {
        let claims = jwt
            .check(&provider.expectations, self.request, self.now)
            .map_err(Fault::Claim)?;
        if let Some(token_use) = route.token_use {
            claims
                .check_token_use(token_use)
                .map_err(|_| Fault::RouteTokenUse)?;
        }
        // The proof that the scheme announces is the last thing to be checked,
        // and none can be.
        if self.presented == Presented::WithProof {
            return Err(Fault::Proof);
        }
        Ok(claims)
    }
}

/// Whether the memory of absent `kid`s is used: only where the `kid` alone
/// decides, and no key without one could have signed the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Used,
    Unused,
}

/// Why there is no verified token for a provider.
enum Obstacle {
    Keys(Wanted),
    /// This source does not have the token's `kid`, and that is news.
    Absent(SourceId),
    /// This source may have other keys by now.
    Doubt(Fault, SourceId),
    Fault(Fault),
}

/// A provider's keys, and where they were fetched and when.
struct ProviderKeySet<'k> {
    set: &'k KeySet,
    fetched: Option<(SourceId, CurrentKeys<'k>)>,
}

impl ProviderKeySet<'_> {
    /// What a token is refused for that a key of this set should have verified:
    /// an issuer may give a `kid` to another key, or use none. Keys in the
    /// configuration stay what they are.
    fn doubt(&self, fault: Fault) -> Obstacle {
        match self.fetched {
            Some((source, _)) => Obstacle::Doubt(fault, source),
            None => Obstacle::Fault(fault),
        }
    }
}

impl<T> Judged<T> {
    /// Refused until shown to be good.
    fn default_for(form: &Form<'_>) -> Self {
        let outcome = Err(Failure::Refused(Reason::UnknownIssuer.into(), None));
        Self {
            outcome,
            verified: None,
            absent: None,
            doubted: Vec::new(),
            recalled: form.is_remembered(),
        }
    }

    fn lacks(&mut self, source: SourceId, kid: Option<&AskedKid<'_>>) {
        let Some(kid) = kid else { return };
        let absent = self.absent.get_or_insert_with(|| Absent {
            kid: kid.text().into(),
            sources: Vec::new(),
        });
        absent.sources.push(source);
    }
}

/// The refusal of what is no token in form.
pub(super) fn malformed(error: TokenError) -> Refusal {
    Refusal {
        description: Some(error.description()),
        ..reason_of(error).into()
    }
}

const fn reason_of(error: TokenError) -> Reason {
    match error {
        TokenError::Form(JwsError::TooLong) => Reason::TokenTooLong,
        TokenError::Form(JwsError::Algorithm) => Reason::BadAlgorithm,
        TokenError::Form(
            JwsError::Encrypted | JwsError::CriticalExtension | JwsError::UnencodedPayload,
        ) => Reason::UnsupportedHeader,
        TokenError::Form(
            JwsError::NotThreeParts
            | JwsError::NotBase64Url
            | JwsError::Header(_)
            | JwsError::KeyId
            | JwsError::TokenType,
        )
        | TokenError::Claims(_)
        | TokenError::Claim(_) => Reason::MalformedToken,
    }
}

impl Fault {
    const fn reason(self) -> Reason {
        match self {
            Self::Algorithm => Reason::BadAlgorithm,
            Self::Type | Self::Claim(ClaimError::TokenType) => Reason::BadType,
            Self::UnknownKey => Reason::UnknownKey,
            Self::NoFittingKey => Reason::NoFittingKey,
            Self::Signature => Reason::BadSignature,
            Self::Claim(ClaimError::Expired) => Reason::Expired,
            Self::Claim(ClaimError::NotYetValid | ClaimError::IssuedInFuture) => {
                Reason::NotYetValid
            }
            Self::Claim(ClaimError::Issuer) => Reason::UnknownIssuer,
            Self::Claim(ClaimError::Audience) => Reason::BadAudience,
            Self::Claim(ClaimError::TokenUse) | Self::RouteTokenUse => Reason::BadTokenUse,
            Self::Claim(ClaimError::Lifetime) => Reason::LifetimeTooLong,
            Self::Claim(ClaimError::ClaimRule) => Reason::BadClaims,
            Self::Claim(ClaimError::Bound) => Reason::BoundToken,
            Self::Claim(ClaimError::Unbound) => Reason::UnboundToken,
            Self::Proof => Reason::DpopNotAccepted,
        }
    }
}
