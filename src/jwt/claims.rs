//! The claims of a token, verified or not: the text, the position of each claim
//! in it, and the registered claims with their types.
//!
//! The text is checked once, as a whole. After that a claim is parsed only when
//! it is needed.

use std::ops::Range;

use super::{MAX_JSON_DEPTH, RegisteredClaim, TokenError};
use crate::json::{Document, Object, Value};
use crate::rules::ClaimName;
use crate::time::UnixTime;

/// All claims of one token.
#[derive(Clone)]
pub(super) struct ClaimSet {
    payload: Document,
    registered: Registered,
}

/// The registered claims that are checked before any rule, each with its type.
#[derive(Clone)]
pub(super) struct Registered {
    pub(super) issuer: Box<str>,
    pub(super) subject: Option<Box<str>>,
    pub(super) audience: Option<Box<[Box<str>]>>,
    pub(super) expires: UnixTime,
    pub(super) not_before: Option<UnixTime>,
    pub(super) issued_at: Option<UnixTime>,
    /// Whether it has a `cnf` of any type.
    pub(super) has_confirmation: bool,
}

/// The result of looking up a claim's name.
pub(super) enum ClaimLookup<'a> {
    Absent,
    Value(Value<'a>),
    /// A value on the path to the claim is not an object.
    Unreadable,
}

impl ClaimSet {
    /// Reads the decoded second part of a token.
    pub(super) fn read(payload: Vec<u8>) -> Result<Self, TokenError> {
        let payload = Document::read(payload, MAX_JSON_DEPTH)
            .map_err(|error| TokenError::Claims(error.fault))?;
        let registered = Registered::read(&payload)?;
        Ok(Self {
            payload,
            registered,
        })
    }

    pub(super) fn payload(&self) -> &str {
        self.payload.text()
    }

    /// The position of a part of the payload, if it is not a copy.
    pub(super) fn position_of(&self, part: &str) -> Option<Range<usize>> {
        self.payload.position_of(part)
    }

    pub(super) fn registered(&self) -> &Registered {
        &self.registered
    }

    /// The claim with exactly this name.
    pub(super) fn get(&self, name: &str) -> Option<Value<'_>> {
        self.payload.get(name)
    }

    /// All claims, in the order of the token.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.payload.iter()
    }

    /// The claim that `name` refers to, as defined by [`ClaimName`].
    pub(super) fn resolve(&self, name: &ClaimName) -> ClaimLookup<'_> {
        let mut level = Level::Top(self);
        let mut rest = name.as_str();
        loop {
            if let Some(value) = level.get(rest) {
                return ClaimLookup::Value(value);
            }
            let Some((container, below)) = level.enter(rest) else {
                return ClaimLookup::Absent;
            };
            let Some(object) = container.members() else {
                return ClaimLookup::Unreadable;
            };
            level = Level::Inside(object);
            rest = below;
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let payload = self.payload.heap_bytes();
        payload.saturating_add(self.registered.heap_bytes())
    }
}

/// An object on the path to a claim.
enum Level<'a> {
    Top(&'a ClaimSet),
    Inside(Object<'a>),
}

impl<'a> Level<'a> {
    fn get(&self, name: &str) -> Option<Value<'a>> {
        match self {
            Level::Top(claims) => claims.get(name),
            Level::Inside(object) => object.get(name),
        }
    }

    /// Finds the member for the longest part of `name` before a dot. Returns it
    /// and the rest of `name`.
    fn enter<'n>(&self, name: &'n str) -> Option<(Value<'a>, &'n str)> {
        // Most names have no dot, and most requests look for one that is absent.
        if !name.as_bytes().contains(&b'.') {
            return None;
        }
        name.rmatch_indices('.').find_map(|(at, _)| {
            let (outer, rest) = name.split_at_checked(at)?;
            Some((self.get(outer)?, rest.strip_prefix('.')?))
        })
    }
}

impl Registered {
    /// A registered claim that is present must have the right type; `null` is a
    /// wrong type. Only `iss` and `exp` are required.
    fn read(claims: &Document) -> Result<Self, TokenError> {
        let text = |name, claim| typed(claims, name, claim, string);
        let date = |name, claim| {
            typed(claims, name, claim, |value| {
                UnixTime::from_numeric_date(value.number()?)
            })
        };
        // Its type is checked, but its value is not used.
        text("jti", RegisteredClaim::Id)?;
        Ok(Self {
            issuer: text("iss", RegisteredClaim::Issuer)?
                .ok_or(TokenError::Claim(RegisteredClaim::Issuer))?,
            subject: text("sub", RegisteredClaim::Subject)?,
            audience: typed(claims, "aud", RegisteredClaim::Audience, audience)?,
            expires: date("exp", RegisteredClaim::Expiry)?
                .ok_or(TokenError::Claim(RegisteredClaim::Expiry))?,
            not_before: date("nbf", RegisteredClaim::NotBefore)?,
            issued_at: date("iat", RegisteredClaim::IssuedAt)?,
            has_confirmation: claims.get("cnf").is_some(),
        })
    }

    fn heap_bytes(&self) -> usize {
        let subject = self.subject.as_deref().map_or(0, str::len);
        let audience = self.audience.as_deref().unwrap_or_default();
        audience
            .iter()
            .map(|name| name.len())
            .chain([self.issuer.len(), subject, size_of_val(audience)])
            .fold(0, usize::saturating_add)
    }
}

/// The claim as `read` reads it: `None` if it is absent, an error if it is
/// present and `read` refuses it.
fn typed<T>(
    claims: &Document,
    name: &str,
    claim: RegisteredClaim,
    read: impl Fn(Value<'_>) -> Option<T>,
) -> Result<Option<T>, TokenError> {
    let value = claims.get(name);
    value
        .map(|value| read(value).ok_or(TokenError::Claim(claim)))
        .transpose()
}

fn string(value: Value<'_>) -> Option<Box<str>> {
    Some(value.string()?.into_owned().into_boxed_str())
}

/// `aud`: a string, or an array of strings only.
fn audience(value: Value<'_>) -> Option<Box<[Box<str>]>> {
    match value.elements() {
        Some(elements) => elements.into_iter().map(string).collect(),
        None => Some([string(value)?].into()),
    }
}
