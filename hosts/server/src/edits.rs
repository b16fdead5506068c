//! The net effect of changes of header fields.

use edge_authz::http::HeaderEdit;

/// What happens to the fields of one name.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Net<'e> {
    /// They are removed.
    Removed,
    /// They are replaced with these, at least one.
    Replaced(Vec<&'e [u8]>),
    /// These are added to them.
    Added(Vec<&'e [u8]>),
}

/// The effect for each name, in lower case. Envoy applies all removals after all other
/// changes, or before them, depending on its version. So no name occurs twice.
pub(crate) fn net<'e>(edits: &'e [HeaderEdit<'static>]) -> Vec<(Vec<u8>, Net<'e>)> {
    let mut all: Vec<(Vec<u8>, Net<'e>)> = Vec::with_capacity(edits.len());
    for edit in edits {
        let name = edit.name().to_ascii_lowercase();
        let known = all.iter_mut().find(|(known, _)| *known == name);
        let known = known.map(|(_, net)| net);
        match (edit, known) {
            (HeaderEdit::Remove(_), None) => all.push((name, Net::Removed)),
            (HeaderEdit::Remove(_), Some(net)) => *net = Net::Removed,
            (HeaderEdit::Set(_, value), None) => all.push((name, Net::Replaced(vec![value]))),
            (HeaderEdit::Set(_, value), Some(net)) => *net = Net::Replaced(vec![value]),
            (HeaderEdit::Add(_, value), None) => all.push((name, Net::Added(vec![value]))),
            (HeaderEdit::Add(_, value), Some(net)) => match net {
                Net::Removed => *net = Net::Replaced(vec![value]),
                Net::Replaced(values) | Net::Added(values) => values.push(value),
            },
        }
    }
    all
}

/// The effect on a request that continues. Identity headers that nothing sets are removed even
/// if the request has none: Envoy may have hidden the client's from the server.
pub(crate) fn of_request<'e>(
    edits: &'e [HeaderEdit<'static>],
    identity_headers: impl Iterator<Item = &'e str>,
) -> Vec<(Vec<u8>, Net<'e>)> {
    let mut all = net(edits);
    for name in identity_headers {
        if !all.iter().any(|(known, _)| known == name.as_bytes()) {
            all.push((name.into(), Net::Removed));
        }
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    fn set(name: &'static str, value: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Set(name.as_bytes().into(), value.as_bytes().into())
    }

    fn add(name: &'static str, value: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Add(name.as_bytes().into(), value.as_bytes().into())
    }

    fn remove(name: &'static str) -> HeaderEdit<'static> {
        HeaderEdit::Remove(name.as_bytes().into())
    }

    #[test]
    fn each_name_has_one_effect() {
        let cases = [
            (vec![remove("a")], Net::Removed),
            (vec![add("a", "1"), remove("A")], Net::Removed),
            (vec![remove("A"), set("a", "1")], Net::Replaced(vec![b"1"])),
            (vec![remove("A"), add("a", "1")], Net::Replaced(vec![b"1"])),
            (
                vec![set("a", "1"), set("A", "2")],
                Net::Replaced(vec![b"2"]),
            ),
            (
                vec![set("a", "1"), add("A", "2")],
                Net::Replaced(vec![b"1", b"2"]),
            ),
            (
                vec![add("a", "1"), add("A", "2")],
                Net::Added(vec![b"1", b"2"]),
            ),
        ];
        for (edits, expected) in cases {
            assert_eq!(net(&edits), [(b"a".to_vec(), expected)]);
        }
        let other = [remove("x_user_id"), set("x-user-id", "1")];
        assert_eq!(net(&other).len(), 2);
    }
}
