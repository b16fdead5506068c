//! A decision as JSON.

use edge_authz::authz::Verdict;
use edge_authz_cli::{Decided, Fields};
use serde_json::{Value, json};

/// Everything that the page shows of a decision.
pub(crate) fn of(mut decided: Decided) -> Value {
    let verdict = match decided.verdict() {
        Verdict::Forward(_) => "forward",
        Verdict::Reply(..) => "reply",
        Verdict::Wait(_) => "wait",
    };
    let answer = decided.answer().map(|(status, headers, body)| {
        json!({
            "status": status,
            "headers": fields(&headers),
            "body": String::from_utf8_lossy(body),
        })
    });
    let upstream = decided.upstream().map(|(path, headers)| {
        json!({
            "path": String::from_utf8_lossy(&path),
            "headers": fields(&headers),
            "removed": fields(&removed(&decided.arrived(), &headers)),
            // What the client gets besides the upstream's own fields.
            "response": fields(&decided.response(Fields::new())),
        })
    });
    let mut value = decided.explanation.take();
    if let Value::Object(members) = &mut value {
        // The sentence begins with the method, as `explain` writes it.
        let sentence = members.insert("verdict".to_owned(), verdict.into());
        members.insert("sentence".to_owned(), sentence.into());
        members.insert("answer".to_owned(), answer.into());
        members.insert("upstream".to_owned(), upstream.into());
        members.insert("notes".to_owned(), decided.notes.into());
    }
    value
}

/// The fields of a request that do not reach the upstream as they are.
fn removed(arrived: &Fields, forwarded: &Fields) -> Fields {
    let is_gone = |field: &&(Vec<u8>, Vec<u8>)| !forwarded.contains(field);
    arrived.iter().filter(is_gone).cloned().collect()
}

fn fields(fields: &Fields) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = fields.iter();
    fields
        .map(|(name, value)| json!([text(name), text(value)]))
        .collect()
}
