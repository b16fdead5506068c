//! Rules about single claims, and what they are judged against.

use std::borrow::Cow;

use super::Requirement;

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

/// A value that a claim rule names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This text. A number or boolean in a claim compares as its JSON text.
    Text(Box<str>),
    /// The request's path variable of this name, compared as decoded bytes.
    Variable(Box<str>),
}

/// What one claim must be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim.
    pub name: ClaimName,
    /// The values it must, or must not, have.
    pub requirement: Requirement<Expected>,
}

/// A claim as rules see it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ClaimValue<'a> {
    /// No such claim.
    Absent,
    /// A string, decoded, or a number or boolean as its JSON text.
    One(Cow<'a, str>),
    /// An array.
    Many {
        /// Its strings, numbers and booleans.
        members: Vec<Cow<'a, str>>,
        /// Whether it has members of other types besides.
        unreadable: bool,
    },
    /// An object or `null`, or something on the way to the claim that is no
    /// object: it meets no rule.
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

/// Where path variables come from.
pub trait Variables {
    /// The decoded bytes of the path variable called `name`.
    fn variable(&self, name: &str) -> Option<&[u8]>;
}

/// No variables: for rules that are judged apart from any path.
#[derive(Clone, Copy, Debug)]
pub struct NoVariables;

impl Variables for NoVariables {
    fn variable(&self, _: &str) -> Option<&[u8]> {
        None
    }
}

/// Whether `claims` are as `rule` wants. A variable that the request does not
/// have fails the rule in every list, `none_of` too.
#[must_use]
pub fn meets(rule: &ClaimRule, claims: &dyn Claims, variables: &dyn Variables) -> bool {
    let requirement = &rule.requirement;
    let (members, unreadable) = match claims.claim(&rule.name) {
        ClaimValue::Absent => return !requirement.wants() && known(requirement, variables),
        ClaimValue::Other => return requirement.is_empty(),
        ClaimValue::One(value) => (vec![value], false),
        ClaimValue::Many {
            members,
            unreadable,
        } => (members, unreadable),
    };
    let holds = |expected: &Expected| {
        resolve(expected, variables)
            .is_some_and(|wanted| members.iter().any(|member| member.as_bytes() == wanted))
    };
    if requirement.forbids() && (unreadable || requirement.has_what_it_forbids(holds)) {
        return false;
    }
    requirement.has_what_it_wants(holds) && known(requirement, variables)
}

fn resolve<'v>(expected: &'v Expected, variables: &'v dyn Variables) -> Option<&'v [u8]> {
    match expected {
        Expected::Text(text) => Some(text.as_bytes()),
        Expected::Variable(name) => variables.variable(name),
    }
}

/// Whether everything that must not be there can be compared at all.
fn known(requirement: &Requirement<Expected>, variables: &dyn Variables) -> bool {
    requirement
        .none_of
        .iter()
        .all(|expected| resolve(expected, variables).is_some())
}
