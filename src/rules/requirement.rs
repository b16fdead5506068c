//! How many of a rule's values must be present.

/// Three lists of values that are checked together. An empty list is no
/// condition.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Requirement<T> {
    /// At least one of these must be present.
    pub any_of: Vec<T>,
    /// All of these must be present.
    pub all_of: Vec<T>,
    /// None of these may be present.
    pub none_of: Vec<T>,
}

impl<T> Requirement<T> {
    /// The requirement that a list without a name means.
    #[must_use]
    pub fn any_of(values: Vec<T>) -> Self {
        Self {
            any_of: values,
            ..Self::default()
        }
    }

    /// Whether nothing is required.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        !self.requires() && !self.forbids()
    }

    /// The values of all three lists.
    pub fn values(&self) -> impl Iterator<Item = &T> {
        let wanted = self.any_of.iter().chain(&self.all_of);
        wanted.chain(&self.none_of)
    }

    /// Whether some value must be present.
    pub(super) fn requires(&self) -> bool {
        !(self.any_of.is_empty() && self.all_of.is_empty())
    }

    /// Whether some value must be absent.
    pub(super) fn forbids(&self) -> bool {
        !self.none_of.is_empty()
    }

    /// Whether all required values are present according to `holds`.
    pub(super) fn has_required_values(&self, holds: impl Fn(&T) -> bool) -> bool {
        (self.any_of.is_empty() || self.any_of.iter().any(&holds)) && self.all_of.iter().all(&holds)
    }

    /// Whether a forbidden value is present according to `holds`.
    pub(super) fn has_forbidden_value(&self, holds: impl Fn(&T) -> bool) -> bool {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_requirement_is_empty_only_if_all_its_lists_are() {
        assert!(Requirement::<u8>::default().is_empty());
        for lists in 0..8_u8 {
            let list = |bit: u8| vec![bit; usize::from(lists >> bit & 1)];
            let requirement = Requirement {
                any_of: list(0),
                all_of: list(1),
                none_of: list(2),
            };
            assert_eq!(requirement.is_empty(), lists == 0);
            assert_eq!(requirement.requires(), lists & 3 != 0);
            assert_eq!(requirement.forbids(), lists & 4 != 0);
        }
    }

    #[test]
    fn a_list_without_a_name_is_any_of() {
        let requirement = Requirement::any_of(vec![1, 2]);
        assert_eq!(requirement.any_of, [1, 2]);
        assert!(requirement.all_of.is_empty() && requirement.none_of.is_empty());
    }
}
