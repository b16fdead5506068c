//! The URI of a request in its normal form (RFC 3986 sections 6.2.2 and 6.2.3), in which a
//! proof names it.

use std::fmt;

use crate::bytes::{are_visible_without, octet};

/// The scheme and authority of a URI in normal form, without a default port:
/// `https://api.example.com`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Origin(Box<str>);

/// A URI without query and fragment, in normal form.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Uri {
    pub(super) origin: Origin,
    pub(super) path: Vec<u8>,
}

/// Why a text is not an origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum BadOrigin {
    /// It does not begin with `https://` or `http://`.
    Scheme,
    /// It has no valid host, or no valid port.
    Host,
    /// It has a user before the host.
    UserInfo,
    /// Something follows the host and port.
    Path,
}

impl Origin {
    /// Reads an origin of the configuration.
    ///
    /// # Errors
    ///
    /// Why it is not one.
    pub fn parse(text: &str) -> Result<Self, BadOrigin> {
        let (scheme, rest) = scheme(text.as_bytes()).ok_or(BadOrigin::Scheme)?;
        if rest.iter().any(|byte| b"/?#".contains(byte)) {
            return Err(BadOrigin::Path);
        }
        if rest.contains(&b'@') {
            return Err(BadOrigin::UserInfo);
        }
        Self::of(scheme, rest).ok_or(BadOrigin::Host)
    }

    /// The normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// `None` unless the authority is a host, or a host and a port.
    fn of(scheme: Scheme, authority: &[u8]) -> Option<Self> {
        let authority = unreserved_decoded(authority)?;
        let authority = std::str::from_utf8(&authority).ok()?;
        let (host, port) = if let Some(rest) = authority.strip_prefix('[') {
            let (host, after) = rest.split_once(']')?;
            let is_address = |byte: u8| byte.is_ascii_hexdigit() || b":.".contains(&byte);
            (!host.is_empty() && host.bytes().all(is_address)).then_some(())?;
            let end = authority.len().checked_sub(after.len())?;
            (authority.get(..end)?, after)
        } else {
            let end = authority.find(':').unwrap_or(authority.len());
            let (host, after) = authority.split_at_checked(end)?;
            (!host.is_empty() && host.bytes().all(is_unreserved)).then_some(())?;
            (host, after)
        };
        let port = match port {
            "" | ":" => None,
            _ => Some(number(port.strip_prefix(':')?)?).filter(|port| *port != scheme.port()),
        };
        let mut text = String::from(scheme.text());
        text.push_str(&host.to_ascii_lowercase());
        if let Some(port) = port {
            text.push(':');
            text.push_str(&port.to_string());
        }
        Some(Self(text.into()))
    }
}

/// A port as it is written: without sign and leading zeros.
fn number(text: &str) -> Option<u16> {
    let is_plain = text.bytes().all(|byte| byte.is_ascii_digit()) && !text.starts_with('0');
    is_plain.then(|| text.parse().ok())?
}

#[derive(Clone, Copy)]
enum Scheme {
    Https,
    Http,
}

impl Scheme {
    const fn text(self) -> &'static str {
        match self {
            Self::Https => "https://",
            Self::Http => "http://",
        }
    }

    const fn port(self) -> u16 {
        match self {
            Self::Https => 443,
            Self::Http => 80,
        }
    }
}

/// The scheme, and what follows it.
fn scheme(text: &[u8]) -> Option<(Scheme, &[u8])> {
    [Scheme::Https, Scheme::Http]
        .into_iter()
        .find_map(|scheme| {
            let expected = scheme.text().as_bytes();
            let (start, rest) = text.split_at_checked(expected.len())?;
            start
                .eq_ignore_ascii_case(expected)
                .then_some((scheme, rest))
        })
}

impl Uri {
    /// Reads the `htu` of a proof. Query and fragment are ignored (RFC 9449 section 4.3).
    /// `None` if it is not an absolute URI of HTTP, or has user information.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = scheme(text.as_bytes())?;
        let cut = |byte: &u8| b"?#".contains(byte);
        let rest = rest.split(cut).next()?;
        let end = rest.iter().position(|byte| *byte == b'/');
        let (authority, path) = rest.split_at_checked(end.unwrap_or(rest.len()))?;
        Some(Self {
            origin: Origin::of(scheme, authority)?,
            path: normal_path(path)?,
        })
    }
}

/// A path in normal form: encoded unreserved characters are decoded, other encodings have
/// capital digits, and there are no dot segments. An empty path is `/`. `None` if it has a
/// character that no URI has.
pub(super) fn normal_path(path: &[u8]) -> Option<Vec<u8>> {
    let path = unreserved_decoded(path)?;
    if path.is_empty() {
        return Some(b"/".to_vec());
    }
    let mut kept: Vec<&[u8]> = Vec::new();
    let mut segments = path.split(|byte| *byte == b'/').skip(1).peekable();
    while let Some(segment) = segments.next() {
        match segment {
            b"." | b".." => {
                if segment == b".." {
                    kept.pop();
                }
                // A dot segment at the end leaves a slash.
                if segments.peek().is_none() {
                    kept.push(b"");
                }
            }
            _ => kept.push(segment),
        }
    }
    let mut normal = Vec::with_capacity(path.len());
    for segment in kept {
        normal.push(b'/');
        normal.extend_from_slice(segment);
    }
    Some(normal)
}

/// Decodes the encodings of unreserved characters and writes the others with capital
/// digits (RFC 3986 sections 6.2.2.1 and 6.2.2.2).
fn unreserved_decoded(text: &[u8]) -> Option<Vec<u8>> {
    // Not a URI. Some readers take a backslash for a slash.
    if !are_visible_without(text, *b"\\\"") {
        return None;
    }
    let mut decoded = Vec::with_capacity(text.len());
    let mut rest = text;
    loop {
        rest = match rest {
            [] => return Some(decoded),
            [b'%', high, low, rest @ ..] => {
                let octet = octet(*high, *low)?;
                if is_unreserved(octet) {
                    decoded.push(octet);
                } else {
                    let [high, low] = [high, low].map(u8::to_ascii_uppercase);
                    decoded.extend_from_slice(&[b'%', high, low]);
                }
                rest
            }
            [b'%', ..] => return None,
            [byte, rest @ ..] => {
                decoded.push(*byte);
                rest
            }
        };
    }
}

const fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

impl fmt::Display for BadOrigin {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Scheme => "does not begin with `https://` or `http://`",
            Self::Host => "has no valid host and port",
            Self::UserInfo => "has user information before the host",
            Self::Path => "has more than scheme, host and port",
        })
    }
}

impl std::error::Error for BadOrigin {}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Option<(String, String)> {
        let Uri { origin, path } = Uri::parse(text)?;
        Some((origin.0.into(), String::from_utf8(path).unwrap()))
    }

    #[test]
    fn a_uri_is_read_in_its_normal_form() {
        for (text, origin, path) in [
            ("https://a.example/b", "https://a.example", "/b"),
            ("HTTPS://A.Example:443/B", "https://a.example", "/B"),
            ("http://a.example:80", "http://a.example", "/"),
            ("http://a.example:443/", "http://a.example:443", "/"),
            ("https://a.example:/b", "https://a.example", "/b"),
            ("https://a.example?x#y", "https://a.example", "/"),
            ("https://a.example/b?x=/../c", "https://a.example", "/b"),
            ("https://a.example/b#/c", "https://a.example", "/b"),
            ("https://a.example/./b/../c", "https://a.example", "/c"),
            ("https://a.example/../../c", "https://a.example", "/c"),
            ("https://a.example/b/..", "https://a.example", "/"),
            ("https://a.example/b/.", "https://a.example", "/b/"),
            ("https://a.example/b//c", "https://a.example", "/b//c"),
            ("https://a.example/b/", "https://a.example", "/b/"),
            (
                "https://a.example/%7eb/%41%2fc",
                "https://a.example",
                "/~b/A%2Fc",
            ),
            ("https://a.example/b/%2E%2e/c", "https://a.example", "/c"),
            ("https://%61.example/b", "https://a.example", "/b"),
            (
                "https://[2001:DB8::1]:8443/b",
                "https://[2001:db8::1]:8443",
                "/b",
            ),
            ("https://[::1]:443/b", "https://[::1]", "/b"),
        ] {
            let expected = Some((origin.to_owned(), path.to_owned()));
            assert_eq!(read(text), expected, "{text}");
        }
    }

    #[test]
    fn other_texts_are_no_uri_of_a_request() {
        for text in [
            "",
            "/b",
            "//a.example/b",
            "a.example/b",
            "ftp://a.example/b",
            "https:/a.example/b",
            "https:///b",
            "https://u@a.example/b",
            "https://a.example@evil.example/b",
            "https://a.example:x/b",
            "https://a.example:0443/b",
            "https://a.example:+443/b",
            "https://a.example:65536/b",
            "https://a.example:1:2/b",
            "https://a example/b",
            "https://a.example/b c",
            "https://a.example\\b",
            "https://a.example/b\\c",
            "https://a.example/%",
            "https://a.example/%4",
            "https://a.example/%zz",
            "https://a.example/\u{e9}",
            "https://\u{e9}.example/b",
            "https://a%2f.example/b",
            "https://[::1/b",
            "https://[]/b",
            "https://[::1]x/b",
            "https://[a.example]/b",
            " https://a.example/b",
            "https://a.example/b\n",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }

    #[test]
    fn an_origin_has_a_scheme_and_a_host_only() {
        for (text, normal) in [
            ("https://api.example.com", "https://api.example.com"),
            ("https://API.example.com:443", "https://api.example.com"),
            ("http://localhost:8080", "http://localhost:8080"),
        ] {
            assert_eq!(Origin::parse(text).unwrap().as_str(), normal);
        }
        for (text, error) in [
            ("api.example.com", BadOrigin::Scheme),
            ("", BadOrigin::Scheme),
            ("https://", BadOrigin::Host),
            ("https://a b", BadOrigin::Host),
            ("https://*.example.com", BadOrigin::Host),
            ("https://a@b", BadOrigin::UserInfo),
            ("https://a/", BadOrigin::Path),
            ("https://a?b", BadOrigin::Path),
            ("https://a/b", BadOrigin::Path),
        ] {
            assert_eq!(Origin::parse(text), Err(error), "{text}");
        }
    }
}
