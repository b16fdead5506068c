//! The ABI's encoding of header fields: their number, the sizes of each name and value,
//! then names and values, each followed by a zero byte. All numbers are 32 bits,
//! little-endian.

use edge_authz::http::HeaderMap;

/// The size of the two lengths of one field, in bytes.
const SIZES: usize = 8;

/// Parses fields in place. Returns `None` unless the buffer is exactly one well-formed
/// list: a truncated list, or one with extra bytes, cannot be trusted.
pub(super) fn parse(buffer: Vec<u8>) -> Option<HeaderMap> {
    if buffer.is_empty() {
        return Some(HeaderMap::default());
    }
    HeaderMap::adjacent(buffer, layout)
}

/// The sizes of each field, and the position of the first name.
fn layout(buffer: &[u8]) -> Option<(&[[u8; SIZES]], usize)> {
    let (count, rest) = buffer.split_first_chunk()?;
    let count = usize::try_from(u32::from_le_bytes(*count)).ok()?;
    let (sizes, _) = rest.split_at_checked(count.checked_mul(SIZES)?)?;
    let start = sizes.len().checked_add(size_of::<u32>())?;
    let (sizes, _) = sizes.as_chunks();
    Some((sizes, start))
}

/// Encodes fields. `None` if a size does not fit 32 bits.
pub(super) fn encode<'a>(
    fields: impl Iterator<Item = (&'a str, &'a str)> + Clone,
) -> Option<Vec<u8>> {
    let mut buffer = Vec::new();
    let count = u32::try_from(fields.clone().count()).ok()?;
    buffer.extend_from_slice(&count.to_le_bytes());
    for (name, value) in fields.clone() {
        buffer.extend_from_slice(&u32::try_from(name.len()).ok()?.to_le_bytes());
        buffer.extend_from_slice(&u32::try_from(value.len()).ok()?.to_le_bytes());
    }
    for (name, value) in fields {
        buffer.extend_from_slice(name.as_bytes());
        buffer.push(0);
        buffer.extend_from_slice(value.as_bytes());
        buffer.push(0);
    }
    Some(buffer)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(fields: &[(&str, &str)]) -> Vec<u8> {
        encode(fields.iter().copied()).unwrap()
    }

    #[test]
    fn encoded_fields_are_decoded() {
        let fields = [(":path", "/a"), ("x", ""), ("x", "b")];
        let map = parse(encoded(&fields)).unwrap();
        let read: Vec<_> = map.iter().collect();
        let written = fields.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        assert_eq!(read, written);
    }

    #[test]
    fn an_empty_buffer_and_a_list_without_fields_are_empty() {
        assert_eq!(parse(Vec::new()).unwrap().iter().count(), 0);
        assert_eq!(parse(encoded(&[])).unwrap().iter().count(), 0);
    }

    #[test]
    fn a_truncated_list_or_one_with_extra_bytes_is_refused() {
        let whole = encoded(&[("name", "value"), ("a", "b")]);
        for end in 1..whole.len() {
            assert!(parse(whole[..end].to_vec()).is_none(), "cut at {end}");
        }
        assert!(parse([&whole[..], b"\0"].concat()).is_none());
    }

    #[test]
    fn sizes_that_reach_out_of_the_buffer_are_refused() {
        let whole = encoded(&[("name", "value")]);
        for byte in 0..12 {
            for wrong in [1, 0x7f, 0xff] {
                let mut broken = whole.clone();
                broken[byte] ^= wrong;
                assert!(parse(broken).is_none(), "byte {byte} with {wrong:#x}");
            }
        }
        assert!(parse(vec![0xff; 64]).is_none());
    }
}
