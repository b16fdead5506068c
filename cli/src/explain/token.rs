//! Steps 5 to 9: the token.

use super::keys::KeyFiles;
use super::moment::Moment;
use super::quote;
use super::step::Step;
use crate::words;
use edge_authz::authz::{Credentials, Keys, Parts, Presented};
use edge_authz::crypto::NoNativeSignatures;
use edge_authz::http::RequestHead;
use edge_authz::jwk::{KeySet, Lookup};
use edge_authz::jwt::{ClaimError, UnverifiedJwt, ValidClaims, VerifiedJwt};
use edge_authz::policy::routes::Found;
use edge_authz::policy::{Access, Policy, Provider, ProviderKeys, Route};
use edge_authz::rules::{ClaimRule, Claims, Expected, Missing, RequestParts, meets};

/// What tokens are judged with.
pub(crate) struct Judge<'a> {
    pub(crate) policy: &'a Policy,
    pub(crate) keys: &'a KeyFiles,
    pub(crate) now: Moment,
}

impl Judge<'_> {
    /// The steps of a request's token at its route.
    pub(crate) fn steps(&self, head: &RequestHead, found: &Found<'_>, route: &Route) -> Vec<Step> {
        let places: Vec<_> = self
            .policy
            .token_places
            .iter()
            .map(words::token_place)
            .collect();
        let places = places.join(", ");
        let decided = |outcome: &str| {
            vec![Step::decided(
                5,
                "token",
                places.clone(),
                outcome.to_owned(),
            )]
        };
        let token = match Credentials::find(head, &self.policy.token_places) {
            Credentials::Token(token) if token.is_one_word() => token,
            Credentials::None if route.access == Access::Optional => {
                return decided("none, which is allowed here");
            }
            Credentials::None => return decided("none"),
            Credentials::Ambiguous => {
                return decided("none, but what another reader may take for one");
            }
            Credentials::Token(_) | Credentials::Malformed => {
                return decided("not a scheme and one token");
            }
            Credentials::Several => return decided("more than one"),
        };
        let length = token.text().len();
        let outcome = format!("{length} bytes in {}", words::token_place(token.place()));
        let mut steps = vec![Step::passed(5, "token", places, outcome)];
        match UnverifiedJwt::parse(token.text()) {
            Ok(jwt) => {
                let parts = Parts { head, found };
                self.parsed(&jwt, token.presented(), parts, route, &mut steps);
            }
            Err(error) => {
                let input = format!("{length} bytes");
                steps.push(Step::decided(
                    6,
                    "form",
                    input,
                    error.description().to_owned(),
                ));
            }
        }
        steps
    }

    fn parsed(
        &self,
        jwt: &UnverifiedJwt<'_>,
        presented: Presented,
        parts: Parts<'_>,
        route: &Route,
        steps: &mut Vec<Step>,
    ) {
        let kid = jwt
            .kid()
            .map(|kid| format!("kid {}", quote(kid.as_bytes())));
        let typ = jwt.token_type();
        let typ = typ.map(|typ| format!("typ {}", quote(typ.as_str().as_bytes())));
        let issuer = format!("iss {}", quote(jwt.issuer().as_bytes()));
        let shown = [
            Some(format!("alg {}", jwt.algorithm().name())),
            kid,
            typ,
            Some(issuer),
        ];
        let input = shown.into_iter().flatten().collect::<Vec<_>>().join(", ");
        let of_issuer: Vec<_> = self.policy.providers.of_issuer(jwt.issuer()).collect();
        let (allowed, others): (Vec<_>, Vec<_>) = of_issuer
            .into_iter()
            .partition(|(id, _)| route.allows_provider(*id));
        let others = others.iter().map(|(_, provider)| {
            format!("provider `{}` does not exist for this route", provider.name)
        });
        if allowed.is_empty() {
            let outcome = "no provider has this issuer here".to_owned();
            steps.push(Step::decided(6, "form", input, outcome).with(others));
            return;
        }
        let names: Vec<_> = allowed
            .iter()
            .map(|(_, provider)| format!("`{}`", provider.name))
            .collect();
        let outcome = format!("of provider {}", names.join(", then "));
        steps.push(Step::passed(6, "form", input, outcome).with(others));
        for (_, provider) in allowed {
            if self.by(provider, (jwt, presented), parts, route, steps) {
                return;
            }
        }
    }

    /// Whether the token satisfies this provider, so that no other is asked.
    fn by(
        &self,
        provider: &Provider,
        (jwt, presented): (&UnverifiedJwt<'_>, Presented),
        parts: Parts<'_>,
        route: &Route,
        steps: &mut Vec<Step>,
    ) -> bool {
        let name = format!("provider `{}`", provider.name);
        let verified = match self.verify(provider, jwt) {
            Ok((verified, outcome)) => {
                steps.push(Step::passed(7, "key", name.clone(), outcome));
                verified
            }
            Err((number, step, outcome)) => {
                steps.push(Step::decided(number, step, name, outcome));
                return false;
            }
        };
        let checked = verified.check(&provider.expectations, &parts, self.now.0);
        let checked = checked.and_then(|claims| {
            let wanted = route.token_use;
            wanted.map_or(Ok(()), |token_use| claims.check_token_use(token_use))?;
            Ok(claims)
        });
        match checked {
            Ok(_) if presented == Presented::WithProof => {
                let outcome = "the scheme is `DPoP`, and no proof of possession can be checked";
                steps.push(Step::decided(8, "claims", name, outcome.to_owned()));
                false
            }
            Ok(claims) => {
                let outcome = "the signature is right and the claims hold".to_owned();
                let times = [format!(
                    "valid until {}, now is {}",
                    Moment(verified.expires()),
                    self.now
                )];
                steps.push(Step::passed(8, "claims", name, outcome).with(times));
                steps.push(rules(provider, claims, parts, route));
                true
            }
            Err(error) => {
                let step = Step::decided(8, "claims", name, error.description().to_owned());
                let rules = (error == ClaimError::ClaimRule).then(|| wanted(provider, parts));
                let step = step.with(rules.into_iter().flatten());
                steps.push(step.with(self.more(error, &verified, route)));
                false
            }
        }
    }

    /// What there is to know of a claim that does not hold.
    fn more(&self, error: ClaimError, verified: &VerifiedJwt, route: &Route) -> Option<String> {
        match error {
            ClaimError::Expired | ClaimError::Lifetime => Some(format!(
                "`exp` is {}, now is {}",
                Moment(verified.expires()),
                self.now
            )),
            ClaimError::NotYetValid | ClaimError::IssuedInFuture => {
                Some(format!("now is {}", self.now))
            }
            ClaimError::TokenUse => {
                let wanted = route.token_use?;
                Some(format!("the route wants token_use {}", wanted.as_str()))
            }
            ClaimError::Bound => Some(
                "it has `cnf`; with `binding: ignore` it would be good for whoever has it"
                    .to_owned(),
            ),
            ClaimError::Unbound => Some("the provider has `binding: required`".to_owned()),
            ClaimError::TokenType
            | ClaimError::Issuer
            | ClaimError::Audience
            | ClaimError::ClaimRule => None,
        }
    }

    fn verify(
        &self,
        provider: &Provider,
        jwt: &UnverifiedJwt<'_>,
    ) -> Result<(VerifiedJwt, String), (u8, &'static str, String)> {
        let algorithm = jwt.algorithm();
        if !provider.algorithms.contains(algorithm) {
            return Err((6, "form", format!("does not accept {}", algorithm.name())));
        }
        if !provider.expectations.accepts_type(jwt.token_type()) {
            return Err((6, "form", "does not accept this `typ`".to_owned()));
        }
        let no_key = |outcome: String| (7, "key", outcome);
        let set = self.keys_of(provider).ok_or_else(|| {
            no_key(format!(
                "no keys are at hand; give them with `--jwks {}=FILE`",
                provider.name
            ))
        })?;
        match set.lookup(jwt.kid(), algorithm) {
            Lookup::Candidates { keys, kid_known } => {
                let count = keys.len();
                let verified = keys
                    .iter()
                    .find_map(|key| jwt.verify(key, &NoNativeSignatures));
                let which = if kid_known && jwt.kid().is_some() {
                    "the key with its kid"
                } else {
                    "the key that fits"
                };
                match verified {
                    Some(verified) => {
                        Ok((verified, format!("{which}, of {} in the set", set.len())))
                    }
                    None => Err((
                        8,
                        "claims",
                        format!(
                            "the signature does not verify with {count} of {} keys",
                            set.len()
                        ),
                    )),
                }
            }
            Lookup::UnknownKid => Err(no_key(format!("none of {} has this kid", set.len()))),
            Lookup::NoFittingKey => Err(no_key(format!(
                "none of {} fits {}",
                set.len(),
                algorithm.name()
            ))),
        }
    }

    fn keys_of<'k>(&'k self, provider: &'k Provider) -> Option<&'k KeySet> {
        match &provider.keys {
            ProviderKeys::Inline(set) => Some(set),
            ProviderKeys::Fetched(source) => Some(self.keys.keys(*source)?.set),
        }
    }
}

/// Step 9: the route's scopes and claims.
fn rules(provider: &Provider, claims: ValidClaims<'_>, parts: Parts<'_>, route: &Route) -> Step {
    let needs = words::needs(route);
    if route.rules.scopes.is_empty() && route.rules.claims.is_empty() {
        return Step::skipped(9, "rules", "the route asks for no scopes or claims");
    }
    let input = needs.join("; ");
    let has = || {
        let scopes = claims.scopes(&provider.scope_claims);
        let names: Vec<_> = scopes
            .names
            .iter()
            .map(|name| quote(name.as_bytes()))
            .collect();
        match names.as_slice() {
            [] => "the token has no scopes".to_owned(),
            names => format!("the token has scopes {}", names.join(" ")),
        }
    };
    match route.rules.grant(&claims, &provider.scope_claims, &parts) {
        Ok(_permit) => Step::passed(9, "rules", input, "met".to_owned()),
        Err(Missing::Scopes) => {
            Step::decided(9, "rules", input, "a scope is missing".to_owned()).with([has()])
        }
        Err(Missing::NoForbiddenScope) => Step::decided(
            9,
            "rules",
            input,
            "it has a scope that it must not have".to_owned(),
        )
        .with([has()]),
        Err(Missing::Claims) => {
            let unmet = route.rules.claims.iter();
            let unmet = unmet.filter(|rule| !meets(rule, &claims, &parts));
            let unmet = unmet.flat_map(|rule| not_met(rule, parts));
            Step::decided(9, "rules", input, "a claim is not as it must be".to_owned()).with(unmet)
        }
    }
}

/// A rule that is not met, and what it compares with that is not there.
fn not_met(rule: &ClaimRule, parts: Parts<'_>) -> Vec<String> {
    let mut lines = vec![format!("not met: {}", words::claim(rule))];
    lines.extend(missing(rule, parts));
    lines
}

/// What a provider wants of each of its tokens.
fn wanted(provider: &Provider, parts: Parts<'_>) -> Vec<String> {
    let rules = provider.expectations.claims.iter();
    let line = |rule: &ClaimRule| {
        let mut lines = vec![format!("the provider wants {}", words::claim(rule))];
        lines.extend(missing(rule, parts));
        lines
    };
    rules.flat_map(line).collect()
}

/// The parts of the request that a rule compares with and that are not there
/// exactly once. What is there is the client's and not shown.
fn missing(rule: &ClaimRule, parts: Parts<'_>) -> Vec<String> {
    let named = rule.requirement.values().filter_map(|value| match value {
        Expected::Part(part) => Some(part),
        Expected::Text(_) | Expected::Prefix(_) => None,
    });
    named
        .filter(|part| parts.part(part).is_none())
        .map(|part| format!("the request does not have {part} exactly once, in one spelling"))
        .collect()
}
