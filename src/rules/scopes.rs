//! The scopes of a token.

use std::borrow::Cow;

use crate::bytes::find;

/// The scopes of a token.
///
/// A list is split where it is read: most requests look for one scope, and would split the
/// rest and allocate memory for nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Scopes<'a> {
    /// The names of one claim, separated by spaces.
    list: Cow<'a, str>,
    /// Further names. None is empty, and each is one scope even if it has a space.
    others: Vec<Cow<'a, str>>,
    /// Whether there may be scopes that are not among the names: a scope claim has a
    /// wrong type, or a scope contains white space or control characters, which
    /// another reader may take for separators. In that case `none_of` is not
    /// met.
    pub unreadable: bool,
}

impl<'a> Scopes<'a> {
    /// The scopes of one list that spaces separate.
    #[must_use]
    pub const fn of_list(list: &'a str, unreadable: bool) -> Self {
        Self {
            list: Cow::Borrowed(list),
            others: Vec::new(),
            unreadable,
        }
    }

    /// The list that spaces separate, if it has all names and is a part of the token's text.
    #[must_use]
    pub const fn only_list(&self) -> Option<&'a str> {
        match self.list {
            Cow::Borrowed(list) if self.others.is_empty() => Some(list),
            Cow::Borrowed(_) | Cow::Owned(_) => None,
        }
    }

    /// Adds the names of a list that spaces separate (RFC 6749 section 3.3). Empty parts are
    /// dropped.
    pub fn add_list(&mut self, list: Cow<'a, str>) {
        if self.list.is_empty() && self.others.is_empty() {
            self.list = list;
            return;
        }
        match list {
            Cow::Borrowed(list) => self.others.extend(pieces(list).map(Cow::Borrowed)),
            Cow::Owned(list) => {
                let own = |piece: &str| Cow::Owned(piece.to_owned());
                self.others.extend(pieces(&list).map(own));
            }
        }
    }

    /// Adds one name, which is not split. An empty one is dropped.
    pub fn add(&mut self, name: Cow<'a, str>) {
        if !name.is_empty() {
            self.others.push(name);
        }
    }

    /// The names, in the token's order; none is empty.
    pub fn names(&self) -> impl Iterator<Item = &str> {
        pieces(&self.list).chain(self.others.iter().map(|name| &**name))
    }

    /// Whether `scope` is among them, with the same letter case.
    #[must_use]
    pub fn contains(&self, scope: &str) -> bool {
        self.names().any(|name| name == scope)
    }
}

/// The parts between spaces.
fn pieces(list: &str) -> impl Iterator<Item = &str> {
    let mut rest = list;
    std::iter::from_fn(move || {
        loop {
            let end = find(rest.as_bytes(), b' ');
            let (piece, after) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
            rest = after.get(1..).unwrap_or_default();
            if !piece.is_empty() {
                return Some(piece);
            }
            end?;
        }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_split_at_spaces_and_another_name_is_not() {
        let mut scopes = Scopes::default();
        scopes.add_list("  read  write ".into());
        scopes.add("a b".into());
        scopes.add("".into());
        scopes.add_list(String::from("x  y").into());
        scopes.add_list("z".into());
        let names: Vec<&str> = scopes.names().collect();
        assert_eq!(names, ["read", "write", "a b", "x", "y", "z"]);
        for name in names {
            assert!(scopes.contains(name), "{name}");
        }
        for name in ["", " ", "a", "b", "Read", "read ", "read  write", "rea"] {
            assert!(!scopes.contains(name), "{name}");
        }
    }

    #[test]
    fn the_names_of_each_list_count() {
        let lists = ["a b", "", "c", "d e"];
        let mut scopes = Scopes::default();
        for list in lists {
            scopes.add_list(list.into());
        }
        assert_eq!(
            scopes.names().collect::<Vec<_>>(),
            ["a", "b", "c", "d", "e"]
        );
        let mut scopes = Scopes::default();
        scopes.add("x y".into());
        scopes.add_list("a b".into());
        let mut names: Vec<_> = scopes.names().collect();
        names.sort_unstable();
        assert_eq!(names, ["a", "b", "x y"]);
    }

    #[test]
    fn lists_without_names_have_none() {
        for list in ["", " ", "   "] {
            let mut scopes = Scopes::default();
            scopes.add_list(list.into());
            assert_eq!(scopes.names().count(), 0, "{list:?}");
            assert!(!scopes.contains("") && !scopes.contains(" "));
        }
    }
}
