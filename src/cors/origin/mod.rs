//! One entry of `allow_origins`.
//!
//! An origin is compared byte for byte with its serialization (WHATWG HTML,
//! "ASCII serialisation of an origin"), the only form that browsers send. So no
//! part of a request is parsed, lowercased or decoded.

mod error;
mod parse;
#[cfg(test)]
mod tests;

pub use error::{OriginError, OriginFault};

use parse::{Host, Parts, Port};

/// A pattern for the value of `Origin`.
///
/// | written | matches |
/// |---|---|
/// | `https://app.example.com`, `http://[::1]:8080`, `tauri://localhost` | exactly that |
/// | `https://*.example.com` | one or more labels before `.example.com` |
/// | `https://*` | every host of that scheme that is made of labels, so no IPv6 address |
/// | `https://preview-*--site.example.com` | one or more of a-z, 0-9 and `-` there, so one label |
/// | `http://localhost:*` | any port, or none |
/// | `https://*.example.com:*`, `https://preview-*.example.com:*` | both |
/// | `null` | pages without an origin: sandboxed frames, local files |
/// | `*` | everything that has the form of an origin, `null` too |
///
/// The scheme may be any that RFC 3986 allows, since apps and browser extensions
/// have their own. Refused are those whose pages send `null` (`file`, `data`,
/// …), and `ws` and `wss`, whose requests have the page's origin.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct OriginPattern(Form);

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    Any,
    Exact(Box<str>),
    Wild {
        /// With its `://`.
        scheme: Box<str>,
        host: WildHost,
        port: WildPort,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WildHost {
    Exact(Box<str>),
    /// One or more labels, followed by this text: empty, or `.example.com`.
    Labels(Box<str>),
    /// The `*` matches no dot, so the leftmost label begins with `before`, and
    /// ends with the first label of `after`.
    InLabel {
        /// Within the leftmost label; may be empty.
        before: Box<str>,
        /// From within the leftmost label to the end of the host.
        after: Box<str>,
    },
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum WildPort {
    /// With its `:`; empty if there is no port.
    Exact(Box<str>),
    Any,
}

impl OriginPattern {
    /// `*`.
    pub(super) const ANY: Self = Self(Form::Any);

    /// Reads a pattern as configured.
    ///
    /// # Errors
    ///
    /// An origin that no browser would send, with the correct spelling if it is
    /// known.
    pub fn parse(written: &str) -> Result<Self, OriginError> {
        Self::parse_strict(written).map_err(|fault| OriginError {
            fault,
            write: parse::right_spelling(written).filter(|right| Self::parse_strict(right).is_ok()),
        })
    }

    fn parse_strict(written: &str) -> Result<Self, OriginFault> {
        match written {
            "*" => return Ok(Self::ANY),
            "null" => return Ok(Self(Form::Exact(written.into()))),
            _ => {}
        }
        let Parts { scheme, host, port } = Parts::parse(written)?;
        let host = match (host, &port) {
            (Host::Exact(_), Port::None | Port::Exact(_)) => {
                return Ok(Self(Form::Exact(written.into())));
            }
            (Host::Exact(host), Port::Any) => WildHost::Exact(host.into()),
            (Host::Labels { suffix }, _) => WildHost::Labels(suffix.into()),
            (Host::InLabel { before, after }, _) => WildHost::InLabel {
                before: before.into(),
                after: after.into(),
            },
        };
        let port = match port {
            Port::None => WildPort::Exact("".into()),
            Port::Exact(port) => WildPort::Exact(format!(":{port}").into()),
            Port::Any => WildPort::Any,
        };
        let scheme = format!("{scheme}://").into();
        Ok(Self(Form::Wild { scheme, host, port }))
    }

    /// Whether the single value of a request's `Origin` matches.
    #[must_use]
    pub fn matches(&self, origin: &[u8]) -> bool {
        match &self.0 {
            Form::Any => has_form_of_an_origin(origin),
            Form::Exact(exact) => exact.as_bytes() == origin,
            Form::Wild { scheme, host, port } => origin
                .strip_prefix(scheme.as_bytes())
                .and_then(|rest| host.strip_from(rest))
                .is_some_and(|rest| port.matches(rest)),
        }
    }

    /// The only origin that matches, if the pattern has no wildcard.
    #[must_use]
    pub fn exact(&self) -> Option<&str> {
        match &self.0 {
            Form::Exact(exact) => Some(exact),
            Form::Any | Form::Wild { .. } => None,
        }
    }

    /// Whether this is `*`, which matches every origin.
    #[must_use]
    pub fn is_any(&self) -> bool {
        matches!(self.0, Form::Any)
    }

    /// Whether this is `https://*` or the like: every host of a scheme.
    #[must_use]
    pub fn is_any_host(&self) -> bool {
        match &self.0 {
            Form::Wild { host, .. } => {
                matches!(host, WildHost::Labels(suffix) if suffix.is_empty())
            }
            Form::Any | Form::Exact(_) => false,
        }
    }
}

impl WildHost {
    /// The text after the host, if `rest` starts with a matching host.
    fn strip_from<'a>(&self, rest: &'a [u8]) -> Option<&'a [u8]> {
        match self {
            Self::Exact(host) => rest.strip_prefix(host.as_bytes()),
            Self::Labels(suffix) => {
                let (host, port) = split_host(rest)?;
                let labels = host.strip_suffix(suffix.as_bytes())?;
                labels
                    .split(|byte| *byte == b'.')
                    .all(is_label)
                    .then_some(port)
            }
            Self::InLabel { before, after } => {
                let (host, port) = split_host(rest)?;
                let inside = host
                    .strip_prefix(before.as_bytes())?
                    .strip_suffix(after.as_bytes())?;
                is_label(inside).then_some(port)
            }
        }
    }
}

/// The labels and dots at the start of an authority, and the rest. `_` is
/// accepted, since the names of some services contain it, but a `*` never
/// matches it.
fn split_host(authority: &[u8]) -> Option<(&[u8], &[u8])> {
    let is_of_host = |byte: u8| is_label_byte(byte) || matches!(byte, b'.' | b'_');
    let end = authority
        .iter()
        .position(|byte| !is_of_host(*byte))
        .unwrap_or(authority.len());
    authority.split_at_checked(end)
}

impl WildPort {
    /// Whether this matches everything after the host.
    fn matches(&self, rest: &[u8]) -> bool {
        match self {
            Self::Exact(port) => port.as_bytes() == rest,
            Self::Any => match rest.split_first() {
                None => true,
                Some((b':', digits)) => is_port(digits),
                Some(_) => false,
            },
        }
    }
}

/// Whether a `*` can match this text as a label or a part of one.
fn is_label(label: &[u8]) -> bool {
    !label.is_empty() && label.iter().copied().all(is_label_byte)
}

fn is_label_byte(byte: u8) -> bool {
    matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-')
}

/// Whether this is a port from 1 to 65535 without leading zeros.
fn is_port(digits: &[u8]) -> bool {
    digits.len() <= 5
        && digits.iter().all(u8::is_ascii_digit)
        && digits.first().is_some_and(|first| *first != b'0')
        && std::str::from_utf8(digits).is_ok_and(|digits| digits.parse::<u16>().is_ok())
}

/// Whether `*` matches: `null`, or a scheme and something after it in visible
/// ASCII. A list (a repeated `Origin` that was joined) does not match.
fn has_form_of_an_origin(origin: &[u8]) -> bool {
    if origin == b"null" {
        return true;
    }
    let Some(colon) = origin.iter().position(|byte| *byte == b':') else {
        return false;
    };
    let Some((scheme, rest)) = origin.split_at_checked(colon) else {
        return false;
    };
    parse::is_scheme(scheme)
        && rest
            .strip_prefix(b"://")
            .is_some_and(|host| !host.is_empty() && host.iter().all(|byte| is_host_like(*byte)))
}

fn is_host_like(byte: u8) -> bool {
    byte.is_ascii_graphic() && !matches!(byte, b',' | b'/' | b'\\' | b'?' | b'#' | b'@' | b'"')
}
