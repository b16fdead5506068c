//! What requests need, and how needs are combined. A combination that cannot be expressed
//! is denied.

use std::collections::{BTreeMap, BTreeSet};

use crate::import::model::ClaimValue as Value;

/// Names of authorizers.
pub(in crate::import) type Names = BTreeSet<String>;

/// What a request needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::import) enum Need {
    /// Nothing.
    Open,
    /// Nothing helps, for this reason.
    Denied(String),
    /// No token, or one of these authorizers.
    Optional(Names),
    /// A token of one of these authorizers.
    Token(Names, Conditions),
    /// A token that was verified before, perhaps only of these authorizers.
    Having(Option<Names>, Conditions),
}

/// What a token must have.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(in crate::import) struct Conditions {
    pub(in crate::import) all_scopes: BTreeSet<String>,
    /// Empty: no condition.
    pub(in crate::import) any_scopes: BTreeSet<String>,
    /// One of the values for each claim.
    pub(in crate::import) claims: BTreeMap<String, BTreeSet<Value>>,
}

impl Need {
    pub(in crate::import) fn denied(reason: impl Into<String>) -> Self {
        Self::Denied(reason.into())
    }

    /// A verified token with one of these values in a claim.
    pub(in crate::import) fn claim(name: &str, values: impl IntoIterator<Item = Value>) -> Self {
        let claims = BTreeMap::from([(name.to_owned(), values.into_iter().collect())]);
        Self::Having(
            None,
            Conditions {
                claims,
                ..Conditions::default()
            },
        )
    }

    /// Whether everything that passes here passes there, too.
    fn at_least(&self, other: &Self) -> bool {
        let within = |one: &Option<Names>, other: &Option<Names>| match (one, other) {
            (_, None) => true,
            (Some(one), Some(other)) => one.is_subset(other),
            (None, Some(_)) => false,
        };
        match (self, other) {
            (Self::Denied(_), _) | (_, Self::Open) => true,
            (Self::Optional(one) | Self::Token(one, _), Self::Optional(other)) => {
                one.is_subset(other)
            }
            (Self::Token(one, rules), Self::Token(other, others)) => {
                one.is_subset(other) && rules.at_least(others)
            }
            (Self::Having(one, rules), Self::Having(other, others)) => {
                within(one, other) && rules.at_least(others)
            }
            _ => false,
        }
    }

    /// The strictest of several needs, each of which applies to some of the requests.
    pub(super) fn strictest(needs: &[Self]) -> Self {
        let strictest = needs
            .iter()
            .find(|one| needs.iter().all(|other| one.at_least(other)));
        strictest.cloned().unwrap_or_else(|| {
            Self::denied(
                "several rules of the source apply to these requests, and none is the strictest",
            )
        })
    }

    /// Both needs.
    pub(in crate::import) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Self::Denied(reason), _) | (_, Self::Denied(reason)) => Self::Denied(reason),
            (Self::Open, need) | (need, Self::Open) => need,
            (Self::Optional(one), Self::Optional(other)) => {
                common(&one, Some(&other)).map_or_else(no_issuer, Self::Optional)
            }
            (Self::Optional(names), Self::Having(others, rules))
            | (Self::Having(others, rules), Self::Optional(names)) => {
                token(common(&names, others.as_ref()), Some(rules))
            }
            (Self::Token(names, rules), Self::Having(others, more))
            | (Self::Having(others, more), Self::Token(names, rules)) => {
                token(common(&names, others.as_ref()), rules.and(&more))
            }
            (Self::Token(names, rules), Self::Optional(others))
            | (Self::Optional(others), Self::Token(names, rules)) => {
                token(common(&names, Some(&others)), Some(rules))
            }
            (Self::Token(one, rules), Self::Token(other, more)) => {
                token(common(&one, Some(&other)), rules.and(&more))
            }
            (Self::Having(one, rules), Self::Having(other, more)) => {
                let names = match (one, other) {
                    (None, names) | (names, None) => Some(names),
                    (Some(one), Some(other)) => common(&one, Some(&other)).map(Some),
                };
                match (names, rules.and(&more)) {
                    (Some(names), Some(rules)) => Self::Having(names, rules),
                    (None, _) => no_issuer(),
                    (_, None) => contradictory(),
                }
            }
        }
    }

    /// One of two needs; `None`: there is no rule for it.
    pub(super) fn or(&self, other: &Self) -> Option<Self> {
        if self.at_least(other) {
            return Some(other.clone());
        }
        if other.at_least(self) {
            return Some(self.clone());
        }
        let (Self::Having(one, rules), Self::Having(two, others)) = (self, other) else {
            return None;
        };
        if rules == others {
            let names = one.as_ref().zip(two.as_ref());
            let names = names.map(|(one, two)| one.union(two).cloned().collect());
            return Some(Self::Having(names, rules.clone()));
        }
        (one == two)
            .then(|| rules.or(others))
            .flatten()
            .map(|rules| Self::Having(one.clone(), rules))
    }

    /// The need of a request that no further layer verifies.
    pub(super) fn finished(self) -> Self {
        match self {
            Self::Having(..) => {
                Self::denied("it needs a token, but the source verifies none there")
            }
            Self::Open | Self::Denied(_) | Self::Optional(_) | Self::Token(..) => self,
        }
    }
}

fn no_issuer() -> Need {
    Need::denied("no issuer meets all rules of the source")
}

fn contradictory() -> Need {
    Need::denied("several rules of the source for one claim have no equivalent")
}

fn token(names: Option<Names>, rules: Option<Conditions>) -> Need {
    match (names, rules) {
        (Some(names), Some(rules)) => Need::Token(names, rules),
        (None, _) => no_issuer(),
        (_, None) => contradictory(),
    }
}

fn common(one: &Names, other: Option<&Names>) -> Option<Names> {
    let both: Names = match other {
        None => one.clone(),
        Some(other) => one.intersection(other).cloned().collect(),
    };
    (!both.is_empty()).then_some(both)
}

impl Conditions {
    fn at_least(&self, other: &Self) -> bool {
        let any = other.any_scopes.is_empty()
            || (!self.any_scopes.is_empty() && self.any_scopes.is_subset(&other.any_scopes));
        any && other.all_scopes.is_subset(&self.all_scopes)
            && other.claims.iter().all(|(name, values)| {
                let own = self.claims.get(name);
                own.is_some_and(|own| own.is_subset(values))
            })
    }

    fn and(&self, other: &Self) -> Option<Self> {
        let mut both = self.clone();
        both.all_scopes.extend(other.all_scopes.iter().cloned());
        both.any_scopes = narrower(&self.any_scopes, &other.any_scopes)?;
        for (name, values) in &other.claims {
            let empty = BTreeSet::new();
            let own = both.claims.get(name).unwrap_or(&empty);
            let values = narrower(own, values)?;
            both.claims.insert(name.clone(), values);
        }
        Some(both)
    }

    /// One of two, if they differ in one list only.
    fn or(&self, other: &Self) -> Option<Self> {
        let mut merged = self.clone();
        if !self.any_scopes.is_empty() && !other.any_scopes.is_empty() {
            merged.any_scopes.extend(other.any_scopes.iter().cloned());
            let rest = |rules: &Self| (rules.all_scopes.clone(), rules.claims.clone());
            if rest(self) == rest(other) {
                return Some(merged);
            }
            merged = self.clone();
        }
        let same = self.all_scopes == other.all_scopes && self.any_scopes == other.any_scopes;
        let names = self.claims.keys().eq(other.claims.keys());
        let mut different = self
            .claims
            .iter()
            .filter(|(name, values)| other.claims.get(*name) != Some(*values));
        let (Some((name, _)), None) = (different.next(), different.next()) else {
            return None;
        };
        if !same || !names {
            return None;
        }
        let more = other.claims.get(name)?.iter().cloned();
        merged.claims.get_mut(name)?.extend(more);
        Some(merged)
    }
}

/// The narrower of two lists of which one value is needed; an empty one needs none.
fn narrower<T: Clone + Ord>(one: &BTreeSet<T>, other: &BTreeSet<T>) -> Option<BTreeSet<T>> {
    if one.is_empty() || (!other.is_empty() && other.is_subset(one)) {
        return Some(other.clone());
    }
    (other.is_empty() || one.is_subset(other)).then(|| one.clone())
}
