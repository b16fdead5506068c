//! What the client and the upstream see of a decision: header fields with the changes of the
//! filter.

use edge_authz::authz::{Facts, ResponseNonce};
use edge_authz::cors::ResponseCors;
use edge_authz::http::{HeaderEdit, LocalReply, RequestHead};

/// Fields in order, one entry for each repetition; names in lower case.
pub type Fields = Vec<(Vec<u8>, Vec<u8>)>;

/// The fields of the filter's own answer.
pub(crate) fn of_reply(reply: &LocalReply, facts: &Facts) -> Fields {
    let headers = reply.headers.iter();
    let headers = headers.map(|(name, value)| (name.as_bytes().to_vec(), value.as_str().into()));
    with_cors(headers.collect(), facts.cors.as_ref(), true)
}

/// The fields of the upstream's response, as the client gets them.
pub(crate) fn of_upstream(headers: Fields, facts: &Facts) -> Fields {
    let given = headers.clone();
    let borrowed = given.iter().map(|(name, value)| (&**name, &**value));
    let nonce = facts.nonce.as_ref();
    let edit = nonce.and_then(|nonce: &ResponseNonce| nonce.apply(borrowed));
    let headers = edited(headers, edit.as_slice());
    with_cors(headers, facts.cors.as_ref(), false)
}

/// The path with the query, and the fields without pseudo-headers, of the request that reaches
/// the upstream.
pub(crate) fn by_upstream(head: &RequestHead, edits: &[HeaderEdit<'_>]) -> (Vec<u8>, Fields) {
    let fields = head.headers().iter();
    let fields = fields.map(|(name, value)| (name.to_vec(), value.to_vec()));
    let mut fields = edited(fields.collect(), edits);
    let path = fields.iter().filter(|(name, _)| name == b":path");
    let path = path.flat_map(|(_, value)| value.clone()).collect();
    fields.retain(|(name, _)| !name.starts_with(b":"));
    (path, fields)
}

fn with_cors(headers: Fields, cors: Option<&ResponseCors>, own: bool) -> Fields {
    let Some(cors) = cors else {
        return headers;
    };
    let given = headers.clone();
    let borrowed = given.iter().map(|(name, value)| (&**name, &**value));
    edited(headers, &cors.apply(borrowed, own))
}

/// Header fields with changes applied.
fn edited(mut headers: Fields, edits: &[HeaderEdit<'_>]) -> Fields {
    for edit in edits {
        match edit {
            HeaderEdit::Remove(name) => remove(&mut headers, name),
            HeaderEdit::Set(name, value) => {
                remove(&mut headers, name);
                headers.push((name.to_vec(), value.to_vec()));
            }
            HeaderEdit::Add(name, value) => headers.push((name.to_vec(), value.to_vec())),
        }
    }
    headers
}

fn remove(headers: &mut Fields, name: &[u8]) {
    headers.retain(|(known, _)| !known.eq_ignore_ascii_case(name));
}
