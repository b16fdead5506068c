//! The name that somebody probably meant.

/// The candidate that is so near to `written` that it was probably meant; the
/// first one of several that are equally near.
pub(super) fn nearest<'c>(
    written: &str,
    candidates: impl IntoIterator<Item = &'c (impl AsRef<str> + ?Sized + 'c)>,
) -> Option<&'c str> {
    // A long name costs nothing: it is near to none.
    let length = written.chars().count();
    if length > 64 {
        return None;
    }
    let wanted = plain(written);
    candidates
        .into_iter()
        .map(AsRef::as_ref)
        .filter_map(|candidate| {
            let known = plain(candidate);
            // Slips rarely begin a word, and `one_of` is not `none_of`.
            let distance = if wanted.first() == known.first() {
                distance(&wanted, &known)
            } else {
                return None;
            };
            // One slip in three letters.
            let letters = length.min(candidate.len()).saturating_add(1);
            let allowed = letters.checked_div(3).unwrap_or_default().min(3);
            (distance <= allowed).then_some((distance, candidate))
        })
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, candidate)| candidate)
}

/// Letter case and separators are the commonest slips: `allowOrigins`,
/// `allow-origins`.
fn plain(name: &str) -> Vec<char> {
    name.chars()
        .filter(|character| !matches!(character, '_' | '-' | ' '))
        .map(|character| character.to_ascii_lowercase())
        .collect()
}

/// Levenshtein's distance: insertions, removals and replacements. The same
/// letters in another order (`mian`) are one slip.
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
    letters.sort_unstable();
    letters
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_name_and_other_words_do_not() {
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
