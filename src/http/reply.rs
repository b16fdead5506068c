//! Answers that the filter gives itself.

use super::SafeText;

/// A response that never comes from the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// The status code.
    pub status: u16,
    /// Header fields, the names in lower case. Names are the code's own and
    /// values are filtered, so no input can add a field.
    pub headers: Vec<(&'static str, SafeText)>,
    /// The body; the proxy adds `content-length`.
    pub body: Vec<u8>,
    /// The response code details, for access logs: one of a closed set.
    pub details: &'static str,
}
