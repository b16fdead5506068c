//! Letter case, for upstreams that ignore it when routing.

use std::borrow::Cow;

/// Converts text to the form in which it is compared without letter case.
///
/// Two texts have the same form exactly if a JavaScript regular expression with
/// the flag `i` takes them for equal (ECMA-262, `Canonicalize`), since Express
/// uses one for routing. It compares the upper case of each character, if that
/// is one character of the same plane. A character beyond ASCII never equals one
/// in ASCII, so `ı` is not `I` and the Kelvin sign is not `k`. For ASCII the
/// form is lower case, so that most paths need no copy. Bytes that are not UTF-8
/// stay unchanged.
pub(super) fn without_case(bytes: &[u8]) -> Cow<'_, [u8]> {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return Cow::Borrowed(bytes);
    };
    if text.chars().all(|c| canonical(c) == c) {
        return Cow::Borrowed(bytes);
    }
    let folded: String = text.chars().map(canonical).collect();
    Cow::Owned(folded.into_bytes())
}

fn canonical(character: char) -> char {
    if character.is_ascii() {
        return character.to_ascii_lowercase();
    }
    // Beyond the first plane a regular expression sees surrogates, which have no
    // letter case.
    if character.len_utf16() == 2 {
        return character;
    }
    let mut upper = character.to_uppercase();
    match (upper.next(), upper.next()) {
        (Some(single), None) if !single.is_ascii() => single,
        _ => character,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn equal(a: &str, b: &str) -> bool {
        without_case(a.as_bytes()) == without_case(b.as_bytes())
    }

    #[test]
    fn texts_that_are_equal_in_javascript_are_equal() {
        for (a, b) in [
            ("Admin", "aDMIN"),
            ("Zoë", "ZOË"),
            ("ΣΟΦΟΣ", "σοφος"),
            ("σ", "ς"),
            ("ǅ", "ǆ"),
            ("µ", "μ"),
        ] {
            assert!(equal(a, b), "{a} {b}");
        }
        for (a, b) in [
            ("admın", "ADMIN"),
            ("ſ", "s"),
            ("\u{212a}", "k"),
            ("İ", "i"),
            ("ß", "SS"),
            ("ẞ", "ß"),
            ("𐐀", "𐐨"),
            ("@", "`"),
        ] {
            assert!(!equal(a, b), "{a} {b}");
        }
    }

    #[test]
    fn lower_case_is_not_copied() {
        assert!(matches!(without_case(b"pets-1"), Cow::Borrowed(_)));
        assert!(matches!(without_case(b"\xff"), Cow::Borrowed(b"\xff")));
    }
}
