//! Texts as they are written in YAML.

use std::fmt::Write;

/// Words that some readers of YAML take for something else than text.
const WORDS: [&str; 11] = [
    "true", "false", "null", "none", "yes", "no", "on", "off", "y", "n", "nil",
];

/// A text, without quotes where every reader takes it for the same text.
pub(crate) fn scalar(text: &str) -> String {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-/.:$".contains(&byte);
    let simple = text
        .starts_with(|first: char| first.is_ascii_alphabetic() || "$/".contains(first))
        && !text.ends_with(':')
        && !WORDS.contains(&&*text.to_ascii_lowercase())
        && text.bytes().all(plain);
    if simple {
        text.to_owned()
    } else {
        quoted(text)
    }
}

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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::parse_yaml;

    #[test]
    fn quotes_are_omitted_only_where_they_make_no_difference() {
        for text in [
            "pets:read",
            "https://a.example",
            "GET",
            "a",
            "$default",
            "/a/b",
        ] {
            assert_eq!(scalar(text), text);
        }
        for text in [
            "off", "On", "12", "true", "a: b", "*", "a,b", "{id}", "abc:", "", "y", "-", "1e3",
            "a b",
        ] {
            assert_eq!(scalar(text), format!("{text:?}"));
        }
    }

    #[test]
    fn a_text_in_a_list_or_an_object_is_read_as_the_same() {
        for text in [
            "GET",
            "https://a.example:1/b",
            "a:b",
            "$default",
            "a\nb: [",
            "on",
            "x:",
            "\u{2028}",
        ] {
            for yaml in [
                format!("[{}, b]", scalar(text)),
                format!("{{a: {}, b: c}}", scalar(text)),
                format!("a: {}", scalar(text)),
            ] {
                let [node] = &*parse_yaml(&yaml).unwrap() else {
                    panic!("one document");
                };
                let first = node.elements().first().or_else(|| node.get("a")).unwrap();
                assert_eq!(first.text(), Some(text), "{yaml}");
            }
        }
    }
}
