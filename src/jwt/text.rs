//! Claims as text: for the comparison with rules, and for headers.

use std::borrow::Cow;

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
        let text = scalar(self.0);
        fit(text.unwrap_or_else(|| Cow::Owned(without_white_space(self.0.text()))))
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
