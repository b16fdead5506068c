//! The outcome of a request, as the client and the upstream saw it.

pub use crate::seen::Fields;

/// The outcome of a request.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Outcome {
    /// The status that the client got.
    pub status: u16,
    /// The reason's name; absent if the filter did not decide.
    pub reason: Option<String>,
    /// The name of the reason for which a request that passed would have been refused, on
    /// the core.
    pub reported: Option<String>,
    /// The answer's header fields.
    pub headers: Fields,
    /// The answer's body; absent if it is the upstream's.
    pub body: Option<Vec<u8>>,
    /// The request that the upstream saw; absent if none reached it.
    pub upstream: Option<Seen>,
}

/// A request as the upstream saw it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Seen {
    /// The path, with the query.
    pub path: Vec<u8>,
    /// The header fields, without pseudo-headers.
    pub headers: Fields,
    /// The trailer fields.
    pub trailers: Fields,
}

/// The values of a field.
pub(super) fn values<'f>(fields: &'f Fields, name: &str) -> Vec<&'f [u8]> {
    fields
        .iter()
        .filter(|(known, _)| known.eq_ignore_ascii_case(name.as_bytes()))
        .map(|(_, value)| value.as_slice())
        .collect()
}
