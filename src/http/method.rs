//! Request methods, which are case-sensitive (RFC 9110 section 9.1).

use super::name::is_token;
use std::borrow::Borrow;
use std::fmt;

/// The methods that HTTP and its common extensions define.
const WELL_KNOWN: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// The name of a method: upper-case letters and `-`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method(Box<str>);

impl Method {
    /// Reads a method's name from the configuration.
    ///
    /// # Errors
    /// [`BadMethod`] unless it consists of upper-case letters and `-`. HTTP
    /// allows other tokens as methods, but no client sends them. A wildcard or list
    /// of another router (`*`, `GET|POST`) would be a method that no request
    /// has, and its requests would reach a less strict route.
    pub fn parse(name: &str) -> Result<Self, BadMethod> {
        let is_word =
            |word: &str| !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_uppercase());
        if name == "ANY" || name == "ALL" || !name.split('-').all(is_word) {
            return Err(BadMethod::of(name));
        }
        Ok(Self(name.into()))
    }

    /// Whether a request's method has one reading: it is a token, and not a
    /// well-known method in another letter case. `delete` is a method of its own
    /// here, but an upstream that converts methods to upper case reads it as
    /// `DELETE`.
    #[must_use]
    pub fn has_one_reading(method: &[u8]) -> bool {
        Self::is_upper_case(method)
            || is_token(method) && well_known(method).is_none_or(|known| known.as_bytes() == method)
    }

    /// Whether a request's method consists of upper-case letters only. Such a method has
    /// one reading for any set of configured methods: these consist of upper-case letters
    /// and hyphens, so one that equals it in any letter case is identical.
    #[must_use]
    pub fn is_upper_case(method: &[u8]) -> bool {
        !method.is_empty() && method.iter().all(u8::is_ascii_uppercase)
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The well-known method with this name, in any letter case.
fn well_known(method: &[u8]) -> Option<&'static str> {
    WELL_KNOWN
        .into_iter()
        .find(|known| known.as_bytes().eq_ignore_ascii_case(method))
}

/// Allows a search for a request's method, which is bytes.
impl Borrow<[u8]> for Method {
    fn borrow(&self) -> &[u8] {
        self.0.as_bytes()
    }
}

impl fmt::Display for Method {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

/// The methods a route is for.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum MethodPattern {
    /// `ANY`: every method for which the same pattern has no other route.
    Any,
    /// One method.
    Named(Method),
}

impl MethodPattern {
    /// Reads `ANY` or a method's name.
    ///
    /// # Errors
    /// As [`Method::parse`].
    pub fn parse(name: &str) -> Result<Self, BadMethod> {
        if name == "ANY" {
            Ok(Self::Any)
        } else {
            Method::parse(name).map(Self::Named)
        }
    }
}

impl fmt::Display for MethodPattern {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Any => out.write_str("ANY"),
            Self::Named(method) => method.fmt(out),
        }
    }
}

/// Why a text is not a method.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BadMethod {
    /// A name that means every method elsewhere, such as `*`, `ALL` or `any`.
    EveryMethod,
    /// Several methods, such as `GET|POST`.
    Several,
    /// It is a well-known method in another letter case.
    LetterCase {
        /// The method that was meant.
        instead: &'static str,
    },
    /// Any other text that is not upper-case letters and `-`.
    NotAMethod,
}

impl BadMethod {
    /// The problem of a text that is not a method.
    fn of(name: &str) -> Self {
        let every = ["ANY", "ALL", "*", "**", "$default"];
        let separates = |c: char| !(c.is_alphanumeric() || c == '-' || c == '_');
        let words = name.split(separates).filter(|word| !word.is_empty());
        if every.iter().any(|word| word.eq_ignore_ascii_case(name)) {
            Self::EveryMethod
        } else if words.count() > 1 {
            Self::Several
        } else if let Some(instead) = well_known(name.as_bytes()) {
            Self::LetterCase { instead }
        } else {
            Self::NotAMethod
        }
    }
}

impl fmt::Display for BadMethod {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EveryMethod => out.write_str("not a method; write `ANY` for every method"),
            Self::Several => {
                out.write_str("more than one method; write one pattern per method, or `ANY`")
            }
            Self::LetterCase { instead } => {
                write!(out, "methods are case-sensitive; write `{instead}`")
            }
            Self::NotAMethod => out.write_str(
                "not a method, which is upper-case letters; write `GET`, `POST` … or `ANY`",
            ),
        }
    }
}

impl std::error::Error for BadMethod {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_method_is_upper_case_letters() {
        for name in ["GET", "PROPFIND", "FOO", "VERSION-CONTROL", "M-SEARCH"] {
            assert_eq!(Method::parse(name).unwrap().as_str(), name);
        }
        assert_eq!(MethodPattern::parse("ANY"), Ok(MethodPattern::Any));
    }

    #[test]
    fn method_notations_of_other_routers_are_refused() {
        use BadMethod::{EveryMethod, LetterCase, NotAMethod, Several};
        let get = LetterCase { instead: "GET" };
        for (name, error) in [
            ("*", EveryMethod),
            ("ALL", EveryMethod),
            ("all", EveryMethod),
            ("Any", EveryMethod),
            ("$default", EveryMethod),
            ("GET|POST", Several),
            ("GET,POST", Several),
            ("[GET,POST]", Several),
            ("get/post", Several),
            ("G T", Several),
            ("get", get),
            ("Get", get),
            ("", NotAMethod),
            ("foo", NotAMethod),
            ("X_FOO", NotAMethod),
            ("GET2", NotAMethod),
            ("-", NotAMethod),
            ("-GET", NotAMethod),
            ("GET-", NotAMethod),
            ("A--B", NotAMethod),
            ("!GET", NotAMethod),
            ("GET|", NotAMethod),
            ("G\u{c9}", NotAMethod),
        ] {
            assert_eq!(MethodPattern::parse(name), Err(error), "{name:?}");
        }
        assert_eq!(Method::parse("ANY"), Err(EveryMethod));
    }

    #[test]
    fn a_well_known_method_in_another_letter_case_has_two_readings() {
        for method in ["GET", "DELETE", "PROPFIND", "propfind", "foo", "GETX", "ge"] {
            assert!(Method::has_one_reading(method.as_bytes()), "{method}");
        }
        for known in WELL_KNOWN {
            let lower = known.to_ascii_lowercase();
            let mixed = known.replacen('T', "t", 1).replacen('P', "p", 1);
            let mixed = mixed.replacen('H', "h", 1);
            assert!(Method::has_one_reading(known.as_bytes()), "{known}");
            assert!(!Method::has_one_reading(lower.as_bytes()), "{lower}");
            assert!(!Method::has_one_reading(mixed.as_bytes()), "{mixed}");
        }
        for method in ["GET", "PROPFIND", "ANY"] {
            assert!(Method::is_upper_case(method.as_bytes()), "{method}");
        }
        for method in ["", "get", "M-SEARCH", "GeT", "GET ", "GET1", "G\u{c9}T"] {
            assert!(!Method::is_upper_case(method.as_bytes()), "{method}");
        }
        for method in ["", "GET ", " GET", "G\0T", "GET/1.1"] {
            assert!(!Method::has_one_reading(method.as_bytes()), "{method:?}");
        }
    }
}
