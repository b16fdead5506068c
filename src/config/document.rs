//! Parses bytes to a tree, and reports errors of the document itself.

use std::cell::Cell;

use serde::de::DeserializeSeed;

use super::error::ConfigErrors;
use super::problem::DocumentProblem;
use super::value::{Tree, Value};
use super::{MAX_BYTES, MAX_DEPTH};

const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// Reads the tree of one JSON text.
///
/// # Errors
///
/// The first fault of the document, with its line and column.
pub(super) fn parse(bytes: &[u8]) -> Result<Value<'_>, ConfigErrors> {
    if bytes.len() > MAX_BYTES {
        return Err(ConfigErrors::of_whole(DocumentProblem::TooLarge));
    }
    if bytes.starts_with(BYTE_ORDER_MARK) {
        return Err(ConfigErrors::of_document(
            1,
            1,
            DocumentProblem::ByteOrderMark,
        ));
    }
    let text = std::str::from_utf8(bytes).map_err(|error| not_utf8(bytes, error.valid_up_to()))?;
    if text.trim_ascii().is_empty() {
        return Err(ConfigErrors::of_whole(DocumentProblem::Empty));
    }
    let too_deep = Cell::new(false);
    let tree = Tree {
        depth_left: MAX_DEPTH,
        too_deep: &too_deep,
    };
    let mut reader = serde_json::Deserializer::from_str(text);
    let value = tree.deserialize(&mut reader).map_err(|error| {
        let problem = if too_deep.get() {
            DocumentProblem::TooDeep
        } else {
            DocumentProblem::Syntax(cause(&error))
        };
        ConfigErrors::of_document(error.line(), error.column(), problem)
    })?;
    reader.end().map_err(|error| {
        ConfigErrors::of_document(error.line(), error.column(), DocumentProblem::TextAfterEnd)
    })?;
    Ok(value)
}

fn not_utf8(bytes: &[u8], valid: usize) -> ConfigErrors {
    let before = bytes.get(..valid).unwrap_or_default();
    let mut lines = before.split(|byte| *byte == b'\n').rev();
    let column = lines.next().unwrap_or_default().len().saturating_add(1);
    let line = lines.count().saturating_add(1);
    ConfigErrors::of_document(line, column, DocumentProblem::NotUtf8)
}

/// The parser's message without the position, which is reported separately. The
/// messages are fixed and repeat nothing of the text.
fn cause(error: &serde_json::Error) -> Box<str> {
    let sentence = error.to_string();
    match sentence.rsplit_once(" at line ") {
        Some((cause, _)) => cause.into(),
        None => sentence.into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error(bytes: &[u8]) -> String {
        parse(bytes).unwrap_err().to_string()
    }

    #[test]
    fn the_errors_of_the_document_name_line_and_column_or_the_limit() {
        let nested = format!("{{\"a\":\n {}", "[".repeat(40));
        for (bytes, expected) in [
            (&b""[..], "configuration: is empty; write at least `routes`"),
            (
                b" \r\n\t",
                "configuration: is empty; write at least `routes`",
            ),
            (
                b"\xEF\xBB\xBF{}",
                "line 1, column 1: a byte order mark; save the file as UTF-8 without one",
            ),
            (
                b"{\n \"a\": \"\xFF\"}",
                "line 2, column 8: not UTF-8; save the file as UTF-8",
            ),
            (
                b"{}\n{}",
                "line 2, column 1: text after the end of the configuration; write one JSON object",
            ),
            (
                b"{\"a\" 1}",
                "line 1, column 6: not JSON (expected `:`); write one JSON object",
            ),
            (
                b"{\"a\":1,}",
                "line 1, column 8: not JSON (trailing comma); write one JSON object",
            ),
            (
                b"{\"a\":\"\\ud800\"}",
                "line 1, column 13: not JSON (unexpected end of hex escape); write one JSON object",
            ),
            (
                b"{\"a\":1e999}",
                "line 1, column 10: not JSON (number out of range); write one JSON object",
            ),
            (
                b"{\"a\"",
                "line 1, column 4: not JSON (EOF while parsing an object); write one JSON object",
            ),
            (
                nested.as_bytes(),
                "line 2, column 33: nested deeper than 32 objects and lists; flatten it",
            ),
        ] {
            assert_eq!(error(bytes), expected);
        }
    }

    #[test]
    fn the_limits_are_met_exactly() {
        let deepest = format!("{}{}", "[".repeat(MAX_DEPTH), "]".repeat(MAX_DEPTH));
        assert!(parse(deepest.as_bytes()).is_ok());
        assert!(parse(format!("[{deepest}]").as_bytes()).is_err());
        let mut largest = b"{}".to_vec();
        largest.resize(MAX_BYTES, b' ');
        assert!(parse(&largest).is_ok());
        largest.push(b' ');
        assert_eq!(
            error(&largest),
            "configuration: is larger than 8 MiB; make it smaller"
        );
    }

    #[test]
    fn a_duplicate_member_has_neither_value() {
        let Value::Object(object) = parse(br#"{"b":1,"a":2,"\u0062":3}"#).unwrap() else {
            panic!("not an object");
        };
        assert_eq!(object.get("b"), Some(&Value::Duplicate));
        assert_eq!(object.get("a"), Some(&Value::Number(2.into())));
        assert_eq!(object.get("c"), None);
        assert_eq!(
            object.iter().map(|(name, _)| name).collect::<Vec<_>>(),
            ["a", "b"]
        );
    }
}
