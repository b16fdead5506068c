//! Trusted claims.

use std::borrow::Cow;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::claims::{ClaimLookup, ClaimSet};
use super::content::ScopeList;
use super::{ClaimText, VerifiedJwt, context, text};
use crate::bytes::are_printable;
use crate::json::Value;
use crate::rules::{ClaimName, ClaimValue, Claims, Scopes};
use crate::time::UnixTime;

/// The claims that hold scopes, unless a provider names others.
pub const DEFAULT_SCOPE_CLAIMS: [&str; 2] = ["scope", "scp"];

/// The claims of a verified token that were valid at the time of the check, and that the
/// token's holder presents. Only
/// [`CheckedClaims::held_by`](super::CheckedClaims::held_by) makes them:
///
/// ```compile_fail,E0624
/// fn skip(token: &edge_authz::jwt::VerifiedJwt) {
///     let _ = edge_authz::jwt::ValidClaims::checked(token);
/// }
/// ```
///
/// ```compile_fail,E0451
/// fn skip(token: &edge_authz::jwt::VerifiedJwt) {
///     let _ = edge_authz::jwt::ValidClaims { token };
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct ValidClaims<'a> {
    token: &'a VerifiedJwt,
}

impl<'a> ValidClaims<'a> {
    /// Must be called only after the claims were checked.
    pub(super) fn checked(token: &'a VerifiedJwt) -> Self {
        Self { token }
    }

    /// `sub`.
    #[must_use]
    pub fn subject(&self) -> Option<&'a str> {
        self.token.registered().subject.as_deref()
    }

    /// The claims as the token's JSON text.
    #[must_use]
    pub fn payload(&self) -> &'a str {
        self.set().payload()
    }

    /// The claims part of the token as received. Only canonical base64url is
    /// accepted, so encoding restores the received text.
    #[must_use]
    pub fn payload_base64(&self) -> String {
        URL_SAFE_NO_PAD.encode(self.payload())
    }

    /// A claim as text for an upstream. `null` counts as absent: a header with
    /// `null` would look like a value.
    #[must_use]
    pub fn text(&self, name: &ClaimName) -> Option<ClaimText<'a>> {
        // It is read already, and is what upstreams need most.
        if name.as_str() == "sub" {
            return self.subject().map(ClaimText::decoded);
        }
        match self.set().resolve(name) {
            ClaimLookup::Value(value) => ClaimText::of(value),
            ClaimLookup::Absent | ClaimLookup::Unreadable => None,
        }
    }

    /// The value that a Lambda function finds under `authorizer.jwt`, as one
    /// line of JSON without control characters:
    /// `{"claims":{"sub":"alice","exp":"4102444800"},"scopes":["read"]}`.
    ///
    /// It has all claims except `null` ones, in the token's order, as strings in
    /// the form of API Gateway's HTTP APIs: numbers and booleans as in the
    /// token, arrays as `[admin ops]`, objects as `map[name:value]`. `scopes`
    /// has all scopes of the token, or is `null` if `scope_claims` is `None`,
    /// which a route without required scopes passes.
    #[must_use]
    pub fn context(&self, scope_claims: Option<&[ClaimName]>) -> String {
        let scopes = scope_claims.map(|names| self.scopes(names));
        context::context(self.set().iter(), scopes.as_ref())
    }

    fn set(self) -> &'a ClaimSet {
        self.token.claims()
    }

    fn read_scopes(self, scope_claims: &[ClaimName]) -> Scopes<'a> {
        let mut scopes = Scopes::default();
        for name in scope_claims {
            match self.set().resolve(name) {
                ClaimLookup::Absent => {}
                ClaimLookup::Unreadable => scopes.unreadable = true,
                ClaimLookup::Value(value) => add_scopes(value, &mut scopes),
            }
        }
        scopes
    }

    /// Where these scopes of the token are, if they are in one place.
    fn scope_list(self, scopes: &Scopes<'a>) -> Option<ScopeList> {
        Some(ScopeList {
            place: self.set().position_of(scopes.only_list()?)?,
            unreadable: scopes.unreadable,
        })
    }
}

impl Claims for ValidClaims<'_> {
    fn claim(&self, name: &ClaimName) -> ClaimValue<'_> {
        let value = match self.set().resolve(name) {
            ClaimLookup::Absent => return ClaimValue::Absent,
            ClaimLookup::Unreadable => return ClaimValue::Other,
            ClaimLookup::Value(value) => value,
        };
        if let Some(elements) = value.elements() {
            let count = elements.len();
            let members: Vec<_> = elements.into_iter().filter_map(text::scalar).collect();
            return ClaimValue::Many {
                unreadable: members.len() < count,
                members,
            };
        }
        if let Some(object) = value.members() {
            return ClaimValue::Many {
                members: object.into_names().collect(),
                unreadable: false,
            };
        }
        text::scalar(value).map_or(ClaimValue::Other, ClaimValue::One)
    }

    fn acr(&self) -> Option<Cow<'_, str>> {
        self.set().get("acr")?.string()
    }

    fn authenticated_at(&self) -> Option<UnixTime> {
        UnixTime::from_numeric_date(self.set().get("auth_time")?.number()?)
    }

    /// Strings are split at spaces (RFC 6749 section 3.3), and empty parts are
    /// dropped. Tabs and commas do not separate. In an array of strings (`scp`)
    /// each string is one scope. Any other value, including an array with
    /// another member, gives no scopes.
    fn scopes(&self, scope_claims: &[ClaimName]) -> Scopes<'_> {
        let read = || self.read_scopes(scope_claims);
        // Only one set of claims is remembered, and most providers have the default one.
        if !is_default(scope_claims) {
            return read();
        }
        let list = self.token.scope_list(|| self.scope_list(&read()));
        let known = list.and_then(|list| {
            let text = self.payload().get(list.place.clone())?;
            Some(Scopes::of_list(text, list.unreadable))
        });
        known.unwrap_or_else(read)
    }
}

/// Whether these are the claims [`DEFAULT_SCOPE_CLAIMS`].
fn is_default(scope_claims: &[ClaimName]) -> bool {
    let names = scope_claims.iter().map(ClaimName::as_str);
    names.eq(DEFAULT_SCOPE_CLAIMS)
}

fn add_scopes<'a>(value: Value<'a>, scopes: &mut Scopes<'a>) {
    if let Some(list) = value.string() {
        scopes.unreadable |= has_other_separator(&list);
        scopes.add_list(list);
        return;
    }
    let strings: Option<Vec<_>> = value
        .elements()
        .and_then(|elements| elements.into_iter().map(Value::string).collect());
    let Some(names) = strings else {
        scopes.unreadable = true;
        return;
    };
    let separates = |name: &Cow<'_, str>| name.contains(' ') || has_other_separator(name);
    scopes.unreadable |= names.iter().any(separates);
    for name in names {
        scopes.add(name);
    }
}

/// Whether the text has a character, besides the space, that another reader may
/// take for a separator.
fn has_other_separator(text: &str) -> bool {
    let other = |c: char| c != ' ' && (c.is_whitespace() || c.is_control());
    !are_printable(text.as_bytes()) && text.contains(other)
}
