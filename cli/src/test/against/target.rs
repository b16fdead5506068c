//! The gateway that requests are sent to.

/// Where requests are sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Target {
    pub(super) is_tls: bool,
    /// The host of the URL, without brackets: the name in the certificate.
    pub(super) host: String,
    pub(super) port: u16,
    /// The content of `Host` for cases that name no host.
    pub(super) authority: String,
}

impl Target {
    /// Reads a URL: a scheme, a host and, optionally, a port.
    ///
    /// # Errors
    ///
    /// What is wrong, as a sentence.
    pub(crate) fn parse(url: &str) -> Result<Self, String> {
        let wrong = |what: &str| format!("--against {url}: {what}");
        let (is_tls, rest) = match url.split_once("://") {
            Some(("https", rest)) => (true, rest),
            Some(("http", rest)) => (false, rest),
            _ => return Err(wrong("write `http://` or `https://` and a host")),
        };
        let authority = rest.strip_suffix('/').unwrap_or(rest);
        if authority.contains(['/', '?', '#']) {
            return Err(wrong("write no path; the cases have paths"));
        }
        if authority.contains('@') {
            return Err(wrong("write no user"));
        }
        let usual = if is_tls { 443 } else { 80 };
        let (host, port) =
            split(authority, usual).ok_or_else(|| wrong("write a host and a port"))?;
        Ok(Self {
            is_tls,
            host: host.to_owned(),
            port,
            authority: authority.to_owned(),
        })
    }
}

/// The host and the port of an authority. An IPv6 address has brackets there.
fn split(authority: &str, usual: u16) -> Option<(&str, u16)> {
    let (host, port) = match authority.strip_prefix('[') {
        Some(rest) => {
            let (host, rest) = rest.split_once(']')?;
            (
                host,
                rest.strip_prefix(':')
                    .or_else(|| rest.is_empty().then_some(""))?,
            )
        }
        None => authority.split_once(':').unwrap_or((authority, "")),
    };
    let port = match port {
        "" if !authority.ends_with(':') => usual,
        port => port.parse().ok()?,
    };
    let is_name = |byte: u8| byte.is_ascii_alphanumeric() || b"-._:".contains(&byte);
    (!host.is_empty() && host.bytes().all(is_name)).then_some((host, port))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_gateway_is_a_scheme_a_host_and_a_port() {
        for (url, is_tls, host, port, authority) in [
            (
                "http://127.0.0.1:8080",
                false,
                "127.0.0.1",
                8080,
                "127.0.0.1:8080",
            ),
            (
                "https://api.example.com",
                true,
                "api.example.com",
                443,
                "api.example.com",
            ),
            (
                "http://api.example.com/",
                false,
                "api.example.com",
                80,
                "api.example.com",
            ),
            ("https://[::1]:8443", true, "::1", 8443, "[::1]:8443"),
            ("http://[::1]", false, "::1", 80, "[::1]"),
        ] {
            let expected = Target {
                is_tls,
                host: host.to_owned(),
                port,
                authority: authority.to_owned(),
            };
            assert_eq!(Target::parse(url), Ok(expected));
        }
        for wrong in [
            "api.example.com",
            "ftp://a",
            "http://",
            "http://a/path",
            "http://a?b",
            "http://u:p@a",
            "http://a:",
            "http://a:x",
            "http://a:70000",
            "http://[::1",
            "http://[::1]8",
            "http://a b",
            "http://a\r\nb",
        ] {
            assert!(Target::parse(wrong).is_err(), "{wrong}");
        }
    }
}
