//! Claims as text: for comparison with rules, and for headers.

use std::borrow::Cow;

use crate::bytes::are_printable;
use crate::json::{Kind, Value};

/// A claim that is sent to the upstream in a header.
#[derive(Clone, Copy, Debug)]
pub struct ClaimText<'a>(Text<'a>);

#[derive(Clone, Copy, Debug)]
enum Text<'a> {
    /// A decoded string.
    Decoded(&'a str),
    Written(Value<'a>),
}

/// Why a claim cannot be sent in a header without changing its meaning.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unfit {
    /// A control character: it could end the header.
    ControlCharacter,
    /// Blanks at either end, which a header loses: ` admin` would arrive as
    /// `admin`.
    OuterBlank,
    /// A comma in a member of a comma-separated list.
    CommaInMember,
    /// A member of a comma-separated list that is not a string, number or
    /// boolean.
    NoScalar,
}

impl<'a> ClaimText<'a> {
    /// `None` for `null`.
    pub(super) fn of(value: Value<'a>) -> Option<Self> {
        (value.kind() != Kind::Null).then_some(Self(Text::Written(value)))
    }

    /// A string that is decoded already.
    pub(super) const fn decoded(text: &'a str) -> Self {
        Self(Text::Decoded(text))
    }

    /// The claim as text: strings decoded, numbers and booleans as in the token,
    /// arrays and objects as JSON without white space.
    ///
    /// # Errors
    ///
    /// Why the text cannot be sent in a header.
    pub fn json(self) -> Result<Cow<'a, str>, Unfit> {
        let value = match self.0 {
            Text::Decoded(text) => return fit(Cow::Borrowed(text)),
            Text::Written(value) => value,
        };
        let text = scalar(value);
        fit(text.unwrap_or_else(|| Cow::Owned(without_white_space(value.text()))))
    }

    /// An array's members, separated by commas. An empty array gives empty text,
    /// and a scalar is treated as an array of itself.
    ///
    /// # Errors
    ///
    /// Why the text cannot be sent in a header. A member with a comma would
    /// become two members; one with outer blanks would be changed.
    pub fn csv(self) -> Result<Cow<'a, str>, Unfit> {
        let value = match self.0 {
            Text::Decoded(text) => return csv_member(Some(Cow::Borrowed(text))),
            Text::Written(value) => value,
        };
        let Some(elements) = value.elements() else {
            return csv_member(scalar(value));
        };
        let members: Vec<_> = elements
            .into_iter()
            .map(|member| csv_member(scalar(member)))
            .collect::<Result<_, _>>()?;
        Ok(Cow::Owned(members.join(",")))
    }
}

/// A decoded string, or a number or boolean as its JSON text; `None` for other
/// types.
pub(super) fn scalar(value: Value<'_>) -> Option<Cow<'_, str>> {
    match value.kind() {
        Kind::String => value.string(),
        Kind::Number | Kind::Bool => Some(Cow::Borrowed(value.text())),
        Kind::Null | Kind::Array | Kind::Object => None,
    }
}

fn fit(text: Cow<'_, str>) -> Result<Cow<'_, str>, Unfit> {
    if !are_printable(text.as_bytes()) {
        if text.contains(char::is_control) {
            return Err(Unfit::ControlCharacter);
        }
        if text.starts_with(is_white_space) || text.ends_with(is_white_space) {
            return Err(Unfit::OuterBlank);
        }
    }
    let ends = [text.as_bytes().first(), text.as_bytes().last()];
    if ends.contains(&Some(&b' ')) {
        return Err(Unfit::OuterBlank);
    }
    Ok(text)
}

/// Whether readers in some language trim this character: those of JavaScript trim the byte
/// order mark, too.
fn is_white_space(character: char) -> bool {
    character.is_whitespace() || character == '\u{feff}'
}

fn csv_member(scalar: Option<Cow<'_, str>>) -> Result<Cow<'_, str>, Unfit> {
    let text = fit(scalar.ok_or(Unfit::NoScalar)?)?;
    if text.contains(',') {
        return Err(Unfit::CommaInMember);
    }
    Ok(text)
}

/// JSON text without white space between its tokens, line breaks included.
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
