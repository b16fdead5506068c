//! Claims as text: for the comparison with rules, and for headers.

use std::borrow::Cow;
use std::fmt::Write;

use crate::json::{Kind, Value};

/// A claim that is to go to the upstream in a header.
#[derive(Clone, Copy, Debug)]
pub struct ClaimText<'a>(Value<'a>);

/// Why a claim cannot go into a header without changing its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A control character: it could end the header.
    ControlCharacter,
    /// Blanks at an end, which a header loses: ` admin` would arrive as
    /// `admin`.
    OuterBlank,
    /// A comma in what is one member of a comma-separated list.
    CommaInMember,
    /// In a comma-separated list, what is no string, number or boolean.
    NoScalar,
}

impl<'a> ClaimText<'a> {
    /// `None` for `null`.
    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        (value.kind() != Kind::Null).then_some(Self(value))
    }

    /// Strings decoded, numbers and booleans as the token wrote them, arrays
    /// and objects as JSON without white space.
    ///
    /// # Errors
    ///
    /// Why a header cannot hold the text.
    pub fn json(self) -> Result<Cow<'a, str>, Unfit> {
        fit(self.raw())
    }

    /// An array's members, with commas between them; an empty array is empty.
    /// A scalar stands for an array of it alone.
    ///
    /// # Errors
    ///
    /// Why a header cannot hold the text. A member that has a comma would
    /// become two, one with outer blanks another.
    pub fn csv(self) -> Result<Cow<'a, str>, Unfit> {
        let Some(elements) = self.0.elements() else {
            return csv_member(self.0);
        };
        let members: Vec<_> = elements
            .into_iter()
            .map(csv_member)
            .collect::<Result<_, _>>()?;
        Ok(Cow::Owned(members.join(",")))
    }

    /// As [`json`](Self::json), whatever characters are in it.
    pub(super) fn raw(self) -> Cow<'a, str> {
        scalar(self.0).unwrap_or_else(|| Cow::Owned(without_white_space(self.0.text())))
    }
}

/// A string decoded, a number or boolean as its JSON text; `None` for others.
pub(super) fn scalar(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::String => value.string(),
        Kind::Number | Kind::Bool => Some(Cow::Borrowed(value.text())),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

fn fit(text: Cow<'_, str>) -> Result<Cow<'_, str>, Unfit> {
    let is_plain = |byte: u8| matches!(byte, b' '..=b'~');
    if !text.bytes().all(is_plain) && text.contains(char::is_control) {
        return Err(Unfit::ControlCharacter);
    }
    if text.starts_with(' ') || text.ends_with(' ') {
        return Err(Unfit::OuterBlank);
    }
    Ok(text)
}

fn csv_member(value: Value<'_>) -> Result<Cow<'_, str>, Unfit> {
    let text = fit(scalar(value).ok_or(Unfit::NoScalar)?)?;
    if text.contains(',') {
        return Err(Unfit::CommaInMember);
    }
    Ok(text)
}

/// JSON text without the white space between its tokens, line ends among it.
fn without_white_space(json: &str) -> String {
    let mut within_string = false;
    let mut escaped = false;
    json.chars()
        .filter(|character| {
            let kept = within_string || !matches!(character, ' ' | '\t' | '\n' | '\r');
            if escaped {
                escaped = false;
            } else if *character == '\\' {
                escaped = true;
            } else if *character == '"' {
                within_string = !within_string;
            }
            kept
        })
        .collect()
}

/// The authorizer's context, as [`ValidClaims::context`] says.
///
/// [`ValidClaims::context`]: super::ValidClaims::context
pub(super) fn context<'a>(
    claims: impl Iterator<Item = (&'a str, Cow<'a, str>)>,
    scopes: Option<&[Cow<'_, str>]>,
) -> String {
    let mut out = String::from("{\"claims\":{");
    for (index, (name, value)) in claims.enumerate() {
        separate(&mut out, index);
        push_string(&mut out, name);
        out.push(':');
        push_string(&mut out, &value);
    }
    out.push_str("},\"scopes\":");
    match scopes {
        None => out.push_str("null"),
        Some(scopes) => {
            out.push('[');
            for (index, scope) in scopes.iter().enumerate() {
                separate(&mut out, index);
                push_string(&mut out, scope);
            }
            out.push(']');
        }
    }
    out.push('}');
    out
}

fn separate(out: &mut String, index: usize) {
    if index > 0 {
        out.push(',');
    }
}

/// A JSON string. Unlike `serde_json` it also escapes the control characters
/// that JSON would allow (DEL, C1): the text is for a header.
fn push_string(out: &mut String, text: &str) {
    out.push('"');
    for character in text.chars() {
        match character {
            '"' | '\\' => out.extend(['\\', character]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            control if control.is_control() => {
                // A String takes whatever is written.
                let _ = write!(out, "\\u{:04x}", u32::from(control));
            }
            other => out.push(other),
        }
    }
    out.push('"');
}
