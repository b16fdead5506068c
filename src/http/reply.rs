//! The filter's own responses.

use super::SafeText;

/// A response that never comes from the upstream.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LocalReply {
    /// The status code.
    pub status: u16,
    /// Header fields, with names in lower case. The names are constants and the
    /// values are filtered, so no input can add a field.
    pub headers: Vec<(&'static str, SafeText)>,
    /// The body; the proxy adds `content-length`.
    pub body: Vec<u8>,
    /// The response code details, for access logs: one of a closed set.
    pub details: &'static str,
}
