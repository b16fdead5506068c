//! Texts in quotes.

use std::fmt::Write;

/// A text as a value that YAML and JSON read in the same way. It is ASCII: some readers of
/// YAML take U+0085 and U+2028 for line breaks.
pub(crate) fn quoted(text: &str) -> String {
    let mut out = String::from("\"");
    for character in text.chars() {
        match character {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            ' '..='~' => out.push(character),
            _ => {
                // Both notations have UTF-16's units in common.
                let mut units = [0; 2];
                for unit in character.encode_utf16(&mut units) {
                    // Writing to a string does not fail.
                    let _ = write!(out, "\\u{unit:04x}");
                }
            }
        }
    }
    out.push('"');
    out
}
