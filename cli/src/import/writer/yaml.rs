//! Texts of the source as YAML. Names in the source are other people's: a line break in
//! one of them must not end a comment or a value and begin a member.

use crate::tree::scalar;

/// The longest comment that is written.
const MAX_COMMENT: usize = 400;

/// A text as a comment: one line of visible ASCII.
pub(in crate::import) fn comment(text: &str) -> String {
    let visible = |character: char| match character {
        ' '..='~' => character,
        _ => '?',
    };
    text.chars().take(MAX_COMMENT).map(visible).collect()
}

/// Texts as a list.
pub(super) fn list(texts: &[String]) -> String {
    let texts: Vec<_> = texts.iter().map(|text| scalar(text)).collect();
    format!("[{}]", texts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tree::quoted;

    #[test]
    fn a_text_of_the_source_never_ends_its_line() {
        let text = "a\nroutes: []\u{85}\u{2028}\"\\ # b\u{1f600}";
        assert_eq!(comment(text), "a?routes: []??\"\\ # b?");
        assert_eq!(
            quoted(text),
            r#""a\u000aroutes: []\u0085\u2028\"\\ # b\ud83d\ude00""#
        );
    }
}
