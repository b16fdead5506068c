//! Methods that all upstreams read in the same way.

/// The methods that some upstreams convert to upper case.
const UPPER: &str = "GET HEAD POST PUT PATCH DELETE OPTIONS TRACE CONNECT";

/// Whether the method is a token (RFC 9110 section 5.6.2), and in upper case if it is a
/// well-known one.
pub(crate) fn is_plain(method: &[u8]) -> bool {
    let token = |byte: &u8| (0x21..0x7f).contains(byte) && !b"\"(),/:;<=>?@[\\]{}".contains(byte);
    let upper = method.to_ascii_uppercase();
    let changes = upper != method;
    let mut known = UPPER.split(' ').map(str::as_bytes);
    !method.is_empty() && method.iter().all(token) && !(changes && known.any(|one| one == upper))
}
