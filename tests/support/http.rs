//! Requests and responses as bytes, the same for both protocols.

use serde_json::Value;

/// Header fields in order, duplicates included.
pub(crate) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// A request to send. Nothing is checked: a test may send invalid requests.
#[derive(Clone, Debug)]
pub(crate) struct Request {
    pub(crate) method: Vec<u8>,
    /// `:path` or the request target; `None` leaves it out (HTTP/2 only).
    pub(crate) target: Option<Vec<u8>>,
    /// `:authority` or `host`; `None` leaves it out.
    pub(crate) authority: Option<Vec<u8>>,
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
}

impl Request {
    /// A request without body, to the authority `app.example.com`.
    pub(crate) fn new(method: impl AsRef<[u8]>, target: impl AsRef<[u8]>) -> Self {
        Self {
            method: method.as_ref().to_vec(),
            target: Some(target.as_ref().to_vec()),
            authority: Some(b"app.example.com".to_vec()),
            headers: Vec::new(),
            body: Vec::new(),
            trailers: Vec::new(),
        }
    }

    /// `GET target`.
    pub(crate) fn get(target: impl AsRef<[u8]>) -> Self {
        Self::new("GET", target)
    }

    /// `POST target` with a body.
    pub(crate) fn post(target: impl AsRef<[u8]>, body: impl AsRef<[u8]>) -> Self {
        Self::new("POST", target).body(body)
    }

    /// A browser's preflight for `method target` from `origin`.
    pub(crate) fn preflight(target: &str, origin: &str, method: &str) -> Self {
        Self::new("OPTIONS", target)
            .header("origin", origin)
            .header("access-control-request-method", method)
    }

    /// Adds a header field; the same name may be added again.
    pub(crate) fn header(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.headers
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Adds `authorization: Bearer token`.
    pub(crate) fn bearer(self, token: &str) -> Self {
        self.header("authorization", format!("Bearer {token}"))
    }

    /// Sets the body.
    pub(crate) fn body(mut self, body: impl AsRef<[u8]>) -> Self {
        self.body = body.as_ref().to_vec();
        self
    }

    /// Adds a trailer field.
    pub(crate) fn trailer(mut self, name: impl AsRef<[u8]>, value: impl AsRef<[u8]>) -> Self {
        self.trailers
            .push((name.as_ref().to_vec(), value.as_ref().to_vec()));
        self
    }

    /// Sets `host` or `:authority`.
    pub(crate) fn authority(mut self, authority: impl AsRef<[u8]>) -> Self {
        self.authority = Some(authority.as_ref().to_vec());
        self
    }
}

/// A response received.
#[derive(Clone, Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    /// Names in lower case.
    pub(crate) headers: Fields,
    pub(crate) body: Vec<u8>,
    pub(crate) trailers: Fields,
}

impl Response {
    /// The values of a header, in order.
    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        self.headers
            .iter()
            .filter(|(key, _)| key.eq_ignore_ascii_case(name.as_bytes()))
            .map(|(_, value)| readable(value))
            .collect()
    }

    /// The value of a header that may occur once at most.
    pub(crate) fn header(&self, name: &str) -> Option<String> {
        let mut values = self.all(name);
        assert!(values.len() <= 1, "several `{name}` headers: {values:?}");
        values.pop()
    }

    /// The body as text.
    pub(crate) fn text(&self) -> String {
        readable(&self.body)
    }

    /// The body as JSON.
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body)
            .unwrap_or_else(|error| panic!("not JSON ({error}): {self}"))
    }

    /// Fails the test unless the status is `expected`.
    #[track_caller]
    pub(crate) fn expect(self, expected: u16) -> Self {
        assert!(self.status == expected, "expected {expected}, got\n{self}");
        self
    }
}

impl std::fmt::Display for Response {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        writeln!(out, "{}", self.status)?;
        for (name, value) in self.headers.iter().chain(&self.trailers) {
            writeln!(out, "{}: {}", readable(name), readable(value))?;
        }
        write!(out, "\n{}", self.text())
    }
}

/// Printable ASCII unchanged, `\` doubled, every other byte escaped as in Rust.
pub(crate) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        match byte {
            b'\\' => text.push_str("\\\\"),
            b' '..=b'~' => text.push(char::from(byte)),
            _ => text.extend(byte.escape_ascii().map(char::from)),
        }
    }
    text
}
