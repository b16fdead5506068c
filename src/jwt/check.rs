//! A provider's requirements on its tokens, and their check at one point in
//! time.

use std::sync::Arc;
use std::time::Duration;

use super::{Binding, CheckedClaims, ClaimError, TokenType, ValidClaims, VerifiedJwt};
use crate::json::Value;
use crate::rules::{ClaimRule, RequestParts, meets};
use crate::time::UnixTime;

/// A provider's requirements on every token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Expectations {
    /// The exact `iss`.
    pub issuer: Arc<str>,
    /// The audiences that the token may have.
    pub audiences: Audiences,
    /// Accepted `typ`s; `None` stands for a token without one.
    pub token_types: Vec<Option<TokenType>>,
    /// The required `token_use`. `None` means that it is not checked.
    pub token_use: Option<TokenUse>,
    /// Rules for other claims.
    pub claims: Vec<ClaimRule>,
    /// How `cnf` is treated.
    pub binding: Binding,
    /// The tolerance for differences between the clocks of issuer and proxy.
    pub clock_skew: Duration,
    /// The maximum time from now to `exp`. `None` means that there is no limit.
    pub max_lifetime: Option<Duration>,
}

/// The audiences that a token may have.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Audiences {
    /// Any audience: the check is disabled.
    Any,
    /// One of these, compared exactly, in `aud`. If there is no `aud`, the check
    /// uses `client_id`, as in Cognito's access tokens.
    AnyOf(Vec<Box<str>>),
}

/// The purpose of a token in Cognito's `token_use`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum TokenUse {
    /// `access`
    Access,
    /// `id`
    Id,
}

impl TokenUse {
    /// The claim's value.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Access => "access",
            Self::Id => "id",
        }
    }
}

impl Expectations {
    /// The default accepted `typ`s: no `typ`, `JWT`, and that of access tokens
    /// (RFC 9068). Tokens for other purposes, such as logout or proof of
    /// possession, have another `typ` (RFC 8725 section 3.11).
    #[must_use]
    pub fn default_token_types() -> Vec<Option<TokenType>> {
        vec![
            None,
            Some(TokenType::new("JWT")),
            Some(TokenType::new("at+jwt")),
        ]
    }

    /// Whether a token with this `typ` can be accepted. Unverified tokens are
    /// checked too, so that no token of another type waits for keys.
    #[must_use]
    pub fn accepts_type(&self, token_type: Option<&TokenType>) -> bool {
        let is_it = |accepted: &Option<TokenType>| accepted.as_ref() == token_type;
        self.token_types.iter().any(is_it)
    }
}

/// Runs the checks in the order of [`ClaimError`].
pub(super) fn check<'a>(
    token: &'a VerifiedJwt,
    expected: &Expectations,
    request: &dyn RequestParts,
    now: UnixTime,
) -> Result<CheckedClaims<'a>, ClaimError> {
    let has_type = expected.accepts_type(token.token_type());
    require(has_type, ClaimError::TokenType)?;
    times(token, expected.clock_skew, now)?;
    require(token.issuer() == &*expected.issuer, ClaimError::Issuer)?;
    require(is_for(token, &expected.audiences), ClaimError::Audience)?;
    if let Some(token_use) = expected.token_use {
        require(has_use(token, token_use), ClaimError::TokenUse)?;
    }
    if let Some(most) = expected.max_lifetime {
        let latest = now.saturating_add(most);
        require(token.expires() <= latest, ClaimError::Lifetime)?;
    }
    let claims = ValidClaims::checked(token);
    let rules_met = expected
        .claims
        .iter()
        .all(|rule| meets(rule, &claims, request));
    require(rules_met, ClaimError::ClaimRule)?;
    Ok(CheckedClaims::checked(token, expected.binding))
}

fn require(holds: bool, error: ClaimError) -> Result<(), ClaimError> {
    if holds { Ok(()) } else { Err(error) }
}

/// Valid from `nbf` − skew, while now < `exp` + skew, and issued by now + skew.
fn times(token: &VerifiedJwt, skew: Duration, now: UnixTime) -> Result<(), ClaimError> {
    let times = token.registered();
    let expired = now >= times.expires.saturating_add(skew);
    require(!expired, ClaimError::Expired)?;
    let latest = now.saturating_add(skew);
    let ahead = |time: Option<UnixTime>| time.is_some_and(|time| time > latest);
    require(!ahead(times.not_before), ClaimError::NotYetValid)?;
    require(!ahead(times.issued_at), ClaimError::IssuedInFuture)
}

fn is_for(token: &VerifiedJwt, audiences: &Audiences) -> bool {
    let accepted = match audiences {
        Audiences::Any => return true,
        Audiences::AnyOf(accepted) => accepted,
    };
    let is_accepted = |name: &str| accepted.iter().any(|audience| &**audience == name);
    if let Some(audience) = &token.registered().audience {
        return audience.iter().any(|name| is_accepted(name));
    }
    let client = token.claims().get("client_id").and_then(Value::string);
    client.is_some_and(|name| is_accepted(&name))
}

/// Whether `token_use` is present, a string, and equal to `token_use`.
pub(super) fn has_use(token: &VerifiedJwt, token_use: TokenUse) -> bool {
    let claimed = token.claims().get("token_use").and_then(Value::string);
    claimed.is_some_and(|text| text == token_use.as_str())
}
