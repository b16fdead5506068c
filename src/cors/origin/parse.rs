//! Splits a configured origin into its parts, and corrects the spelling of a
//! wrong one.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::error::OriginFault;
use super::is_port;

/// The checked parts of an origin with a scheme.
#[derive(Debug)]
pub(super) struct Parts<'a> {
    pub(super) scheme: &'a str,
    pub(super) host: Host<'a>,
    pub(super) port: Port<'a>,
}

#[derive(Debug)]
pub(super) enum Host<'a> {
    Exact(&'a str),
    /// `*`, followed by this text: empty, or starting with a dot.
    Labels {
        suffix: &'a str,
    },
    /// `before`, `*` and `after`. The leftmost label has at least one character
    /// besides the `*`.
    InLabel {
        before: &'a str,
        after: &'a str,
    },
}

#[derive(Debug)]
pub(super) enum Port<'a> {
    None,
    Exact(&'a str),
    Any,
}

/// Top-level names below which no name can be registered (RFC 6761, RFC 6762,
/// and `internal`, which ICANN has reserved).
const RESERVED: [&str; 6] = [
    "example",
    "internal",
    "invalid",
    "local",
    "localhost",
    "test",
];

/// Pages with these schemes have an opaque origin, sent as `null`.
const OPAQUE: [&str; 5] = ["about", "blob", "data", "file", "javascript"];

impl<'a> Parts<'a> {
    pub(super) fn parse(written: &'a str) -> Result<Self, OriginFault> {
        check_characters(written)?;
        let (scheme, rest) = written
            .split_once("://")
            .ok_or(OriginFault::MissingScheme)?;
        check_scheme(scheme)?;
        let (authority, path) = match rest.find(is_after_authority) {
            Some(at) => rest.split_at_checked(at).unwrap_or((rest, "")),
            None => (rest, ""),
        };
        match path {
            "" => {}
            "/" => return Err(OriginFault::TrailingSlash),
            _ => return Err(OriginFault::Path),
        }
        if authority.contains('@') {
            return Err(OriginFault::UserInfo);
        }
        let (host, port) = split_port(authority)?;
        Ok(Self {
            scheme,
            host: parse_host(host)?,
            port: parse_port(scheme, port)?,
        })
    }
}

fn check_characters(written: &str) -> Result<(), OriginFault> {
    if written.is_empty() {
        return Err(OriginFault::Empty);
    }
    for character in written.chars() {
        match character {
            ' ' | ',' | ';' => return Err(OriginFault::Several),
            _ if character.is_control() => return Err(OriginFault::Control),
            _ if !character.is_ascii() => return Err(OriginFault::NotAscii),
            _ if character.is_ascii_uppercase() => return Err(OriginFault::UpperCase),
            _ => {}
        }
    }
    Ok(())
}

fn check_scheme(scheme: &str) -> Result<(), OriginFault> {
    if scheme == "ws" || scheme == "wss" {
        Err(OriginFault::WebSocketScheme)
    } else if OPAQUE.contains(&scheme) {
        Err(OriginFault::OpaqueScheme)
    } else if scheme.contains('*') {
        Err(OriginFault::BadWildcard)
    } else if is_scheme(scheme.as_bytes()) {
        Ok(())
    } else {
        Err(OriginFault::BadScheme)
    }
}

/// RFC 3986 section 3.1, in lower case.
pub(super) fn is_scheme(scheme: &[u8]) -> bool {
    scheme.first().is_some_and(u8::is_ascii_lowercase)
        && scheme
            .iter()
            .all(|byte| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'+' | b'-' | b'.'))
}

fn is_after_authority(character: char) -> bool {
    matches!(character, '/' | '\\' | '?' | '#')
}

/// Splits an authority into host (with its brackets) and port.
fn split_port(authority: &str) -> Result<(&str, Option<&str>), OriginFault> {
    if authority.parse::<Ipv6Addr>().is_ok() {
        return Err(OriginFault::BadIpv6);
    }
    if !authority.starts_with('[') {
        return Ok(match authority.split_once(':') {
            Some((host, port)) => (host, Some(port)),
            None => (authority, None),
        });
    }
    match authority.rsplit_once(']') {
        Some((_, "")) => Ok((authority, None)),
        Some((_, after)) => {
            let port = after.strip_prefix(':').ok_or(OriginFault::BadIpv6)?;
            let host = authority.strip_suffix(after).ok_or(OriginFault::BadIpv6)?;
            Ok((host, Some(port)))
        }
        None => Err(OriginFault::BadIpv6),
    }
}

fn parse_host(host: &str) -> Result<Host<'_>, OriginFault> {
    if let Some((before, after)) = host.split_once('*') {
        return parse_wild_host(before, after);
    }
    if host.starts_with('[') {
        return if canonical_ipv6(host).as_deref() == Some(host) {
            Ok(Host::Exact(host))
        } else {
            Err(OriginFault::BadIpv6)
        };
    }
    check_domain(host)?;
    // WHATWG URL, "ends in a number": such a host is an IPv4 address, or the URL
    // is invalid.
    if ends_in_number(host) && host.parse::<Ipv4Addr>().is_err() {
        return Err(OriginFault::BadIpv4);
    }
    Ok(Host::Exact(host))
}

fn parse_wild_host<'a>(before: &'a str, after: &'a str) -> Result<Host<'a>, OriginFault> {
    // An address in brackets has no labels.
    if before.starts_with('[') {
        return Err(OriginFault::BadIpv6);
    }
    if before.contains('.') || after.contains('*') {
        return Err(OriginFault::BadWildcard);
    }
    let (rest_of_label, domain) = match after.split_once('.') {
        Some((rest, domain)) => (rest, Some(domain)),
        None => (after, None),
    };
    if let Some(domain) = domain {
        check_domain(domain)?;
        if ends_in_number(domain) {
            return Err(OriginFault::WildcardInAddress);
        }
    }
    for character in before.chars().chain(rest_of_label.chars()) {
        if !matches!(character, 'a'..='z' | '0'..='9' | '-' | '_') {
            return Err(OriginFault::BadHost(character));
        }
    }
    if before.is_empty() && rest_of_label.is_empty() {
        return Ok(Host::Labels { suffix: after });
    }
    // `*example.com` matches every name with this suffix, and anyone can
    // register one.
    let is_registry = |domain: &str| !domain.contains('.') && !RESERVED.contains(&domain);
    if domain.is_some_and(is_registry) {
        return Err(OriginFault::WildcardInRegisteredName);
    }
    Ok(Host::InLabel { before, after })
}

fn check_domain(domain: &str) -> Result<(), OriginFault> {
    if domain.is_empty() {
        return Err(OriginFault::EmptyHost);
    }
    for character in domain.chars() {
        match character {
            'a'..='z' | '0'..='9' | '-' | '_' | '.' => {}
            _ => return Err(OriginFault::BadHost(character)),
        }
    }
    let whole = domain.strip_suffix('.').unwrap_or(domain);
    if whole.split('.').any(str::is_empty) {
        return Err(OriginFault::EmptyLabel);
    }
    if whole == domain {
        Ok(())
    } else {
        Err(OriginFault::TrailingDot)
    }
}

fn ends_in_number(domain: &str) -> bool {
    let last = domain.rsplit('.').next().unwrap_or(domain);
    let decimal = !last.is_empty() && last.bytes().all(|byte| byte.is_ascii_digit());
    let hexadecimal = last
        .strip_prefix("0x")
        .is_some_and(|digits| digits.bytes().all(|byte| byte.is_ascii_hexdigit()));
    decimal || hexadecimal
}

/// The address in brackets as WHATWG URL's IPv6 serializer writes it: the
/// shortest form, without dots for an embedded IPv4 address.
fn canonical_ipv6(host: &str) -> Option<String> {
    let address: Ipv6Addr = host.strip_prefix('[')?.strip_suffix(']')?.parse().ok()?;
    Some(match (address.to_ipv4_mapped(), address.segments()) {
        (Some(_), [.., high, low]) => format!("[::ffff:{high:x}:{low:x}]"),
        (None, _) => format!("[{address}]"),
    })
}

fn parse_port<'a>(scheme: &str, port: Option<&'a str>) -> Result<Port<'a>, OriginFault> {
    let Some(port) = port else {
        return Ok(Port::None);
    };
    if port == "*" {
        return Ok(Port::Any);
    }
    let digits = port.trim_start_matches('0');
    if !is_port(digits.as_bytes()) {
        Err(OriginFault::BadPort)
    } else if digits != port {
        Err(OriginFault::LeadingZeroPort)
    } else if is_default_port(scheme, port) {
        Err(OriginFault::DefaultPort)
    } else {
        Ok(Port::Exact(port))
    }
}

fn is_default_port(scheme: &str, port: &str) -> bool {
    matches!((scheme, port), ("http", "80") | ("https", "443"))
}

/// The origin that was probably meant. The caller checks that it is valid.
pub(super) fn right_spelling(written: &str) -> Option<String> {
    let written = written.trim().to_ascii_lowercase();
    if written == "null" {
        return Some(written);
    }
    let (scheme, rest) = match written.split_once("://") {
        Some(("ws", rest)) => ("http", rest),
        Some(("wss", rest)) => ("https", rest),
        Some(both) => both,
        None => guess_scheme(&written),
    };
    let authority = rest.split(is_after_authority).next().unwrap_or(rest);
    let place = match authority.rsplit_once('@') {
        Some((_, place)) => place,
        None => authority,
    };
    let bracketed = format!("[{place}]");
    let place = match canonical_ipv6(&bracketed) {
        Some(_) => &bracketed,
        None => place,
    };
    let (host, port) = split_port(place).ok()?;
    let host = match canonical_ipv6(host) {
        Some(address) => address,
        None => host.strip_suffix('.').unwrap_or(host).to_owned(),
    };
    let port = port
        .map(|port| port.trim_start_matches('0'))
        .filter(|port| !port.is_empty() && !is_default_port(scheme, port));
    Some(match port {
        Some(port) => format!("{scheme}://{host}:{port}"),
        None => format!("{scheme}://{host}"),
    })
}

/// Without `://`: a misspelt `https:`, or only a host.
fn guess_scheme(written: &str) -> (&str, &str) {
    for scheme in ["https", "http"] {
        if let Some(rest) = written
            .strip_prefix(scheme)
            .and_then(|rest| rest.strip_prefix(':'))
        {
            return (scheme, rest.trim_start_matches('/'));
        }
    }
    let host = written.trim_start_matches('/');
    let local = ["localhost", "127.", "[::1]"];
    if local.iter().any(|start| host.starts_with(start)) {
        ("http", host)
    } else {
        ("https", host)
    }
}
