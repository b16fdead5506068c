//! Whether a key of a provider signed a token.

use super::form::{Form, Signed, Tried};
use super::token::TokenJudge;
use super::{
    Context, CurrentKeys, KeyOutcome, KeyStep, Keys, NeededDocument, Step, TokenFault, Trace,
};
use crate::jwk::{AskedKid, KeySet, Lookup};
use crate::policy::{Provider, ProviderKeys, SourceId};

/// Why a provider does not accept a token now.
#[derive(Clone, Copy)]
pub(super) enum Obstacle {
    /// A document is missing, or its keys lack the token's `kid`.
    Needs(NeededDocument),
    /// This source lacks the token's `kid`, and this was not known before.
    Absent(SourceId),
    /// This source may have other keys by now.
    Doubt(TokenFault, SourceId),
    Fault(TokenFault),
}

impl Obstacle {
    const fn outcome(&self) -> KeyOutcome {
        match self {
            Self::Needs(_) => KeyOutcome::Awaited,
            Self::Absent(_) => KeyOutcome::Refused(TokenFault::UnknownKey),
            Self::Doubt(fault, _) | Self::Fault(fault) => KeyOutcome::Refused(*fault),
        }
    }
}

impl<T: Trace> TokenJudge<'_, T> {
    /// Verifies the token with a key of one provider.
    pub(super) fn authenticate(
        &mut self,
        form: &Form<'_>,
        kid: Option<&AskedKid<'_>>,
        provider: &Provider,
        tried: &mut Tried,
    ) -> Result<Signed, Obstacle> {
        let unfit = if !provider.algorithms.contains(form.algorithm()) {
            Some(TokenFault::Algorithm)
        } else if !provider.expectations.accepts_type(form.token_type()) {
            Some(TokenFault::Type)
        } else {
            None
        };
        if let Some(fault) = unfit {
            let step = KeyStep::NotLookedFor(fault);
            self.trace.step(Step::Key(provider, form, step));
            return Err(Obstacle::Fault(fault));
        }
        let keys = match keys_of(provider, self.context.keys) {
            Ok(keys) => keys,
            Err(needed) => {
                let step = KeyStep::NoKeys;
                self.trace.step(Step::Key(provider, form, step));
                return Err(Obstacle::Needs(needed));
            }
        };
        let lookup = keys.set.lookup(form.kid(), form.algorithm());
        let signed = self.signed_by(&lookup, form, kid, &keys, tried);
        let step = KeyStep::LookedFor {
            set: keys.set,
            lookup: &lookup,
            outcome: match &signed {
                Ok(_) => KeyOutcome::Signed,
                Err(obstacle) => obstacle.outcome(),
            },
        };
        self.trace.step(Step::Key(provider, form, step));
        signed
    }

    fn signed_by(
        &self,
        lookup: &Lookup<'_>,
        form: &Form<'_>,
        kid: Option<&AskedKid<'_>>,
        keys: &ProviderKeySet<'_>,
        tried: &mut Tried,
    ) -> Result<Signed, Obstacle> {
        match lookup {
            Lookup::Candidates {
                keys: candidates,
                kid_known,
            } => match form.signed_by(candidates, self.context.host_signatures, tried) {
                Some(signed) => Ok(signed),
                None if *kid_known => Err(keys.doubt(TokenFault::Signature)),
                // A forged token must not make the `kid` of the real one absent.
                None => Err(self.unknown_key(keys, kid, Memory::Unused)),
            },
            Lookup::UnknownKid => Err(self.unknown_key(keys, kid, Memory::Used)),
            Lookup::NoFittingKey if kid.is_none() => Err(keys.doubt(TokenFault::NoFittingKey)),
            Lookup::NoFittingKey => Err(Obstacle::Fault(TokenFault::NoFittingKey)),
        }
    }

    /// A refusal for an unknown `kid` is final only if no newer key set can have it. A
    /// key rotation never leads to 401.
    fn unknown_key(
        &self,
        keys: &ProviderKeySet<'_>,
        kid: Option<&AskedKid<'_>>,
        memory: Memory,
    ) -> Obstacle {
        let (Some((source, fetched)), Some(kid)) = (keys.fetched, kid) else {
            return Obstacle::Fault(TokenFault::UnknownKey);
        };
        let Context { keys, arrived, .. } = self.context;
        let remembers = memory == Memory::Used;
        if fetched.fetch_started_at >= arrived {
            // This set is from a cache that stored it before the request arrived. No
            // newer set is available, and this one does not decide about later requests.
            return if remembers && fetched.as_of >= arrived {
                Obstacle::Absent(source)
            } else {
                Obstacle::Fault(TokenFault::UnknownKey)
            };
        }
        if remembers && keys.is_absent(source, kid) {
            return Obstacle::Fault(TokenFault::UnknownKey);
        }
        Obstacle::Needs(NeededDocument {
            source,
            lacks_kid: true,
        })
    }
}

/// Whether the list of absent `kid`s is used. It is used only if the `kid` alone decides,
/// and no key without a `kid` could have signed the token.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Memory {
    Used,
    Unused,
}

/// A provider's keys, their source and the time of their fetch.
struct ProviderKeySet<'k> {
    set: &'k KeySet,
    fetched: Option<(SourceId, CurrentKeys<'k>)>,
}

fn keys_of<'k>(
    provider: &'k Provider,
    keys: &'k dyn Keys,
) -> Result<ProviderKeySet<'k>, NeededDocument> {
    match &provider.keys {
        ProviderKeys::Inline(set) => Ok(ProviderKeySet { set, fetched: None }),
        ProviderKeys::Fetched(source) => match keys.keys(*source) {
            Some(keys) => Ok(ProviderKeySet {
                set: keys.set,
                fetched: Some((*source, keys)),
            }),
            None => Err(NeededDocument {
                source: *source,
                lacks_kid: false,
            }),
        },
    }
}

impl ProviderKeySet<'_> {
    /// Makes the obstacle for a token that a key of this set should have verified. An
    /// issuer may assign a `kid` to another key, or use no `kid`. Inline keys do not
    /// change.
    fn doubt(&self, fault: TokenFault) -> Obstacle {
        match self.fetched {
            Some((source, _)) => Obstacle::Doubt(fault, source),
            None => Obstacle::Fault(fault),
        }
    }
}
