//! Steps 5 to 9 in words: the token.

use edge_authz::authz::{
    Candidates, Credentials, Form, HolderFault, KeyOutcome, KeyStep, RevocationOutcome, TokenFault,
};
use edge_authz::jwk::{KeySet, Lookup};
use edge_authz::jwt::{ClaimError, TokenError, ValidClaims, VerifiedJwt};
use edge_authz::policy::{Access, Policy, Provider, Route};
use edge_authz::rules::{
    ClaimRule, Claims, Expected, Missing, RequestParts, ScopeImplications, Scopes, meets,
};

use super::moment::Moment;
use super::quote;
use super::step::Step;
use crate::words;

/// Step 5: where the token is.
pub(super) fn credentials(policy: &Policy, found: &Credentials<'_>, route: &Route) -> Step {
    let places = policy.token_places.iter().map(words::token_place);
    let places = places.collect::<Vec<_>>().join(", ");
    let decided = |outcome: &str| Step::decided(5, "token", places.clone(), outcome.to_owned());
    match found {
        Credentials::Token(token) => {
            let place = words::token_place(token.place());
            let outcome = format!("{} bytes in {place}", token.text().len());
            Step::passed(5, "token", places, outcome)
        }
        Credentials::None if route.access == Access::Optional => {
            decided("none, which is allowed here")
        }
        Credentials::None => decided("none"),
        Credentials::Ambiguous => decided("none, but a value that another parser may read as one"),
        Credentials::Malformed => decided("not a scheme and one token"),
        Credentials::Several => decided("more than one"),
    }
}

/// Step 6: a malformed token.
pub(super) fn malformed(text: &[u8], error: TokenError) -> Step {
    let input = format!("{} bytes", text.len());
    Step::decided(6, "form", input, error.description().to_owned())
}

/// Step 6: the token's header and issuer, and the providers that may trust it.
pub(super) fn form(form: &Form<'_>, candidates: &Candidates<'_>) -> Step {
    let kid = form
        .kid()
        .map(|kid| format!("kid {}", quote(kid.as_bytes())));
    let typ = form.token_type();
    let typ = typ.map(|typ| format!("typ {}", quote(typ.as_str().as_bytes())));
    let issuer = format!("iss {}", quote(form.issuer().as_bytes()));
    let shown = [
        Some(format!("alg {}", form.algorithm().name())),
        kid,
        typ,
        Some(issuer),
    ];
    let input = shown.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let excluded = candidates
        .excluded()
        .map(|provider| format!("provider `{}` is not accepted by this route", provider.name));
    let names: Vec<_> = candidates
        .iter()
        .map(|(_, provider)| format!("`{}`", provider.name))
        .collect();
    let step = if names.is_empty() {
        let outcome = "no provider of this route has this issuer".to_owned();
        Step::decided(6, "form", input, outcome)
    } else {
        let outcome = format!("of provider {}", names.join(", then "));
        Step::passed(6, "form", input, outcome)
    };
    step.with(excluded)
}

/// Step 6 or 7: whether a provider accepts such tokens, and whether one of its keys has
/// signed this one.
pub(super) fn key(provider: &Provider, form: &Form<'_>, key: KeyStep<'_>) -> Step {
    let name = named(provider);
    let algorithm = form.algorithm().name();
    match key {
        KeyStep::NotLookedFor(TokenFault::Algorithm) => {
            Step::decided(6, "form", name, format!("does not accept {algorithm}"))
        }
        KeyStep::NotLookedFor(_) => {
            Step::decided(6, "form", name, "does not accept this `typ`".to_owned())
        }
        KeyStep::NoKeys => {
            let outcome = format!(
                "the keys are missing; give them with `--jwks {}=FILE`",
                provider.name
            );
            Step::decided(7, "key", name, outcome)
        }
        KeyStep::LookedFor {
            set,
            lookup,
            outcome,
        } => {
            let tried = looked_for(set, lookup, form, outcome);
            match outcome {
                KeyOutcome::Signed => Step::passed(7, "key", name, tried),
                KeyOutcome::Refused(_) => Step::decided(7, "key", name, tried),
                KeyOutcome::Awaited => {
                    Step::decided(7, "key", name, tried).with(["newer keys may have it".to_owned()])
                }
            }
        }
    }
}

/// The keys that were tried, and the result.
fn looked_for(set: &KeySet, lookup: &Lookup<'_>, form: &Form<'_>, outcome: KeyOutcome) -> String {
    let all = set.len();
    match (lookup, outcome) {
        (Lookup::Candidates { kid_known, .. }, KeyOutcome::Signed) => {
            let which = if *kid_known && form.kid().is_some() {
                "the key with its kid"
            } else {
                "the key that fits"
            };
            format!("{which}, of {all} in the set")
        }
        (
            Lookup::Candidates {
                keys,
                kid_known: true,
            },
            _,
        ) => format!(
            "the signature does not verify with {} of {all} keys",
            keys.len()
        ),
        (Lookup::Candidates { keys, .. }, _) => format!(
            "none of {all} has this kid; the signature does not verify with the {} without a kid",
            keys.len()
        ),
        (Lookup::UnknownKid, _) => format!("none of {all} has this kid"),
        (Lookup::NoFittingKey, _) => {
            let algorithm = form.algorithm();
            let fitting = set.iter().filter(|key| key.serves(algorithm)).count();
            if form.kid().is_none() && fitting > 1 {
                format!(
                    "{fitting} of {all} fit {}, and the token names none",
                    algorithm.name()
                )
            } else {
                format!("none of {all} fits {}", algorithm.name())
            }
        }
    }
}

/// Step 8: the claims are valid.
pub(super) fn claims_hold(provider: &Provider, jwt: &VerifiedJwt, now: Moment) -> Step {
    let outcome = "the signature and the claims are valid".to_owned();
    let until = Moment(jwt.expires());
    Step::passed(8, "claims", named(provider), outcome)
        .with([format!("valid until {until}, now is {now}")])
}

/// Step 8: the claims are not valid.
pub(super) fn claims_do_not_hold(
    provider: &Provider,
    route: &Route,
    jwt: &VerifiedJwt,
    request: &dyn RequestParts,
    now: Moment,
    fault: TokenFault,
) -> Step {
    let (outcome, more) = match fault {
        TokenFault::Claim(error) => (
            error.description(),
            more(error, provider, jwt, request, now),
        ),
        TokenFault::RouteTokenUse => {
            let wanted = route
                .token_use
                .map(|token_use| format!("the route requires token_use {}", token_use.as_str()));
            (
                ClaimError::TokenUse.description(),
                wanted.into_iter().collect(),
            )
        }
        TokenFault::Holder(fault) => holder(fault),
        // A token with one of these faults is refused in another step.
        TokenFault::Revoked
        | TokenFault::Algorithm
        | TokenFault::Type
        | TokenFault::UnknownKey
        | TokenFault::NoFittingKey
        | TokenFault::Signature => (fault.reason().name(), Vec::new()),
    };
    Step::decided(8, "claims", named(provider), outcome.to_owned()).with(more)
}

/// Why the sender is not taken for the token's holder, and details.
fn holder(fault: HolderFault) -> (&'static str, Vec<String>) {
    const IGNORE: &str = "with `binding: ignore` anybody who has it could use it";
    let (outcome, detail) = match fault {
        HolderFault::Unbound => (
            "the token is not bound to its holder",
            "the provider has `binding: required`",
        ),
        HolderFault::Unreadable => (
            "its `cnf` has neither `x5t#S256` nor `jkt` in a form that can be checked",
            IGNORE,
        ),
        HolderFault::ProofsNotAccepted => (
            "it is bound to a key, and the provider has no `dpop`",
            IGNORE,
        ),
        HolderFault::NotSigned => (
            "it is bound to a key, and is not presented with `Authorization: DPoP`",
            IGNORE,
        ),
        HolderFault::NotBoundToKey => (
            "the scheme is `DPoP`, and the token is not bound to a key",
            "or the provider has `binding: ignore`",
        ),
        HolderFault::NoCertificate
        | HolderFault::OtherCertificate
        | HolderFault::CertificateUnknown => (
            "it is bound to a client certificate",
            "only a proxy knows the certificate of a connection",
        ),
        HolderFault::Proof(error) => return (error.description(), Vec::new()),
        HolderFault::NoMemory => ("there is no memory for its proof", ""),
    };
    (outcome, vec![detail.to_owned()])
}

/// Details about a claim that is not valid.
fn more(
    error: ClaimError,
    provider: &Provider,
    jwt: &VerifiedJwt,
    request: &dyn RequestParts,
    now: Moment,
) -> Vec<String> {
    match error {
        ClaimError::Expired | ClaimError::Lifetime => {
            vec![format!("`exp` is {}, now is {now}", Moment(jwt.expires()))]
        }
        ClaimError::NotYetValid | ClaimError::IssuedInFuture => vec![format!("now is {now}")],
        ClaimError::TokenUse => {
            let wanted = provider.expectations.token_use;
            let line = |token_use: edge_authz::jwt::TokenUse| {
                format!("the provider requires token_use {}", token_use.as_str())
            };
            wanted.map(line).into_iter().collect()
        }
        ClaimError::ClaimRule => wanted(provider, request),
        ClaimError::TokenType | ClaimError::Issuer | ClaimError::Audience => Vec::new(),
    }
}

/// Step 8: whether the provider's revocation list names the token.
pub(super) fn revocation(provider: &Provider, outcome: RevocationOutcome) -> Step {
    let name = named(provider);
    match outcome {
        RevocationOutcome::NotNamed(entries) => {
            let outcome =
                format!("the revocation list does not name the token ({entries} entries)");
            Step::passed(8, "revoked", name, outcome)
        }
        RevocationOutcome::Revoked => {
            let outcome = "the revocation list names the token".to_owned();
            Step::decided(8, "revoked", name, outcome)
        }
        RevocationOutcome::NoList => {
            let outcome = format!(
                "the revocation list is missing; give it with `--revoked {}=FILE`",
                provider.name
            );
            Step::decided(8, "revoked", name, outcome)
        }
    }
}

/// What the rules of a route are checked against.
pub(super) struct Grounds<'a> {
    pub(super) implied: &'a ScopeImplications,
    pub(super) now: Moment,
    pub(super) provider: &'a Provider,
    pub(super) claims: ValidClaims<'a>,
    pub(super) request: &'a dyn RequestParts,
}

/// Step 9: the route's authentication, scopes and claims.
pub(super) fn rules(grounds: &Grounds<'_>, route: &Route, result: Result<(), Missing>) -> Step {
    let rules = &route.rules;
    if rules.authentication.is_none() && rules.scopes.is_empty() && rules.claims.is_empty() {
        return Step::skipped(9, "rules", "the route requires no scopes or claims");
    }
    let input = words::needs(route).join("; ");
    let (outcome, details) = match result {
        Ok(()) => return Step::passed(9, "rules", input, "met".to_owned()),
        Err(Missing::AuthenticationLevel) => (
            "the user has to authenticate in another way",
            vec![level(grounds)],
        ),
        Err(Missing::AuthenticationAge) => {
            ("the user has to authenticate again", vec![age(grounds)])
        }
        Err(Missing::Scopes) => ("a scope is missing", scopes(grounds)),
        Err(Missing::NoForbiddenScope) => ("it has a scope that it must not have", scopes(grounds)),
        Err(Missing::Claims) => {
            let Grounds {
                claims, request, ..
            } = grounds;
            let unmet = rules.claims.iter();
            let unmet = unmet.filter(|rule| !meets(rule, claims, *request));
            let unmet = unmet.flat_map(|rule| not_met(rule, *request));
            ("a claim rule is not met", unmet.collect())
        }
    };
    Step::decided(9, "rules", input, outcome.to_owned()).with(details)
}

fn named(provider: &Provider) -> String {
    format!("provider `{}`", provider.name)
}

/// The level at which the user has authenticated.
fn level(grounds: &Grounds<'_>) -> String {
    match grounds.claims.acr() {
        Some(acr) => format!("the token has `acr` {}", quote(acr.as_bytes())),
        None => "the token has no `acr` that is a text".to_owned(),
    }
}

/// When the user has authenticated.
fn age(grounds: &Grounds<'_>) -> String {
    let now = grounds.now;
    match grounds.claims.authenticated_at() {
        Some(at) => format!("`auth_time` is {}, now is {now}", Moment(at)),
        None => "the token has no `auth_time` that is a number".to_owned(),
    }
}

/// The scopes of a token, and those that it has because of them.
fn scopes(grounds: &Grounds<'_>) -> Vec<String> {
    let scopes = grounds.claims.scopes(&grounds.provider.scope_claims);
    let implied = scopes.names().filter_map(|name| {
        let narrow: Vec<_> = grounds.implied.implied_by(name).collect();
        (!narrow.is_empty()).then(|| format!("{name} implies {}", narrow.join(" ")))
    });
    let implied: Vec<_> = implied.collect();
    let mut lines = vec![own_scopes(&scopes)];
    lines.extend(implied);
    lines
}

fn own_scopes(scopes: &Scopes<'_>) -> String {
    let names = scopes.names().map(|name| quote(name.as_bytes()));
    let names: Vec<_> = names.collect();
    match names.as_slice() {
        [] => "the token has no scopes".to_owned(),
        names => format!("the token has scopes {}", names.join(" ")),
    }
}

/// A rule that is not met, and the values to compare with that are missing.
fn not_met(rule: &ClaimRule, request: &dyn RequestParts) -> Vec<String> {
    let mut lines = vec![format!("not met: {}", words::claim(rule))];
    lines.extend(missing(rule, request));
    lines
}

/// What a provider requires of each of its tokens.
fn wanted(provider: &Provider, request: &dyn RequestParts) -> Vec<String> {
    let rules = provider.expectations.claims.iter();
    let line = |rule: &ClaimRule| {
        let mut lines = vec![format!("the provider requires {}", words::claim(rule))];
        lines.extend(missing(rule, request));
        lines
    };
    rules.flat_map(line).collect()
}

/// The parts of the request that a rule compares with and that do not occur exactly once.
/// Their values come from the client and are not shown.
fn missing(rule: &ClaimRule, request: &dyn RequestParts) -> Vec<String> {
    let named = rule.requirement.values().filter_map(|value| match value {
        Expected::Part(part) => Some(part),
        Expected::Text(_) | Expected::Prefix(_) => None,
    });
    named
        .filter(|part| request.part(part).is_none())
        .map(|part| format!("the request does not have {part} exactly once, in one spelling"))
        .collect()
}
