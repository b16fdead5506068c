//! The headers in which an MCP client repeats what its request asks for
//! (Model Context Protocol 2026-07-28, Streamable HTTP, "Request Metadata").
//!
//! A rule about them is reliable only if the filter and the server read the same
//! values. So everything that some reader may see differently is refused.

use std::borrow::Cow;
use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use super::name::fold_together;
use super::{RequestHead, Spelling};

/// The longest value that is read, in bytes as sent. Names of tools have at most
/// 128 characters; a name may also be the URI of a resource.
pub const MAX_MCP_VALUE: usize = 4096;

/// The first revision whose servers refuse a request if its headers differ from
/// its body. Values in requests of older revisions prove nothing.
const FIRST_VERSION: &[u8; 10] = b"2026-07-28";

/// The mark of a value in base64 (Streamable HTTP, "Value Encoding").
const ENCODED: (&[u8], &[u8]) = (b"=?base64?", b"?=");

/// What an MCP request asks for, according to its headers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct McpRequest<'h> {
    /// The method of the JSON-RPC message, decoded: `tools/call`.
    pub method: Cow<'h, [u8]>,
    /// The name of the tool or the prompt, or the URI of the resource, decoded.
    pub name: Option<Cow<'h, [u8]>>,
}

/// Why the MCP headers of a request cannot be trusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadMcp {
    /// The header.
    pub header: McpHeader,
    /// What is wrong with it.
    pub fault: McpFault,
}

/// A header of MCP that routes depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpHeader {
    /// `MCP-Protocol-Version`
    Version,
    /// `Mcp-Method`
    Method,
    /// `Mcp-Name`
    Name,
}

/// What is wrong with a header of MCP.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum McpFault {
    /// It is absent, or the next hop removes it because `Connection` names it.
    Absent,
    /// There are several, counting the spellings that some upstreams take for it.
    Repeated,
    /// It is empty, too long, or not a value that a client may send.
    Malformed,
    /// The version is older than 2026-07-28.
    TooOld,
}

impl McpHeader {
    /// Its name, in lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Version => "mcp-protocol-version",
            Self::Method => "mcp-method",
            Self::Name => "mcp-name",
        }
    }

    /// The value of the only header, or `None` if there is none. A header that only
    /// folds to this one (`mcp_name`) is not read.
    fn value(self, head: &RequestHead) -> Result<Option<&[u8]>, BadMcp> {
        let name = self.name();
        let mut alike = head.headers().alike(name);
        let first = alike.next();
        if alike.next().is_some() {
            return Err(self.is(McpFault::Repeated));
        }
        let Some((Spelling::Itself, value)) = first else {
            return Ok(None);
        };
        let is_it = |option: &[u8]| fold_together(option, name.as_bytes());
        if head.headers().is_connection_option(is_it) {
            return Ok(None);
        }
        // A proxy joins repeated fields with commas. Only names have commas themselves.
        if self != Self::Name && value.contains(&b',') {
            return Err(self.is(McpFault::Repeated));
        }
        Ok(Some(value))
    }

    /// The decoded value, or `None` if there is none.
    fn text(self, head: &RequestHead) -> Result<Option<Cow<'_, [u8]>>, BadMcp> {
        let Some(value) = self.value(head)? else {
            return Ok(None);
        };
        let text = decoded(value).ok_or(self.is(McpFault::Malformed))?;
        Ok(Some(text))
    }

    /// The fault of this header.
    #[must_use]
    pub const fn is(self, fault: McpFault) -> BadMcp {
        BadMcp {
            header: self,
            fault,
        }
    }
}

impl RequestHead {
    /// What the request asks for, according to its MCP headers.
    ///
    /// # Errors
    /// [`BadMcp`] unless the version is at least 2026-07-28 and there is one
    /// well-formed `Mcp-Method` and at most one `Mcp-Name`, which is well-formed
    /// too.
    pub fn mcp(&self) -> Result<McpRequest<'_>, BadMcp> {
        let absent = |header: McpHeader| header.is(McpFault::Absent);
        let version = McpHeader::Version.value(self)?;
        let version = version.ok_or(absent(McpHeader::Version))?;
        check_version(version).map_err(|fault| McpHeader::Version.is(fault))?;
        let method = McpHeader::Method.text(self)?;
        Ok(McpRequest {
            method: method.ok_or(absent(McpHeader::Method))?,
            name: McpHeader::Name.text(self)?,
        })
    }
}

/// Checks that a version is a date, and not before the first one.
fn check_version(value: &[u8]) -> Result<(), McpFault> {
    let date: &[u8; 10] = value.try_into().map_err(|_| McpFault::Malformed)?;
    let [year @ .., b'-', m1, m0, b'-', d1, d0] = date else {
        return Err(McpFault::Malformed);
    };
    let year: &[u8; 4] = year;
    if !year.iter().chain([m1, m0, d1, d0]).all(u8::is_ascii_digit) {
        return Err(McpFault::Malformed);
    }
    let days = match [*m1, *m0] {
        [b'0', b'4' | b'6' | b'9'] | [b'1', b'1'] => b"30",
        [b'0', b'2'] => february(*year),
        [b'0', b'1'..=b'9'] | [b'1', b'0' | b'2'] => b"31",
        _ => return Err(McpFault::Malformed),
    };
    let day = [*d1, *d0];
    if day == *b"00" || day > *days {
        return Err(McpFault::Malformed);
    }
    // Of two dates in this form, the earlier one is the lesser text.
    if date < FIRST_VERSION {
        return Err(McpFault::TooOld);
    }
    Ok(())
}

/// The number of days of February, for a year in digits.
fn february([thousands, hundreds, tens, ones]: [u8; 4]) -> &'static [u8; 2] {
    // Whether a number of two digits is divisible by 4: of the tens, only whether they
    // are even matters.
    let is_fourth =
        |tens: u8, ones: u8| matches!((tens & 1, ones), (0, b'0' | b'4' | b'8') | (1, b'2' | b'6'));
    let is_leap = if [tens, ones] == *b"00" {
        is_fourth(thousands, hundreds)
    } else {
        is_fourth(tens, ones)
    };
    if is_leap { b"29" } else { b"28" }
}

/// A value without its base64, or `None` if a client may not send it so. A value is
/// decoded once: the text may look encoded itself.
fn decoded(value: &[u8]) -> Option<Cow<'_, [u8]>> {
    if value.is_empty() || value.len() > MAX_MCP_VALUE {
        return None;
    }
    // Servers may read the mark in other spellings, so nothing else may begin with it.
    if value.starts_with(b"=?") {
        let text = value.strip_prefix(ENCODED.0)?.strip_suffix(ENCODED.1)?;
        let text = STANDARD.decode(text).ok()?;
        let is_text = |text: &str| !text.is_empty() && !text.chars().any(char::is_control);
        std::str::from_utf8(&text)
            .is_ok_and(is_text)
            .then_some(())?;
        return Some(Cow::Owned(text));
    }
    let is_plain = value.iter().all(|byte| matches!(byte, b' '..=b'~'));
    (is_plain && value.trim_ascii() == value).then_some(Cow::Borrowed(value))
}

impl fmt::Display for BadMcp {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(self.header.name())?;
        out.write_str(match self.fault {
            McpFault::Absent => " is absent",
            McpFault::Repeated => " is repeated",
            McpFault::Malformed => " is malformed",
            McpFault::TooOld => " is older than 2026-07-28",
        })
    }
}

#[cfg(test)]
mod tests;
