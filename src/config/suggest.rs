//! Suggests the name that was probably meant.

/// Longer names are not compared: the cost is quadratic in the length.
const MAX_LETTERS: usize = 64;

/// The candidate that is close enough to `written` to have been meant; the first
/// of several equally close ones. The command suggests names of its own files with it.
#[must_use]
pub fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c (impl AsRef<str> + ?Sized + 'c)>,
) -> Option<&'c str> {
    let wanted = plain(written);
    candidates
        .into_iter()
        .map(AsRef::as_ref)
        .filter_map(|candidate| Some((typos(&wanted, &plain(candidate))?, candidate)))
        .min_by_key(|(typos, _)| *typos)
        .map(|(_, candidate)| candidate)
}

/// The number of typing errors between two names, if there are few: one in three
/// letters, and three at most. Errors rarely occur at the start of a word, and
/// `one_of` is not `none_of`.
fn typos(wanted: &[char], known: &[char]) -> Option<usize> {
    let letters = wanted.len().min(known.len());
    let allowed = letters.saturating_add(1).checked_div(3)?.min(3);
    let hopeless = wanted.len().abs_diff(known.len()) > allowed || wanted.len() > MAX_LETTERS;
    if hopeless || wanted.first() != known.first() {
        return None;
    }
    Some(distance(wanted, known)).filter(|typos| *typos <= allowed)
}

/// Letter case and separators are the most common errors: `allowOrigins`,
/// `allow-origins`.
fn plain(name: &str) -> Vec<char> {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// The Levenshtein distance: insertions, removals and replacements. Two swapped
/// letters (`mian`) count as one error.
fn distance(one: &[char], other: &[char]) -> usize {
    if one != other && sorted(one) == sorted(other) {
        return 1;
    }
    let mut row: Vec<usize> = (0..=other.len()).collect();
    for (index, left) in one.iter().enumerate() {
        let mut diagonal = index;
        let mut before = index.saturating_add(1);
        let mut next = vec![before];
        for (right, above) in other.iter().zip(row.iter().skip(1)) {
            let replaced = diagonal.saturating_add(usize::from(left != right));
            diagonal = *above;
            before = replaced
                .min(above.saturating_add(1))
                .min(before.saturating_add(1));
            next.push(before);
        }
        row = next;
    }
    row.last().copied().unwrap_or_default()
}

fn sorted(letters: &[char]) -> Vec<char> {
    let mut letters = letters.to_vec();
    crate::order::sort(&mut letters, char::cmp);
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn typing_errors_find_their_name_and_other_words_do_not() {
        let known = [
            "audiences",
            "issuer",
            "jwks",
            "algorithms",
            "allow_origins",
            "match",
            "one_of",
        ];
        for (written, meant) in [
            ("audience", Some("audiences")),
            ("Issuer", Some("issuer")),
            ("isuer", Some("issuer")),
            ("jwk", Some("jwks")),
            ("allowOrigins", Some("allow_origins")),
            ("allow-origin", Some("allow_origins")),
            ("algs", None),
            ("colour", None),
            ("none_of", None),
            ("", None),
            ("mtach", Some("match")),
            ("matches", Some("match")),
        ] {
            assert_eq!(nearest(written, known.iter()), meant, "{written}");
        }
    }
}
