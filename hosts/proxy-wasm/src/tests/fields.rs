//! Header fields, and the form in which the ABI passes them.

/// Names and values, in order.
pub(super) type Fields = Vec<(Vec<u8>, Vec<u8>)>;

pub(super) fn fields(pairs: &[(&str, &str)]) -> Fields {
    pairs
        .iter()
        .map(|(name, value)| (name.as_bytes().into(), value.as_bytes().into()))
        .collect()
}

pub(super) fn serialised(fields: &Fields) -> Vec<u8> {
    let mut bytes = Vec::new();
    let number = |number: usize| u32::try_from(number).unwrap().to_le_bytes();
    bytes.extend(number(fields.len()));
    for (name, value) in fields {
        bytes.extend(number(name.len()));
        bytes.extend(number(value.len()));
    }
    for (name, value) in fields {
        bytes.extend([name, &b"\0"[..], value, b"\0"].concat());
    }
    bytes
}

pub(super) fn deserialised(bytes: &[u8]) -> Fields {
    let number = |at: usize| {
        usize::try_from(u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())).unwrap()
    };
    let count = number(0);
    let mut at = 4 + 8 * count;
    let mut text = |size: usize| {
        let text = bytes[at..at + size].to_vec();
        assert_eq!(bytes[at + size], 0);
        at += size + 1;
        text
    };
    let fields = (0..count)
        .map(|index| (text(number(4 + 8 * index)), text(number(8 + 8 * index))))
        .collect();
    assert_eq!(at, bytes.len());
    fields
}

/// The values of a header.
pub(super) fn values(fields: &Fields, name: &str) -> Vec<String> {
    let values = fields
        .iter()
        .filter(|(present, _)| present == name.as_bytes());
    values
        .map(|(_, value)| String::from_utf8_lossy(value).into_owned())
        .collect()
}
