//! Rules for single claims, and the claims that they are checked against.

use std::borrow::Cow;

use super::{Expected, RequestPart, RequestParts, Requirement, Scopes};
use crate::time::UnixTime;

/// The name of a claim: `sub`, `cognito:groups`, `app_metadata.tenant`.
///
/// The whole name is tried first. If no member has it, the longest part before a
/// dot that names a member selects that member, which must be an object, and the
/// rest is looked up there in the same way. So namespaced names
/// (`https://example.com/claims.tenant`) work, and the selected member never
/// depends on its content.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ClaimName(Box<str>);

impl ClaimName {
    /// Makes a claim name from its text.
    #[must_use]
    pub fn new(name: impl Into<Box<str>>) -> Self {
        Self(name.into())
    }

    /// The name as written.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The requirement on one claim.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimRule {
    /// The claim.
    pub name: ClaimName,
    /// The values that it must or must not have.
    pub requirement: Requirement<Expected>,
}

impl ClaimRule {
    /// The names of the headers that the claim is compared with.
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
    /// There is no such claim.
    Absent,
    /// A string, decoded, or a number or boolean as its JSON text.
    One(Cow<'a, str>),
    /// An array, or an object.
    Many {
        /// An array's strings, numbers and booleans, or the names of an object's
        /// members with any values.
        members: Vec<Cow<'a, str>>,
        /// Whether it is an array that also has members of other types.
        unreadable: bool,
    },
    /// `null`, or a value on the path to the claim that is not an object. It
    /// meets no rule.
    Other,
}

/// The source of claims.
pub trait Claims {
    /// The claim called `name`.
    fn claim(&self, name: &ClaimName) -> ClaimValue<'_>;

    /// `acr`: the level of the user's authentication, if it is a string.
    fn acr(&self) -> Option<Cow<'_, str>>;

    /// `auth_time`: when the user authenticated, if it is a number.
    fn authenticated_at(&self) -> Option<UnixTime>;

    /// The scopes in all of `scope_claims` together.
    fn scopes(&self, scope_claims: &[ClaimName]) -> Scopes<'_>;
}

/// Whether `claims` meet `rule`. A rule that names a part of the request fails
/// if that part does not occur exactly once, whichever list names it, since the
/// upstream's reading of it is unknown.
#[must_use]
pub fn meets(rule: &ClaimRule, claims: &dyn Claims, request: &dyn RequestParts) -> bool {
    let requirement = &rule.requirement;
    if !requirement.values().all(|value| value.is_known(request)) {
        return false;
    }
    let (members, unreadable) = match claims.claim(&rule.name) {
        ClaimValue::Absent => return !requirement.requires(),
        ClaimValue::Other => return requirement.is_empty(),
        ClaimValue::One(value) => (vec![value], false),
        ClaimValue::Many {
            members,
            unreadable,
        } => (members, unreadable),
    };
    let holds = |expected: &Expected| expected.is_among(&members, request);
    if requirement.forbids() && (unreadable || requirement.has_forbidden_value(holds)) {
        return false;
    }
    requirement.has_required_values(holds)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn part(part: RequestPart) -> Expected {
        Expected::Part(part)
    }

    #[test]
    fn the_headers_of_a_rule_are_those_of_all_its_lists() {
        let rule = ClaimRule {
            name: ClaimName::new("tenant"),
            requirement: Requirement {
                any_of: vec![
                    part(RequestPart::Header("x-tenant".into())),
                    part(RequestPart::Query("query".into())),
                ],
                all_of: vec![
                    Expected::Text("text".into()),
                    part(RequestPart::Header("x-other".into())),
                    part(RequestPart::Variable("variable".into())),
                ],
                none_of: vec![
                    Expected::Prefix("prefix".into()),
                    part(RequestPart::Header("x-third".into())),
                ],
            },
        };
        let headers: Vec<&str> = rule.headers().collect();
        assert_eq!(headers, ["x-tenant", "x-other", "x-third"]);
    }
}
