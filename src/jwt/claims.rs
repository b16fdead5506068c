//! A token's claims, wherever the token stands on its way: the text, where in
//! it each claim is, and the registered claims with their types.
//!
//! The text is checked as a whole, once. After that a claim is opened only
//! when somebody asks for it.

use std::ops::Range;

use super::{MAX_JSON_DEPTH, RegisteredClaim, TokenError, numeric_date};
use crate::json::{self, Object, Value};
use crate::rules::ClaimName;
use crate::time::UnixTime;

/// All claims of one token.
#[derive(Clone)]
pub(super) struct ClaimSet {
    payload: Box<str>,
    members: Box<[Member]>,
    registered: Registered,
}

/// The claims that are settled before any rule is, each of its type.
#[derive(Clone)]
pub(super) struct Registered {
    pub(super) issuer: Box<str>,
    pub(super) subject: Option<Box<str>>,
    pub(super) audience: Option<Box<[Box<str>]>>,
    pub(super) expires: UnixTime,
    pub(super) not_before: Option<UnixTime>,
    pub(super) issued_at: Option<UnixTime>,
}

/// One claim's place in the payload.
#[derive(Clone)]
struct Member {
    name: Name,
    value: Range<usize>,
}

#[derive(Clone)]
enum Name {
    /// Stands in the payload as it is.
    Plain(Range<usize>),
    /// Was written with escapes.
    Escaped(Box<str>),
}

/// What was found where a claim's name leads.
pub(super) enum Found<'a> {
    Absent,
    Value(Value<'a>),
    /// The way leads into something that is no object.
    Unreadable,
}

impl ClaimSet {
    /// Reads the decoded second part of a token.
    pub(super) fn read(payload: Vec<u8>) -> Result<Self, TokenError> {
        let payload = String::from_utf8(payload)
            .map_err(|_| TokenError::Claims(json::Fault::NotUtf8))?
            .into_boxed_str();
        let object = json::object(payload.as_bytes(), MAX_JSON_DEPTH)
            .map_err(|error| TokenError::Claims(error.fault))?;
        let registered = Registered::read(&object)?;
        let members = object
            .iter()
            .filter_map(|(name, value)| Member::locate(&payload, name, value))
            .collect();
        Ok(Self {
            payload,
            members,
            registered,
        })
    }

    pub(super) fn payload(&self) -> &str {
        &self.payload
    }

    pub(super) fn registered(&self) -> &Registered {
        &self.registered
    }

    /// The claim of exactly this name.
    pub(super) fn get(&self, name: &str) -> Found<'_> {
        let member = self.members.iter().find(|it| self.name(it) == name);
        member.map_or(Found::Absent, |member| self.open(&member.value))
    }

    /// All claims, in the order of the token.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&str, Found<'_>)> {
        self.members
            .iter()
            .map(|member| (self.name(member), self.open(&member.value)))
    }

    fn name<'a>(&'a self, member: &'a Member) -> &'a str {
        match &member.name {
            Name::Plain(range) => self.payload.get(range.clone()).unwrap_or_default(),
            Name::Escaped(name) => name,
        }
    }

    fn open(&self, range: &Range<usize>) -> Found<'_> {
        let text = self.payload.get(range.clone()).unwrap_or_default();
        // A piece of a text that was found good; should it ever not be, it
        // is a claim that meets no rule.
        json::parse(text.as_bytes(), MAX_JSON_DEPTH).map_or(Found::Unreadable, Found::Value)
    }

    /// The claim that `name` leads to, as [`ClaimName`] says.
    pub(super) fn resolve(&self, name: &ClaimName) -> Found<'_> {
        let mut level = Level::Top(self);
        let mut rest = name.as_str();
        loop {
            match level.get(rest) {
                Found::Absent => {}
                found @ (Found::Value(_) | Found::Unreadable) => return found,
            }
            let Some((container, below)) = level.enter(rest) else {
                return Found::Absent;
            };
            match container {
                Found::Value(value) => match value.members() {
                    Some(object) => level = Level::Inside(object),
                    None => return Found::Unreadable,
                },
                Found::Absent | Found::Unreadable => return Found::Unreadable,
            }
            rest = below;
        }
    }

    /// Bytes on the heap.
    pub(super) fn heap_bytes(&self) -> usize {
        let names = self.members.iter().map(|member| match &member.name {
            Name::Plain(_) => 0,
            Name::Escaped(name) => name.len(),
        });
        names
            .chain([
                self.payload.len(),
                size_of_val::<[Member]>(&self.members),
                self.registered.heap_bytes(),
            ])
            .fold(0, usize::saturating_add)
    }
}

/// An object on the way to a claim.
enum Level<'a> {
    Top(&'a ClaimSet),
    Inside(Object<'a>),
}

impl<'a> Level<'a> {
    fn get(&self, name: &str) -> Found<'a> {
        match self {
            Level::Top(claims) => claims.get(name),
            Level::Inside(object) => object.get(name).map_or(Found::Absent, Found::Value),
        }
    }

    /// The member that the longest part of `name` before a dot names, and
    /// what of `name` is left.
    fn enter<'n>(&self, name: &'n str) -> Option<(Found<'a>, &'n str)> {
        name.rmatch_indices('.').find_map(|(at, _)| {
            let (outer, rest) = name.split_at_checked(at)?;
            match self.get(outer) {
                Found::Absent => None,
                found @ (Found::Value(_) | Found::Unreadable) => {
                    Some((found, rest.strip_prefix('.')?))
                }
            }
        })
    }
}

impl Member {
    fn locate(payload: &str, name: &str, value: Value<'_>) -> Option<Self> {
        let name = match range_within(payload, name) {
            Some(range) => Name::Plain(range),
            None => Name::Escaped(name.into()),
        };
        let value = range_within(payload, value.text())?;
        Some(Self { name, value })
    }
}

/// Where `part` lies, if it is a piece of `whole` and not a copy.
fn range_within(whole: &str, part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let end = start.checked_add(part.len())?;
    // A copy lies elsewhere, so its range is not within the text.
    (whole.get(start..end)? == part).then_some(start..end)
}

impl Registered {
    /// A registered claim that is there has its type, `null` included; only
    /// `iss` and `exp` have to be there.
    fn read(claims: &Object<'_>) -> Result<Self, TokenError> {
        let text = |name, claim| typed(claims, name, claim, string);
        let date = |name, claim| {
            typed(claims, name, claim, |value| {
                numeric_date::parse(value.number()?)
            })
        };
        // Typed like the others, then not used.
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

/// The claim as `read` takes it: `None` where it is absent, an error where it
/// is there and `read` does not take it.
fn typed<T>(
    claims: &Object<'_>,
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

/// `aud`: a string, or an array of nothing but strings.
fn audience(value: Value<'_>) -> Option<Box<[Box<str>]>> {
    match value.elements() {
        Some(elements) => elements.into_iter().map(string).collect(),
        None => Some([string(value)?].into()),
    }
}
