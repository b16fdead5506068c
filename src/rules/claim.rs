//! Rules about single claims, and what they are judged against.

use std::borrow::Cow;

use super::{Expected, RequestPart, RequestParts, Requirement};

/// Where a claim is: `sub`, `cognito:groups`, `app_metadata.tenant`.
///
/// The whole name is tried first. Where no member has it, the longest part
/// before a dot that names a member leads into that member, which must be an
/// object, and the rest is looked up there in the same way. So namespaced
/// names (`https://example.com/claims.tenant`) work, and which member is meant
/// never depends on what lies below it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimName(Box<str>);

impl ClaimName {
    /// The claim that `name` leads to.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// The name as it was written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What one claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim.
    pub name: ClaimName,
    /// The values it must, or must not, have.
    pub requirement: Requirement<Expected>,
}

impl ClaimRule {
    /// The names of the headers that it compares the claim with.
    pub fn headers(&self) -> impl Iterator<Item = &str> {
        self.requirement.values().filter_map(|value| match value {
            Expected::Part(RequestPart::Header(name)) => Some(&**name),
            Expected::Part(RequestPart::Variable(_) | RequestPart::Query(_))
            | Expected::Text(_)
            | Expected::Prefix(_) => None,
        })
    }
}

/// A claim as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue<'a> {
    /// No such claim.
    Absent,
    /// A string, decoded, or a number or boolean as its JSON text.
    One(Cow<'a, str>),
    /// An array, or an object.
    Many {
        /// An array's strings, numbers and booleans; the names of an object's
        /// members, whatever they hold.
        members: Vec<Cow<'a, str>>,
        /// Whether it is an array that has members of other types besides.
        unreadable: bool,
    },
    /// `null`, or something on the way to the claim that is no object: it
    /// meets no rule.
    Other,
}

/// The scopes of a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes<'a> {
    /// In the order of the token; none of them is empty.
    pub names: Vec<Cow<'a, str>>,
    /// Whether there may be scopes that are not in `names`: a scope claim had
    /// a wrong type, or a scope holds white space or control characters,
    /// which another reader may take for separators. `none_of` is not met
    /// then.
    pub unreadable: bool,
}

impl Scopes<'_> {
    /// Whether `scope` is among them, letter case included.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.names.iter().any(|name| name == scope)
    }
}

/// Where claims come from.
pub trait Claims {
    /// The claim called `name`.
    fn claim(&self, name: &ClaimName) -> ClaimValue<'_>;

    /// The scopes in all of `scope_claims` together.
    fn scopes(&self, scope_claims: &[ClaimName]) -> Scopes<'_>;
}

/// Whether `claims` are as `rule` wants. A part of the request that is not
/// there exactly once fails the rule, whichever list names it: what the
/// upstream would make of it is not known.
#[must_use]
pub fn meets(rule: &ClaimRule, claims: &dyn Claims, request: &dyn RequestParts) -> bool {
    let requirement = &rule.requirement;
    if !requirement.values().all(|value| value.is_known(request)) {
        return false;
    }
    let (members, unreadable) = match claims.claim(&rule.name) {
        ClaimValue::Absent => return !requirement.wants(),
        ClaimValue::Other => return requirement.is_empty(),
        ClaimValue::One(value) => (vec![value], false),
        ClaimValue::Many {
            members,
            unreadable,
        } => (members, unreadable),
    };
    let holds = |expected: &Expected| expected.is_among(&members, request);
    if requirement.forbids() && (unreadable || requirement.has_what_it_forbids(holds)) {
        return false;
    }
    requirement.has_what_it_wants(holds)
}
