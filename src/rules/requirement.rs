//! How many of a rule's values must be there.

/// Three lists of values that are judged together. An empty list is no
/// condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement<T> {
    /// One of these at least must be there.
    pub any_of: Vec<T>,
    /// All of these must be there.
    pub all_of: Vec<T>,
    /// None of these may be there.
    pub none_of: Vec<T>,
}

impl<T> Requirement<T> {
    /// The requirement that a list on its own stands for.
    #[must_use]
    pub fn any_of(values: Vec<T>) -> Self {
        Self {
            any_of: values,
            ..Self::default()
        }
    }

    /// Whether nothing is required at all.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.wants() && !self.forbids()
    }

    /// The values of all three lists.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        let wanted = self.any_of.iter().chain(&self.all_of);
        wanted.chain(&self.none_of)
    }

    /// Whether some value has to be there.
    pub(super) fn wants(&self) -> bool {
        !(self.any_of.is_empty() && self.all_of.is_empty())
    }

    /// Whether some value must not be there.
    pub(super) fn forbids(&self) -> bool {
        !self.none_of.is_empty()
    }

    /// Whether all values that have to be there are, as `holds` tells.
    pub(super) fn has_what_it_wants(&self, holds: impl Fn(&T) -> bool) -> bool {
        (self.any_of.is_empty() || self.any_of.iter().any(&holds)) && self.all_of.iter().all(&holds)
    }

    /// Whether a value is there that must not be, as `holds` tells.
    pub(super) fn has_what_it_forbids(&self, holds: impl Fn(&T) -> bool) -> bool {
        self.none_of.iter().any(holds)
    }
}

impl<T> Default for Requirement<T> {
    /// No condition.
    fn default() -> Self {
        Self {
            any_of: Vec::new(),
            all_of: Vec::new(),
            none_of: Vec::new(),
        }
    }
}
