//! Positions in the configuration: `routes[2].match[0]`.

use std::fmt;
use std::rc::Rc;

/// A position in the document while it is read. Cloning copies a pointer, so
/// that each value of 50,000 routes can have its own.
#[derive(Debug, Clone, Default)]
pub(super) struct Path<'d>(Option<Rc<Segment<'d>>>);

#[derive(Debug)]
struct Segment<'d> {
    parent: Path<'d>,
    step: PathStep<&'d str>,
}

/// The path of an error: the steps from the document's root.
///
/// Paths are ordered by member name and by element number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct ConfigPath(Vec<PathStep<Box<str>>>);

/// One step into an object or a list.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum PathStep<Name> {
    /// Into an object, to the member of this name.
    Member(Name),
    /// Into a list, to the element of this number, from 0.
    Element(usize),
}

impl<'d> Path<'d> {
    /// The document itself.
    pub(super) fn root() -> Self {
        Self(None)
    }

    /// The member called `name` of this value.
    pub(super) fn member(&self, name: &'d str) -> Self {
        self.step(PathStep::Member(name))
    }

    /// Element `index` of this value.
    pub(super) fn element(&self, index: usize) -> Self {
        self.step(PathStep::Element(index))
    }

    fn step(&self, step: PathStep<&'d str>) -> Self {
        let parent = self.clone();
        Self(Some(Rc::new(Segment { parent, step })))
    }

    /// The path for an error, which outlives the document.
    pub(super) fn to_owned(&self) -> ConfigPath {
        let mut steps = Vec::new();
        let mut rest = self;
        while let Some(segment) = &rest.0 {
            steps.push(match segment.step {
                PathStep::Member(name) => PathStep::Member(shortened(name)),
                PathStep::Element(index) => PathStep::Element(index),
            });
            rest = &segment.parent;
        }
        steps.reverse();
        ConfigPath(steps)
    }
}

/// The longest part of a name that an error repeats, in bytes. Otherwise a
/// thousand errors below a name of megabytes would take gigabytes.
const MAX_NAME: usize = 256;

fn shortened(name: &str) -> Box<str> {
    if name.len() <= MAX_NAME {
        return name.into();
    }
    let beginning = name.get(..name.floor_char_boundary(MAX_NAME));
    format!("{}…", beginning.unwrap_or_default()).into()
}

impl ConfigPath {
    /// The steps from the document's root. Empty for the document itself.
    #[must_use]
    pub fn steps(&self) -> &[PathStep<Box<str>>] {
        &self.0
    }
}

impl fmt::Display for ConfigPath {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return out.write_str("configuration");
        }
        for (number, step) in self.0.iter().enumerate() {
            match step {
                PathStep::Element(index) => write!(out, "[{index}]")?,
                PathStep::Member(name) if !is_plain(name) => write!(out, "[{name:?}]")?,
                PathStep::Member(name) if number == 0 => out.write_str(name)?,
                PathStep::Member(name) => write!(out, ".{name}")?,
            }
        }
        Ok(())
    }
}

/// Whether a name needs no quotes: `any_of`, `x-user-id`.
fn is_plain(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    !name.is_empty() && name.bytes().all(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_quotes_the_names_that_need_it_and_no_others() {
        let root = Path::root();
        assert_eq!(root.to_owned().to_string(), "configuration");
        let route = root.member("routes").element(0);
        assert_eq!(
            route.member("match").element(2).to_owned().to_string(),
            "routes[0].match[2]"
        );
        let claims = route.member("claims");
        assert_eq!(
            claims
                .member("cognito:groups")
                .member("any_of")
                .element(1)
                .to_owned()
                .to_string(),
            r#"routes[0].claims["cognito:groups"].any_of[1]"#
        );
        assert_eq!(
            claims.member("a.b").to_owned().to_string(),
            r#"routes[0].claims["a.b"]"#
        );
        assert_eq!(
            claims.member("x-a").to_owned().to_string(),
            "routes[0].claims.x-a"
        );
        assert_eq!(
            claims.member("a\n\"b").to_owned().to_string(),
            r#"routes[0].claims["a\n\"b"]"#
        );
        assert_eq!(
            claims.member("").to_owned().to_string(),
            r#"routes[0].claims[""]"#
        );
    }

    #[test]
    fn a_very_long_name_is_shortened() {
        let longest = "é".repeat(MAX_NAME / 2);
        let path = |name: &str| Path::root().member(name).to_owned().to_string();
        assert_eq!(path(&longest), format!("[\"{longest}\"]"));
        assert_eq!(path(&format!("{longest}x")), format!("[\"{longest}…\"]"));
        assert!(path(&"x".repeat(1 << 20)).len() < 2 * MAX_NAME);
        assert!(path(&format!("x{}", "é".repeat(1 << 10))).len() < 2 * MAX_NAME);
    }

    #[test]
    fn paths_order_elements_by_number() {
        let list = Path::root().member("routes");
        let second = list.element(2).to_owned();
        let tenth = list.element(10).to_owned();
        assert!(second < tenth);
    }
}
