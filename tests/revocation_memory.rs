//! The memory that reading and keeping a revocation list takes, compared with the stated
//! bounds.

use edge_authz::revocation::{MAX_ENTRIES, MAX_LIST_BYTES, RevocationList, memory_needed};

#[path = "support/counting.rs"]
mod counting;
#[path = "support/filled.rs"]
mod filled;

use counting::{Taken, taken};

fn filled(start: &str, part: impl Fn(usize) -> String, end: &str, most: usize) -> String {
    filled::filled(MAX_LIST_BYTES, start, part, end, most)
}

fn documents() -> Vec<(&'static str, String)> {
    let most = MAX_ENTRIES - 1;
    let short = |number| format!(r#""{number:x}","#);
    let escaped = |number| format!(r#""\u0061{number}","#);
    let long = |number| format!(r#""{number:070}","#);
    let subject = |number| format!(r#""{number:x}":1,"#);
    let level = |_| "[".to_owned();
    vec![
        ("short ids", filled(r#"{"jti":["#, short, "\"\"]}", most)),
        ("escapes", filled(r#"{"jti":["#, escaped, "\"\"]}", most)),
        ("long ids", filled(r#"{"sid":["#, long, "\"\"]}", most)),
        ("subjects", filled(r#"{"sub":{"#, subject, "\"\":1}}", most)),
        ("a few", r#"{"jti":["a","b"]}"#.to_owned()),
        (
            "too many",
            filled(r#"{"jti":["#, short, "\"\"]}", usize::MAX),
        ),
        ("nested", filled(r#"{"x":"#, level, "}", usize::MAX)),
        (
            "nested and closed",
            format!(
                r#"{{"jti":[],"x":{}{}}}"#,
                "[".repeat(2_000_000),
                "]".repeat(2_000_000)
            ),
        ),
        (
            "one long id",
            filled(r#"{"jti":[""#, |_| r"\n".to_owned(), "\"]}", usize::MAX),
        ),
    ]
}

#[test]
fn no_document_takes_more_than_estimated() {
    for (name, document) in documents() {
        let parse = || {
            let list = RevocationList::parse(document.as_bytes(), None)?;
            drop(list.encode());
            Ok::<_, edge_authz::revocation::ListError>(list)
        };
        let (parsed, taken) = taken(parse);
        let Taken { peak, block, kept } = taken;
        let said = parsed.as_ref().map_or(0, RevocationList::memory_bytes);
        println!(
            "{name}: {} bytes; peak {peak}, block {block}, kept {kept} of {said}",
            document.len()
        );
        let need = memory_needed(document.len());
        assert!(peak <= need.all, "{name}: {peak} of {need:?}");
        assert!(block <= need.block, "{name}: {block} of {need:?}");
        assert!(parsed.is_err() || kept <= said, "{name}: {kept} of {said}");
    }
}
