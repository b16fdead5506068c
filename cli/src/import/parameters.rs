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
            let Some((name, value)) = argument.split_once('=') else {
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
