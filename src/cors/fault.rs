//! What a preflight requests and the policy does not allow, as text for the
//! operator.
//!
//! The client chooses what it requests. So a value is repeated only if it has
//! the form of an origin, a method or a header's name, and only up to a maximum
//! length. A signed token has none of these forms: it contains dots and letters
//! in both cases.

use std::fmt;
use std::fmt::Write;

/// Something that a preflight requests and the policy does not allow.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PreflightFault {
    /// Which part of the request it concerns.
    pub part: PreflightPart,
    asked: Asked,
    allowed: Box<str>,
}

/// A part of what a preflight requests.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PreflightPart {
    /// The origin of the page is not allowed, repeated or malformed. The
    /// response is 403.
    Origin,
    /// The method of the actual request.
    Method,
    /// Headers of the actual request.
    Headers,
}

/// The requested value, as far as it may be repeated.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Asked {
    /// Names, and the number of further ones.
    Names(Vec<Box<str>>, usize),
    /// There are more than are checked.
    MoreThan(usize),
    /// It does not have the expected form.
    Malformed,
}

/// The most names that are reported.
const MAX_NAMES: usize = 8;
/// The most characters of a requested method.
const MAX_METHOD: usize = 32;
/// The most characters of a requested header's name.
const MAX_HEADER: usize = 64;
/// The most characters of an origin: scheme, host (at most 253) and port.
const MAX_ORIGIN: usize = 300;
/// The most characters of a list of allowed values.
const MAX_LIST: usize = 256;

impl PreflightFault {
    /// The fault of one `Origin`, or of several.
    pub(super) fn origin(asked: Option<&[u8]>, allowed: &str) -> Self {
        let is_safe = |byte: u8| {
            matches!(byte, b'a'..=b'z' | b'0'..=b'9')
                || matches!(byte, b'-' | b'.' | b'_' | b'+' | b':' | b'/' | b'[' | b']')
        };
        let asked = match asked {
            None => Asked::MoreThan(1),
            Some(origin) => Asked::one(text(origin, MAX_ORIGIN, is_safe)),
        };
        Self::new(PreflightPart::Origin, asked, allowed)
    }

    /// The fault of the requested method; `None` if it is not a method, or there
    /// are several.
    pub(super) fn method(asked: Option<&str>, allowed: &str) -> Self {
        let is_safe = |byte: u8| byte.is_ascii_alphabetic() || byte == b'-';
        let asked = asked.and_then(|method| text(method.as_bytes(), MAX_METHOD, is_safe));
        Self::new(PreflightPart::Method, Asked::one(asked), allowed)
    }

    fn new(part: PreflightPart, asked: Asked, allowed: &str) -> Self {
        Self {
            part,
            asked,
            allowed: allowed.into(),
        }
    }
}

/// Collects the requested headers that are not allowed.
#[derive(Debug, Default)]
pub(super) struct HeaderFaults {
    names: Vec<Box<str>>,
    more: usize,
}

impl HeaderFaults {
    pub(super) fn add(&mut self, name: &[u8]) {
        let is_safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
        match text(name, MAX_HEADER, is_safe) {
            Some(name) if self.names.len() < MAX_NAMES => self.names.push(name),
            Some(_) | None => self.more = self.more.saturating_add(1),
        }
    }

    /// The fault if there are more than `most`.
    pub(super) fn too_many(most: usize, allowed: &str) -> PreflightFault {
        PreflightFault::new(PreflightPart::Headers, Asked::MoreThan(most), allowed)
    }

    /// The fault, if there was one.
    pub(super) fn finish(self, allowed: &str) -> Option<PreflightFault> {
        let asked = match (self.names.len(), self.more) {
            (0, 0) => return None,
            (0, _) => Asked::Malformed,
            (_, more) => Asked::Names(self.names, more),
        };
        Some(PreflightFault::new(PreflightPart::Headers, asked, allowed))
    }
}

impl Asked {
    fn one(name: Option<Box<str>>) -> Self {
        match name {
            Some(name) => Self::Names(vec![name], 0),
            None => Self::Malformed,
        }
    }
}

/// The whole text, if it is short enough and has only safe characters.
fn text(bytes: &[u8], most: usize, is_safe: impl Fn(u8) -> bool) -> Option<Box<str>> {
    let is_text = (1..=most).contains(&bytes.len()) && bytes.iter().copied().all(is_safe);
    let text = std::str::from_utf8(bytes).ok().filter(|_| is_text)?;
    Some(text.into())
}

/// The first entries of a configured list, and the number of further ones.
pub(super) fn list<'a>(entries: impl IntoIterator<Item = &'a str>) -> String {
    let mut list = String::new();
    let mut more: usize = 0;
    for entry in entries {
        let length = list.len().saturating_add(entry.len());
        if more > 0 || length > MAX_LIST {
            more = more.saturating_add(1);
            continue;
        }
        if !list.is_empty() {
            list.push_str(", ");
        }
        list.push_str(entry);
    }
    if more > 0 {
        let and = if list.is_empty() { "" } else { " and " };
        // Writing to a string does not fail.
        let _ = write!(list, "{and}{more} more");
    }
    list
}

impl fmt::Display for PreflightFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (one, several) = match self.part {
            PreflightPart::Origin => ("origin", "origins"),
            PreflightPart::Method => ("method", "methods"),
            PreflightPart::Headers => ("header", "headers"),
        };
        match &self.asked {
            Asked::MoreThan(1) => write!(f, "more than one {one} at once is")?,
            Asked::MoreThan(most) => write!(f, "more than {most} {several} at once are")?,
            Asked::Malformed => write!(f, "a malformed {one} is")?,
            Asked::Names(names, more) => {
                let many = names.len() > 1 || *more > 0;
                let (noun, verb) = if many { (several, "are") } else { (one, "is") };
                write!(f, "the {noun} `{}`", names.join("`, `"))?;
                if *more > 0 {
                    write!(f, " and {more} more")?;
                }
                write!(f, " {verb}")?;
            }
        }
        match &*self.allowed {
            "" => f.write_str(" not allowed; none is"),
            allowed => write!(f, " not allowed; allowed: {allowed}"),
        }
    }
}
