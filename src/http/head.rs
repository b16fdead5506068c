//! The head of one request.

use super::HeaderMap;
use crate::bytes::find;

/// The part of a request before its body: the pseudo-headers of HTTP/2, which a
/// proxy also makes for HTTP/1, and the header fields.
///
/// Only `:path` is the path and only `:authority` is the host. The client can
/// write anything to `x-original-url`, `x-http-method-override`, `host` and the
/// like, so they are ignored.
#[derive(Debug, Clone, Default)]
pub struct RequestHead {
    headers: HeaderMap,
    /// The places of `:method` and `:path`, which are read several times.
    method: Option<usize>,
    path: Option<usize>,
}

impl RequestHead {
    /// Makes a head from a request's fields, pseudo-headers included.
    #[must_use]
    pub fn new(headers: HeaderMap) -> Self {
        Self {
            method: headers.place(":method"),
            path: headers.place(":path"),
            headers,
        }
    }

    /// All fields, pseudo-headers included.
    #[must_use]
    pub fn headers(&self) -> &HeaderMap {
        &self.headers
    }

    /// `:method`, in its original letter case.
    #[must_use]
    pub fn method(&self) -> Option<&[u8]> {
        self.headers.value_at(self.method?)
    }

    /// `:path`, query included. A CONNECT request has no path.
    #[must_use]
    pub fn path(&self) -> Option<&[u8]> {
        self.headers.value_at(self.path?)
    }

    /// `:authority`.
    #[must_use]
    pub fn authority(&self) -> Option<&[u8]> {
        self.headers.first(":authority")
    }

    /// The text after the first `?` of the path.
    #[must_use]
    pub fn query(&self) -> Option<&[u8]> {
        let path = self.path()?;
        let mark = find(path, b'?')?;
        path.get(mark.saturating_add(1)..)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_query_is_all_that_follows_the_first_question_mark() {
        let query = |path: &str| {
            let head = RequestHead::new(HeaderMap::from_pairs([(":path", path)]));
            head.query()
                .map(|query| String::from_utf8(query.into()).unwrap())
        };
        assert_eq!(query("/a?b=c?d").as_deref(), Some("b=c?d"));
        assert_eq!(query("/a?").as_deref(), Some(""));
        assert_eq!(query("/a"), None);
    }

    #[test]
    fn fields_that_name_another_method_path_or_host_are_ignored() {
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/a"),
            ("x-http-method-override", "DELETE"),
            ("x-original-url", "/admin"),
            ("host", "admin.example.com"),
        ]));
        assert_eq!(head.method(), Some(&b"GET"[..]));
        assert_eq!(head.path(), Some(&b"/a"[..]));
        assert_eq!(head.authority(), None);
    }
}
