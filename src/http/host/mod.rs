//! Hosts: the host of a request's authority, and the patterns of routes.
//!
//! No name is resolved, and ports are not compared.

mod pattern;

pub use pattern::{BadHostPattern, HostPattern};

use std::borrow::Cow;
use std::fmt;
use std::net::{Ipv4Addr, Ipv6Addr};

/// The most bytes of a host name, and of one of its labels (RFC 1035).
const MAX_NAME: usize = 253;
const MAX_LABEL: usize = 63;

/// One valid host in its normal form: lower case, no port, no dot at the end,
/// and IPv6 addresses in brackets according to RFC 5952.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Host<'a> {
    text: Cow<'a, str>,
    kind: HostKind,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum HostKind {
    Name,
    Address,
}

impl<'a> Host<'a> {
    /// Reads the authority of a request: `None` if it is absent or empty.
    ///
    /// # Errors
    /// [`BadHost`] unless it is one valid host. Names consist of letters,
    /// digits, `-` and `_`. RFC 3986 allows further octets, such as the comma in
    /// `a,b`, which two readers may read differently. A name that ends in a
    /// number must be an IPv4 address.
    pub fn parse(authority: Option<&'a [u8]>) -> Result<Option<Self>, BadHost> {
        let authority = match authority {
            None | Some(b"") => return Ok(None),
            Some(authority) => std::str::from_utf8(authority).map_err(|_| BadHost)?,
        };
        if let Some(bracketed) = authority.strip_prefix('[') {
            let (address, port) = bracketed.split_once(']').ok_or(BadHost)?;
            if !port.is_empty() {
                check_port(port.strip_prefix(':').ok_or(BadHost)?)?;
            }
            return Self::ipv6(address).map(Some);
        }
        let host = match authority.split_once(':') {
            None => authority,
            Some((host, port)) => {
                check_port(port)?;
                host
            }
        };
        Self::name(host.strip_suffix('.').unwrap_or(host)).map(Some)
    }

    fn ipv6(address: &str) -> Result<Self, BadHost> {
        let address: Ipv6Addr = address.parse().map_err(|_| BadHost)?;
        Ok(Self {
            text: Cow::Owned(format!("[{address}]")),
            kind: HostKind::Address,
        })
    }

    /// Reads a name or an IPv4 address without port or dot at the end.
    fn name(name: &'a str) -> Result<Self, BadHost> {
        if name.len() > MAX_NAME || !name.split('.').all(is_label) {
            return Err(BadHost);
        }
        let last = name.rsplit('.').next().unwrap_or_default();
        let kind = if last.bytes().all(|byte| byte.is_ascii_digit()) {
            let _canonical: Ipv4Addr = name.parse().map_err(|_| BadHost)?;
            HostKind::Address
        } else {
            HostKind::Name
        };
        let text = if name.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(name.to_ascii_lowercase())
        } else {
            Cow::Borrowed(name)
        };
        Ok(Self { text, kind })
    }

    /// The host in its normal form.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The names that a wildcard for this host can have, longest first: `b.c`
    /// and `c` for `a.b.c`. An address has no such name.
    pub fn parents(&self) -> impl Iterator<Item = &str> {
        let mut rest = match self.kind {
            HostKind::Name => Some(self.as_str()),
            HostKind::Address => None,
        };
        std::iter::from_fn(move || {
            rest = rest?.split_once('.').map(|(_, parent)| parent);
            rest
        })
    }
}

fn is_label(label: &str) -> bool {
    (1..=MAX_LABEL).contains(&label.len())
        && label
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_')
}

/// RFC 3986 allows a port to be empty.
fn check_port(port: &str) -> Result<(), BadHost> {
    let digits = port.bytes().all(|byte| byte.is_ascii_digit());
    if port.is_empty() || (digits && port.parse::<u16>().is_ok()) {
        Ok(())
    } else {
        Err(BadHost)
    }
}

/// The authority is not one valid host.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BadHost;

impl fmt::Display for BadHost {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("the authority is not one valid host")
    }
}

impl std::error::Error for BadHost {}

#[cfg(test)]
mod tests;
