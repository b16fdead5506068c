//! The header fields of replies.

use edge_authz::cors::ResponseCors;
use edge_authz::http::{HeaderEdit, LocalReply};

/// The header fields of a reply that the filter makes itself, with their CORS headers.
#[must_use]
pub fn reply_fields(reply: &LocalReply, cors: Option<&ResponseCors>) -> Vec<(Vec<u8>, Vec<u8>)> {
    let own = reply.headers.iter();
    let own = own.map(|(name, value)| (name.as_bytes(), value.as_str().as_bytes()));
    let own: Vec<(&[u8], &[u8])> = own.collect();
    let edits = cors.map(|cors| cors.apply(own.iter().copied(), true));
    let fields = edited(own, edits.as_deref().unwrap_or_default());
    let owned = fields.into_iter();
    owned
        .map(|(name, value)| (name.to_vec(), value.to_vec()))
        .collect()
}

/// Whether the bytes neither end a line nor a text, so that they can be written to a header.
#[must_use]
pub fn is_sendable(bytes: &[u8]) -> bool {
    !bytes.iter().any(|byte| matches!(byte, b'\r' | b'\n' | 0))
}

/// Header fields with changes applied, in order.
#[must_use]
pub fn edited<'a>(
    mut fields: Vec<(&'a [u8], &'a [u8])>,
    edits: &'a [HeaderEdit<'a>],
) -> Vec<(&'a [u8], &'a [u8])> {
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => remove(&mut fields, name),
            HeaderEdit::Set(name, value) => {
                remove(&mut fields, name);
                fields.push((name, value));
            }
            HeaderEdit::Add(name, value) => fields.push((name, value)),
        }
    }
    fields
}

fn remove(fields: &mut Vec<(&[u8], &[u8])>, name: &[u8]) {
    fields.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_end_a_line_are_not_sent() {
        for bad in ["a\r\nb: c", "\r", "\n", "a\0"] {
            assert!(!is_sendable(bad.as_bytes()), "{bad:?}");
        }
        assert!(is_sendable(b"a\tb \xff"));
    }

    #[test]
    fn changes_of_an_answer_are_made_in_order() {
        let set = |name: &'static str, value: &'static str| {
            HeaderEdit::Set(name.as_bytes().into(), value.as_bytes().into())
        };
        let edits = [
            HeaderEdit::Remove(b"gone"[..].into()),
            set("Vary", "origin"),
            HeaderEdit::Add(b"new"[..].into(), b"1"[..].into()),
            set("new", "2"),
        ];
        let fields: Vec<(&[u8], &[u8])> = vec![
            (b"Gone", b"1"),
            (b"vary", b"a"),
            (b"vary", b"b"),
            (b"x", b"y"),
        ];
        let expected: [(&[u8], &[u8]); 3] = [(b"x", b"y"), (b"Vary", b"origin"), (b"new", b"2")];
        assert_eq!(edited(fields, &edits), expected);
    }
}
