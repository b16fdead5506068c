//! Request methods, which are case-sensitive (RFC 9110 section 9.1).

use super::name::is_token;
use std::borrow::Borrow;
use std::fmt;

/// The methods that HTTP itself and its common extensions define.
const WELL_KNOWN: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// A method by its name, letter case as written.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Method(Box<str>);

impl Method {
    /// Takes a method's name as a configuration writes it.
    ///
    /// # Errors
    /// [`BadMethod`] when it is no token, or a well-known method in a letter
    /// case that no client sends.
    pub fn parse(name: &str) -> Result<Self, BadMethod> {
        if !is_token(name.as_bytes()) {
            return Err(BadMethod::NotAToken);
        }
        let known = WELL_KNOWN
            .into_iter()
            .find(|known| known.eq_ignore_ascii_case(name));
        match known {
            Some(instead) if instead != name => Err(BadMethod::LetterCase { instead }),
            _ => Ok(Self(name.into())),
        }
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// Lets a request's method, which is bytes, be looked up among methods.
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
    /// `ANY`: every method that the same pattern has no other route for.
    Any,
    /// One method.
    Named(Method),
}

impl MethodPattern {
    /// Takes `ANY` or a method's name.
    ///
    /// # Errors
    /// As [`Method::parse`].
    pub fn parse(name: &str) -> Result<Self, BadMethod> {
        if name == "ANY" {
            Ok(Self::Any)
        } else if name.eq_ignore_ascii_case("ANY") {
            Err(BadMethod::LetterCase { instead: "ANY" })
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
    /// It is not a token of RFC 9110.
    NotAToken,
    /// It is a method but for its letter case.
    LetterCase {
        /// The method that was meant.
        instead: &'static str,
    },
}

impl fmt::Display for BadMethod {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAToken => out.write_str("not a method; write `GET`, `POST` … or `ANY`"),
            Self::LetterCase { instead } => {
                write!(out, "methods are case-sensitive; write `{instead}`")
            }
        }
    }
}

impl std::error::Error for BadMethod {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_token_is_a_method_but_well_known_ones_only_in_their_letter_case() {
        assert_eq!(Method::parse("PROPFIND").unwrap().as_str(), "PROPFIND");
        assert_eq!(Method::parse("foo").unwrap().as_str(), "foo");
        assert_eq!(
            Method::parse("get"),
            Err(BadMethod::LetterCase { instead: "GET" })
        );
        assert_eq!(
            MethodPattern::parse("Any"),
            Err(BadMethod::LetterCase { instead: "ANY" })
        );
        for name in ["", "G T", "GET,POST", "Gé"] {
            assert_eq!(Method::parse(name), Err(BadMethod::NotAToken), "{name:?}");
        }
    }
}
