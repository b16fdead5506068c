//! What the Fetch standard requires of a browser for a cross-origin call, implemented a
//! second time from the standard alone: <https://fetch.spec.whatwg.org/>. Nothing here is
//! taken from the code under test, or from a browser.

/// Request headers that a page may send without a preflight, for the values that these
/// tests use (2.2.2, "CORS-safelisted request-header"). `Content-Type` is included, since
/// its value is `text/plain`.
const SAFE_REQUEST_HEADERS: &[&str] = &["accept", "accept-language", "content-language"];

/// "CORS-safelisted method" (2.2.1).
const SAFE_METHODS: &[&str] = &["GET", "HEAD", "POST"];

/// "CORS-safelisted response-header name" (2.2.2).
pub(crate) const SAFE_RESPONSE_HEADERS: &[&str] = &[
    "cache-control",
    "content-language",
    "content-length",
    "content-type",
    "expires",
    "last-modified",
    "pragma",
];

/// "Credentials mode" (2.2.5); for cross-origin calls `same-origin` equals `omit`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Credentials {
    Omit,
    SameOrigin,
    Include,
}

/// What a server allows an origin, in the terms of section 3.2.3.
#[derive(Clone, Debug)]
pub(crate) struct Permissions {
    pub(crate) allow_origin: Option<String>,
    pub(crate) allow_credentials: bool,
}

/// The call of a page.
#[derive(Clone, Debug)]
pub(crate) struct Call<'a> {
    pub(crate) origin: &'a str,
    pub(crate) credentials: Credentials,
    pub(crate) method: &'a str,
    /// The names of the headers that the page sets, in lower case.
    pub(crate) headers: Vec<&'a str>,
}

impl Call<'_> {
    /// HTTP fetch (4.3): a preflight comes first if the method or a header is not
    /// safelisted.
    pub(crate) fn needs_preflight(&self) -> bool {
        !SAFE_METHODS.contains(&self.method) || self.unsafe_headers().next().is_some()
    }

    /// "CORS-unsafe request-header names" (2.2.2).
    pub(crate) fn unsafe_headers(&self) -> impl Iterator<Item = &str> {
        let names = self.headers.iter().copied();
        names.filter(|name| !SAFE_REQUEST_HEADERS.contains(name))
    }

    /// "CORS check" (4.9).
    pub(crate) fn passes(&self, permissions: &Permissions) -> bool {
        let include = self.credentials == Credentials::Include;
        let Some(origin) = &permissions.allow_origin else {
            return false;
        };
        if !include && origin == "*" {
            return true;
        }
        if origin != self.origin {
            return false;
        }
        !include || permissions.allow_credentials
    }

    /// "CORS-preflight fetch" (4.8), for a server that answers an allowed origin
    /// with an ok status and these lists.
    pub(crate) fn preflight_passes(
        &self,
        permissions: &Permissions,
        methods: &[&str],
        headers: &[&str],
    ) -> bool {
        let method = methods.contains(&self.method) || SAFE_METHODS.contains(&self.method);
        let headers = self.unsafe_headers().all(|name| headers.contains(&name));
        self.passes(permissions) && method && headers
    }
}
