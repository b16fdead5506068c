//! The header fields of a check request.
//!
//! With `encode_raw_headers`, Envoy sends each field with its bytes, as the filter inside of a
//! proxy sees them. Without it, Envoy joins the fields of a name with commas and writes `!`
//! for each byte that is not UTF-8. Such text can have several meanings, and is read so that
//! it never means less than the request may have contained:
//!
//! * a `!` may have been any byte, so it is judged as a byte that no text contains. A path
//!   with it is ambiguous, and a value with it equals no claim;
//! * a value with a comma may have been two fields, so it is judged as two. The values of
//!   `authorization` and `cookie` stay whole, because the core itself looks for tokens
//!   after each comma there.

use std::collections::HashMap;

use envoy_types::pb::envoy::config::core::v3::HeaderMap as RawFields;

/// A byte that is not in any UTF-8 text. It stands for each `!` of a sanitised value.
const UNKNOWN: u8 = 0xff;
/// What Envoy writes for a byte that is not UTF-8.
const SANITISED: u8 = b'!';

/// The header fields of a request, pseudo-headers included.
#[derive(Debug, Default)]
pub(super) struct Fields {
    pub(super) list: Vec<(String, Vec<u8>)>,
    pub(super) form: Form,
}

/// How the proxy has written the fields.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// Each with its bytes.
    #[default]
    Raw,
    /// Joined and sanitised.
    Merged,
}

/// The fields cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unreadable;

impl Form {
    /// The bytes that are judged for a value.
    pub(super) fn read(self, value: String) -> Vec<u8> {
        let mut value = value.into_bytes();
        if self == Self::Merged {
            replace(&mut value, SANITISED, UNKNOWN);
        }
        value
    }

    /// The text that is sent for a judged value; `None` if the protocol cannot carry it.
    pub(super) fn write(self, value: &[u8]) -> Option<String> {
        let mut value = value.to_vec();
        if self == Self::Merged {
            replace(&mut value, UNKNOWN, SANITISED);
        }
        String::from_utf8(value).ok()
    }
}

fn replace(bytes: &mut [u8], from: u8, to: u8) {
    for byte in bytes.iter_mut().filter(|byte| **byte == from) {
        *byte = to;
    }
}

impl Fields {
    /// Reads the fields in the form in which the proxy has sent them.
    ///
    /// # Errors
    ///
    /// The proxy has sent both forms, or a field without a name or with two values.
    pub(super) fn read(
        merged: HashMap<String, String>,
        raw: Option<RawFields>,
    ) -> Result<Self, Unreadable> {
        let fields = match raw {
            Some(raw) if !raw.headers.is_empty() => {
                if !merged.is_empty() {
                    return Err(Unreadable);
                }
                Self::from_raw(raw)?
            }
            _ => Self::from_merged(merged),
        };
        // A field without a name would escape the rules about names.
        let is_whole = fields.list.iter().all(|(name, _)| !name.is_empty());
        is_whole.then_some(fields).ok_or(Unreadable)
    }

    fn from_raw(raw: RawFields) -> Result<Self, Unreadable> {
        let read = raw.headers.into_iter().map(|field| {
            let value = match (field.value.is_empty(), field.raw_value.is_empty()) {
                (true, _) => field.raw_value,
                (false, true) => field.value.into_bytes(),
                (false, false) => return Err(Unreadable),
            };
            Ok((field.key, value))
        });
        Ok(Self {
            list: read.collect::<Result<_, _>>()?,
            form: Form::Raw,
        })
    }

    fn from_merged(merged: HashMap<String, String>) -> Self {
        let mut list = Vec::with_capacity(merged.len());
        for (name, value) in merged {
            let value = Form::Merged.read(value);
            let is_whole = ["authorization", "cookie"]
                .iter()
                .any(|whole| name.eq_ignore_ascii_case(whole));
            let is_pseudo = name.starts_with(':');
            let comma = value.iter().position(|byte| *byte == b',');
            match comma.and_then(|comma| value.split_at_checked(comma)) {
                Some((first, rest)) if !is_whole && !is_pseudo => {
                    let rest = rest.get(1..).unwrap_or_default();
                    list.push((name.clone(), first.trim_ascii().to_vec()));
                    list.push((name, rest.trim_ascii().to_vec()));
                }
                _ => list.push((name, value)),
            }
        }
        Self {
            list,
            form: Form::Merged,
        }
    }
}

#[cfg(test)]
mod tests {
    use envoy_types::pb::envoy::config::core::v3::HeaderValue;

    use super::*;

    fn raw(fields: &[(&str, &str, &[u8])]) -> RawFields {
        let headers = fields.iter().map(|(key, value, raw_value)| HeaderValue {
            key: (*key).to_owned(),
            value: (*value).to_owned(),
            raw_value: raw_value.to_vec(),
        });
        RawFields {
            headers: headers.collect(),
        }
    }

    fn merged(fields: &[(&str, &str)]) -> HashMap<String, String> {
        let owned = fields.iter();
        owned
            .map(|(n, v)| ((*n).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn raw_fields_keep_their_bytes_their_order_and_their_repetitions() {
        let fields = raw(&[("a", "", b"\xff,!"), ("b", "x", b""), ("a", "", b"")]);
        let fields = Fields::read(HashMap::new(), Some(fields)).unwrap();
        let expected: [(&str, &[u8]); 3] = [("a", b"\xff,!"), ("b", b"x"), ("a", b"")];
        let expected = expected.map(|(name, value)| (name.to_owned(), value.to_vec()));
        assert_eq!(fields.list, expected);
        assert_eq!(fields.form, Form::Raw);
    }

    #[test]
    fn joined_fields_are_repeated_and_sanitised_bytes_are_unknown() {
        let read = |name: &str, value: &str| {
            let fields = Fields::read(merged(&[(name, value)]), Some(raw(&[]))).unwrap();
            let values = fields.list.into_iter().map(|(_, value)| value);
            values.collect::<Vec<_>>()
        };
        assert_eq!(read("x-tenant", "a, b, c"), [&b"a"[..], b"b, c"]);
        assert_eq!(read("x-tenant", "a,"), [&b"a"[..], b""]);
        assert_eq!(read("x-tenant", "a!"), [b"a\xff"]);
        assert_eq!(
            read("Authorization", "Bearer a,Bearer b"),
            [b"Bearer a,Bearer b"]
        );
        assert_eq!(read("cookie", "a=1,b=2"), [b"a=1,b=2"]);
        assert_eq!(read(":path", "/a,b"), [b"/a,b"]);
    }

    #[test]
    fn values_are_sent_as_they_were_received() {
        assert_eq!(Form::Merged.write(b"a=\xff; b").as_deref(), Some("a=!; b"));
        assert_eq!(Form::Raw.write(b"a!").as_deref(), Some("a!"));
        assert_eq!(Form::Raw.write(b"a\xff"), None);
        assert_eq!(Form::Raw.write("é".as_bytes()).as_deref(), Some("é"));
    }

    #[test]
    fn fields_that_contradict_each_other_are_unreadable() {
        let both = Fields::read(merged(&[("a", "1")]), Some(raw(&[("b", "", b"2")])));
        assert_eq!(both.unwrap_err(), Unreadable);
        for fields in [raw(&[("a", "1", b"2")]), raw(&[("", "", b"2")])] {
            assert_eq!(
                Fields::read(HashMap::new(), Some(fields)).unwrap_err(),
                Unreadable
            );
        }
        assert_eq!(
            Fields::read(merged(&[("", "1")]), None).unwrap_err(),
            Unreadable
        );
    }
}
