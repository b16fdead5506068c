//! Names of header fields: valid names, and names that an upstream may take for
//! the same.

use std::fmt;

/// Whether this is a token of RFC 9110 section 5.6.2, the grammar of header
/// names and methods.
#[must_use]
pub fn is_token(bytes: &[u8]) -> bool {
    !bytes.is_empty()
        && bytes
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(byte))
}

/// The name of a header field, in lower case.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct HeaderName(Box<str>);

/// The text is not a token and so cannot be the name of a header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotAToken;

impl HeaderName {
    /// Reads a name in any letter case.
    ///
    /// # Errors
    /// [`NotAToken`] unless it is a token. Pseudo-headers such as `:path` are
    /// not.
    pub fn parse(name: &str) -> Result<Self, NotAToken> {
        if is_token(name.as_bytes()) {
            Ok(Self(name.to_ascii_lowercase().into()))
        } else {
            Err(NotAToken)
        }
    }

    /// The name, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The folded form, in which upstreams may confuse this name with another.
    #[must_use]
    pub fn folded(&self) -> FoldedName {
        FoldedName::of(self.0.as_bytes())
    }
}

impl fmt::Display for HeaderName {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.0)
    }
}

impl fmt::Display for NotAToken {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("not a header name; letters, digits and `-` make one")
    }
}

impl std::error::Error for NotAToken {}

/// A header name as CGI and similar interfaces read it: lower case, with `_` for
/// every byte outside `a`–`z` and `0`–`9`.
///
/// WSGI, Rack, PHP and nginx variables read `x-user-id`, `x_user_id` and
/// `x.user.id` alike as `HTTP_X_USER_ID`. So a client that sends a twin of an
/// identity header could choose its own identity.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct FoldedName(Box<[u8]>);

impl FoldedName {
    /// Folds a name.
    #[must_use]
    pub fn of(name: &[u8]) -> Self {
        Self(name.iter().map(|&byte| fold(byte)).collect())
    }

    /// Whether `name` folds to this one.
    #[must_use]
    pub fn covers(&self, name: &[u8]) -> bool {
        name.len() == self.0.len() && folds_to(name, &self.0)
    }
}

/// Whether upstreams may take two names for the same.
#[must_use]
pub fn fold_together(one: &[u8], other: &[u8]) -> bool {
    one.len() == other.len() && (one == other || folds_to(one, other))
}

/// Whether two names of equal length fold to the same name. Most compared bytes are
/// equal, or decide the result.
fn folds_to(one: &[u8], other: &[u8]) -> bool {
    let mut pairs = one.iter().zip(other);
    pairs.all(|(&a, &b)| a == b || fold(a) == fold(b))
}

/// Whether two names are equal in any letter case. Proxies send names in lower case, so
/// equal names are usually identical.
#[must_use]
pub fn is_same_name(one: &[u8], other: &[u8]) -> bool {
    one == other || one.eq_ignore_ascii_case(other)
}

fn fold(byte: u8) -> u8 {
    if byte.is_ascii_alphanumeric() {
        byte.to_ascii_lowercase()
    } else {
        b'_'
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_token_and_kept_in_lower_case() {
        assert_eq!(
            HeaderName::parse("X-User-Id").unwrap().as_str(),
            "x-user-id"
        );
        for name in ["", ":path", "a b", "a:", "naïve", "a\r\nb", "a,b", "(x)"] {
            assert_eq!(HeaderName::parse(name), Err(NotAToken), "{name:?}");
        }
    }

    #[test]
    fn every_twin_of_a_name_folds_to_it() {
        let folded = HeaderName::parse("X-User-Id").unwrap().folded();
        for twin in [
            "x-user-id",
            "x_user_id",
            "X_User-ID",
            "x.user.id",
            "x!user~id",
        ] {
            assert!(folded.covers(twin.as_bytes()), "{twin}");
            assert_eq!(FoldedName::of(twin.as_bytes()), folded);
        }
        for other in ["x-user-i", "x-user-id-", "xuserid", "x--user-id"] {
            assert!(!folded.covers(other.as_bytes()), "{other}");
        }
    }
}
