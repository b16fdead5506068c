//! Tokens in header fields.

use std::borrow::Cow;

use base64::Engine;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use super::{Found, Presented};
use crate::http::{RequestHead, Spelling, is_same_name, is_token};
use crate::policy::TokenPlace;

/// Reads a place in a header. If one of several lines has a token, any other line causes
/// a refusal, regardless of its content: the proxy joins the lines of some headers with
/// commas, and not those of others.
pub(super) fn read<'r>(
    head: &'r RequestHead,
    place: (&str, Option<&str>),
    places: &[TokenPlace],
) -> Found<'r> {
    let (name, scheme) = place;
    let schemes = scheme.map(|own| Schemes { name, own, places });
    let lines = head.headers().alike(name).map(|line| match line {
        (Spelling::Itself, value) => match &schemes {
            Some(schemes) => schemes.read(value),
            None => bare(value),
        },
        // A value that an upstream may take for the header is not a token here.
        (Spelling::Twin, value) if value.trim_ascii().is_empty() => Found::Nothing,
        (Spelling::Twin, _) => Found::Ambiguous,
    });
    lines.reduce(Found::beside).unwrap_or(Found::Nothing)
}

/// A value that is the token, with or without `Bearer ` before it.
pub(super) fn bare(value: &[u8]) -> Found<'_> {
    let value = value.trim_ascii();
    match strip_scheme(value, "Bearer") {
        Some(rest) => one_word(rest, Presented::Plainly),
        None if value.is_empty() => Found::Nothing,
        None => one_word(value, Presented::Plainly),
    }
}

/// A place in a header after a scheme, among all places.
struct Schemes<'p> {
    name: &'p str,
    own: &'p str,
    places: &'p [TokenPlace],
}

impl<'p> Schemes<'p> {
    /// The schemes that may precede the place's token. `DPoP` is accepted beside
    /// `Bearer` (RFC 9449 section 7.1).
    fn own(&self) -> impl Iterator<Item = &'p str> {
        let with_proof =
            self.name == "authorization" && is_same_name(self.own.as_bytes(), b"Bearer");
        [self.own].into_iter().chain(with_proof.then_some("DPoP"))
    }

    /// The token after a scheme (RFC 9110 section 11.4: the scheme is compared
    /// without case, and spaces follow it).
    fn read<'r>(&self, value: &'r [u8]) -> Found<'r> {
        let value = value.trim_ascii();
        let named = self.own().find_map(|scheme| {
            let rest = strip_scheme(value, scheme)?;
            Some(one_word(rest, Presented::by(scheme)))
        });
        named.unwrap_or_else(|| self.other(value))
    }

    /// Credentials of another scheme, or a value that another reader may take
    /// for our scheme.
    fn other<'r>(&self, value: &[u8]) -> Found<'r> {
        let follows = |part: &[u8]| {
            let part = part.trim_ascii();
            self.own()
                .any(|scheme| strip_scheme(part, scheme).is_some())
        };
        if value.split(|byte| *byte == b',').skip(1).any(follows) {
            Found::Malformed
        } else if !self.is_of_another_place(value)
            && (self.own().any(|scheme| has_scheme(value, scheme)) || has_token(value))
        {
            Found::Ambiguous
        } else {
            Found::Nothing
        }
    }

    /// Whether the value is for another place in the same header.
    fn is_of_another_place(&self, value: &[u8]) -> bool {
        self.places.iter().any(|place| match place {
            TokenPlace::Header {
                name,
                scheme: Some(scheme),
            } => **name == *self.name && strip_scheme(value, scheme).is_some(),
            TokenPlace::Header { scheme: None, .. }
            | TokenPlace::Cookie(_)
            | TokenPlace::Query(_) => false,
        })
    }
}

/// Whether a value has a scheme where some reader looks for it, but not in the
/// accepted form. The scheme may be at the start, or after a comma or semicolon,
/// with any character after it (`Bearer<TAB>x`, `Bearer:x`, `"Bearer x"`) or
/// none (`Bearerx`). It may be a later word (`Basic x Bearer y`), or anywhere
/// before a blank (`Basic x|Bearer y`), where Laravel looks for it.
fn has_scheme(value: &[u8], scheme: &str) -> bool {
    let is_blank = |byte: &u8| !(0x21..=0x7e).contains(byte);
    let holds = value
        .windows(scheme.len().saturating_add(1))
        .filter_map(<[u8]>::split_last)
        .any(|(last, start)| is_blank(last) && start.eq_ignore_ascii_case(scheme.as_bytes()));
    if holds {
        return true;
    }
    let ends_one = |byte: &u8| matches!(byte, b',' | b';');
    value.split(ends_one).any(|element| {
        let start = element.iter().position(u8::is_ascii_alphanumeric);
        let element = element.get(start.unwrap_or_default()..).unwrap_or_default();
        let is_one_word = !element.trim_ascii_end().iter().any(is_blank);
        element.split(is_blank).any(|word| {
            word.split_at_checked(scheme.len())
                .is_some_and(|(start, rest)| {
                    let ends = rest.first().is_none_or(|byte| !is_token(&[*byte]));
                    start.eq_ignore_ascii_case(scheme.as_bytes()) && (ends || is_one_word)
                })
        })
    })
}

/// The text after the scheme; absent if the credentials have another scheme.
pub(super) fn strip_scheme<'r>(value: &'r [u8], scheme: &str) -> Option<&'r [u8]> {
    let (start, rest) = value.split_at_checked(scheme.len())?;
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    (ends && is_same_name(start, scheme.as_bytes())).then_some(rest)
}

/// Reads text that should be one word. If it is not a token, it is parsed later.
fn one_word(rest: &[u8], presented: Presented) -> Found<'_> {
    match rest.trim_ascii() {
        [] => Found::Malformed,
        word => Found::Token(Cow::Borrowed(word), presented),
    }
}

/// Whether some part of a value has the form of a token: a JSON object in
/// base64, a dot, and another part before the next dot, which is empty in some encrypted
/// tokens. Some readers take the second word of `Authorization` for a token, with any scheme.
fn has_token(value: &[u8]) -> bool {
    let in_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || b"-_+/=".contains(byte);
    memchr::memchr_iter(b'.', value).any(|dot| {
        let (before, after) = value.split_at_checked(dot).unwrap_or_default();
        let after = after.get(1..).unwrap_or_default();
        let part = after.iter().take_while(in_base64).count();
        after.get(part) == Some(&b'.') && ends_in_an_object(before)
    })
}

/// Whether the last base64 word of a text, in either alphabet, encodes a JSON
/// object.
fn ends_in_an_object(text: &[u8]) -> bool {
    const LENIENT: GeneralPurposeConfig = GeneralPurposeConfig::new()
        .with_decode_allow_trailing_bits(true)
        .with_decode_padding_mode(DecodePaddingMode::RequireNone);
    const BASE64: GeneralPurpose = GeneralPurpose::new(&alphabet::URL_SAFE, LENIENT);
    let in_url_alphabet = |byte: &u8| match byte {
        b'+' => Some(b'-'),
        b'/' => Some(b'_'),
        byte if byte.is_ascii_alphanumeric() || b"-_".contains(byte) => Some(*byte),
        _ => None,
    };
    let characters = text.iter().rev().skip_while(|byte| **byte == b'=');
    let mut word: Vec<u8> = characters.map_while(in_url_alphabet).collect();
    word.reverse();
    if word.len() % 4 == 1 {
        word.pop();
    }
    let decoded = BASE64.decode(word).unwrap_or_default();
    let object = decoded.trim_ascii_start().strip_prefix(b"{");
    let member = object.and_then(|rest| rest.trim_ascii_start().first());
    matches!(member, Some(b'"' | b'}'))
}
