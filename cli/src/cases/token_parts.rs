//! The three parts of a token as text, and the changes that attackers make to that text.

use base64::Engine;
use base64::alphabet;
use base64::engine::general_purpose::{GeneralPurpose, NO_PAD, STANDARD_NO_PAD, URL_SAFE_NO_PAD};

use super::Problem;

/// A generated token.
#[derive(Clone, Debug, Default)]
pub(super) struct Made {
    pub(super) text: Vec<u8>,
    pub(super) header: String,
    pub(super) claims: String,
    pub(super) signature: String,
}

impl Made {
    /// A token that was made elsewhere.
    pub(super) fn given(text: &str) -> Self {
        let mut parts = text.split('.').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Self {
            header: next(),
            claims: next(),
            signature: next(),
            text: text.into(),
        }
    }

    /// A part by its name, or the whole token.
    pub(super) fn part(&self, name: &str) -> Result<Vec<u8>, Problem> {
        let (name, change) = match name.split_once('|') {
            Some((name, change)) => (name.trim(), Some(change.trim())),
            None => (name.trim(), None),
        };
        let text = match name {
            "header" => &self.header,
            "claims" => &self.claims,
            "signature" => &self.signature,
            other => return Err(Problem::unknown("part of a token", other)),
        };
        Ok(match change {
            Some(change) => changed(text, change)?,
            None => text.clone(),
        }
        .into_bytes())
    }
}

/// base64url, as tokens use it.
pub(super) fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Different text for the same bytes, or nearly the same text.
fn changed(part: &str, how: &str) -> Result<String, Problem> {
    match how {
        // The unused bits are not zero: the last character becomes the next one of the
        // alphabet.
        "loose" => {
            let characters = alphabet::URL_SAFE.as_str();
            let mut part = part.to_owned();
            let last = part.pop().and_then(|last| characters.find(last));
            let next = last.and_then(|index| characters.chars().nth(index.checked_add(1)?));
            part.extend(next.filter(|_| !part.len().is_multiple_of(4)));
            let same = GeneralPurpose::new(
                &alphabet::URL_SAFE,
                NO_PAD.with_decode_allow_trailing_bits(true),
            );
            let loose = next.is_some() && same.decode(&part).is_ok();
            loose
                .then_some(part)
                .ok_or(Problem::Key("the part has no unused bits"))
        }
        "padded" => {
            let missing = 4_usize.saturating_sub(part.len() & 3) & 3;
            Ok(format!("{part}{}", "=".repeat(missing)))
        }
        "standard" => {
            let bytes = URL_SAFE_NO_PAD
                .decode(part)
                .map_err(|_| Problem::Key("the part is not base64url"))?;
            Ok(STANDARD_NO_PAD.encode(bytes))
        }
        "upper" => Ok(part.to_ascii_uppercase()),
        "short" => Ok(part.chars().take(part.len().saturating_sub(1)).collect()),
        other => Err(Problem::unknown("change of a part", other)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_are_changed_as_described() {
        let made = Made {
            header: "1Q".to_owned(),
            claims: "_-8".to_owned(),
            ..Made::default()
        };
        for (name, expected) in [
            ("header", "1Q"),
            ("header|loose", "1R"),
            ("header|padded", "1Q=="),
            ("claims | padded", "_-8="),
            ("claims|standard", "/+8"),
            ("claims|short", "_-"),
        ] {
            assert_eq!(made.part(name), Ok(expected.as_bytes().to_vec()), "{name}");
        }
        assert!(made.part("head").is_err() && made.part("header|bent").is_err());
    }
}
