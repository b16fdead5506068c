//! The values that were given with `--param`.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

/// Values by name.
#[derive(Debug, Default)]
pub(super) struct Parameters {
    given: BTreeMap<String, String>,
    used: RefCell<BTreeSet<String>>,
}

impl Parameters {
    /// Reads arguments of the form `NAME=VALUE`.
    ///
    /// # Errors
    ///
    /// An argument without `=`, or a name that is given twice; as a sentence.
    pub(super) fn parse(arguments: &[String]) -> Result<Self, String> {
        let mut given = BTreeMap::new();
        for argument in arguments {
            let Some((name, value)) = split(argument) else {
                return Err("write `--param NAME=VALUE`".to_owned());
            };
            if given.insert(name.to_owned(), value.to_owned()).is_some() {
                return Err(format!("`--param {name}` is given twice; remove one"));
            }
        }
        Ok(Self {
            given,
            used: RefCell::default(),
        })
    }

    /// The value of a name.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        let value = self.given.get(name)?;
        self.used.borrow_mut().insert(name.to_owned());
        Some(value)
    }

    /// A name that nothing has used: it is probably misspelt, and a default has been
    /// taken instead.
    pub(super) fn unused(&self) -> Option<&str> {
        let used = self.used.borrow();
        let mut names = self.given.keys();
        names.find(|name| !used.contains(*name)).map(String::as_str)
    }
}

/// Splits at the first `=` that is not inside quotes, as in `r["a=b"].id=VALUE`.
fn split(argument: &str) -> Option<(&str, &str)> {
    let mut quoted = false;
    let at = argument.bytes().position(|byte| {
        quoted ^= byte == b'"';
        byte == b'=' && !quoted
    });
    // A quote alone does not hide the value.
    let at = at.or_else(|| argument.find('='))?;
    let (name, rest) = argument.split_at_checked(at)?;
    Some((name, rest.strip_prefix('=')?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_name_ends_at_the_first_equals_sign_outside_of_quotes() {
        for (argument, name, value) in [
            ("a=b=c", "a", "b=c"),
            (r#"r["a=b"].id=c"#, r#"r["a=b"].id"#, "c"),
            (r#"a"b=c"#, r#"a"b"#, "c"),
            ("a=", "a", ""),
        ] {
            assert_eq!(split(argument), Some((name, value)));
        }
        assert_eq!(split("a"), None);
    }
}
