//! The texts of a case file as bytes.
//!
//! Three notations work in every text that stands for bytes:
//!
//! * `\xNN` is one byte; no other backslash is special.
//! * `<<TEXT*N>>` is TEXT, repeated N times.
//! * `${NAME}` is the value of this name in the context, unchanged.

use edge_authz::bytes::octet;

use super::Problem;

/// The maximum size of one text in bytes: far above what any proxy accepts in a head.
const MAX_BYTES: usize = 4 * 1024 * 1024;

/// The bytes of a text. `refer` resolves the names.
pub(super) fn bytes(
    text: &str,
    refer: &dyn Fn(&str) -> Result<Vec<u8>, Problem>,
) -> Result<Vec<u8>, Problem> {
    let text = repeated(text)?;
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text.as_str();
    while let Some((before, after)) = rest.split_once("${") {
        push_literal(&mut out, before);
        let (name, after) = after
            .split_once('}')
            .ok_or_else(|| Problem::invalid(after, "`${` has no `}`"))?;
        out.extend(refer(name.trim())?);
        rest = after;
        if out.len() > MAX_BYTES {
            return Err(Problem::TooLarge);
        }
    }
    push_literal(&mut out, rest);
    Ok(out)
}

/// The bytes of a text without references.
#[cfg(test)]
pub(super) fn plain(text: &str) -> Result<Vec<u8>, Problem> {
    bytes(text, &|name| Err(Problem::unknown("text", name)))
}

/// The names that a text refers to.
pub(super) fn references(text: &str) -> impl Iterator<Item = &str> {
    text.split("${")
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .map(|(name, _)| name.trim())
}

/// `bytes` in the notation of a case file.
pub(super) fn readable(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(bytes.len());
    for &byte in bytes {
        if matches!(byte, b' '..=b'~') {
            text.push(char::from(byte));
        } else {
            text.push_str("\\x");
            for digit in [byte >> 4, byte & 15] {
                text.extend(char::from_digit(digit.into(), 16));
            }
        }
    }
    text
}

fn repeated(text: &str) -> Result<String, Problem> {
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some((before, after)) = rest.split_once("<<") {
        out.push_str(before);
        let repetition = after.split_once(">>").and_then(|(inside, after)| {
            let (unit, count) = inside.rsplit_once('*')?;
            Some((unit, count.parse::<usize>().ok()?, after))
        });
        if let Some((unit, count, after)) = repetition {
            if unit.len().saturating_mul(count) > MAX_BYTES {
                return Err(Problem::TooLarge);
            }
            out.push_str(&unit.repeat(count));
            rest = after;
        } else {
            out.push_str("<<");
            rest = after;
        }
    }
    out.push_str(rest);
    Ok(out)
}

fn push_literal(out: &mut Vec<u8>, text: &str) {
    let mut parts = text.split("\\x");
    out.extend(parts.next().unwrap_or_default().bytes());
    for part in parts {
        let byte = match part.as_bytes() {
            [high, low, rest @ ..] => octet(*high, *low).map(|byte| (byte, rest)),
            _ => None,
        };
        if let Some((byte, rest)) = byte {
            out.push(byte);
            out.extend(rest);
        } else {
            out.extend(b"\\x");
            out.extend(part.bytes());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_three_notations_are_special() {
        for (text, expected) in [
            ("/a\\b\\n", &b"/a\\b\\n"[..]),
            (r"\xff\x00z", b"\xff\x00z"),
            (r"\xfg \x", br"\xfg \x"),
            ("<<../*3>>x", b"../../../x"),
            ("<<[*2>><<]*2>>", b"[[]]"),
            ("<<a>>", b"<<a>>"),
            ("$default {id}", b"$default {id}"),
            ("ä", "ä".as_bytes()),
        ] {
            assert_eq!(plain(text).as_deref(), Ok(expected), "{text}");
        }
        assert_eq!(plain("<<ab*9999999>>"), Err(Problem::TooLarge));
        assert!(plain("${a").is_err() && plain("${a}").is_err());
    }

    #[test]
    fn inserted_values_are_not_expanded_again() {
        let refer = |_: &str| Ok(br"\x41<<a*2>>".to_vec());
        assert_eq!(bytes("a${ b }c", &refer), Ok(br"a\x41<<a*2>>c".to_vec()));
        assert_eq!(references("a${ b }c${d}").collect::<Vec<_>>(), ["b", "d"]);
    }

    #[test]
    fn bytes_are_written_as_they_are_read() {
        let all: Vec<u8> = (0..=255).collect();
        assert_eq!(plain(&readable(&all)), Ok(all));
    }
}
