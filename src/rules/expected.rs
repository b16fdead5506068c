//! The values that claims are compared with.

use std::borrow::Cow;
use std::fmt;

/// A value in a claim rule. Its `Display` is its form in a configuration,
/// without quotes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Expected {
    /// This text. A number or boolean in a claim compares as its JSON text.
    Text(Box<str>),
    /// Every text with this prefix, which is not empty.
    Prefix(Box<str>),
    /// The value of a part of the request, compared as bytes.
    Part(RequestPart),
}

/// A part of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RequestPart {
    /// The path variable of this name, decoded: `{id}`.
    Variable(Box<str>),
    /// The header of this name, in lower case: `{header.x-tenant}`.
    Header(Box<str>),
    /// The query parameter of this name, both decoded: `{query.tenant}`.
    Query(Box<str>),
}

/// The source of the parts of a request.
pub trait RequestParts {
    /// The one value that every reader of the request finds. `None` if there is
    /// no value, if there are several, or if two readers may disagree.
    fn part(&self, part: &RequestPart) -> Option<Cow<'_, [u8]>>;
}

/// No request: for rules that are checked without one.
#[derive(Clone, Copy, Debug)]
pub struct NoRequest;

impl RequestParts for NoRequest {
    fn part(&self, _: &RequestPart) -> Option<Cow<'_, [u8]>> {
        None
    }
}

impl Expected {
    /// Whether there is a value to compare with.
    pub(super) fn is_known(&self, request: &dyn RequestParts) -> bool {
        match self {
            Self::Text(_) | Self::Prefix(_) => true,
            Self::Part(part) => request.part(part).is_some(),
        }
    }

    /// Whether one of a claim's values is the expected one.
    pub(super) fn is_among(&self, members: &[Cow<'_, str>], request: &dyn RequestParts) -> bool {
        let any = |is_it: &dyn Fn(&str) -> bool| members.iter().any(|member| is_it(member));
        match self {
            Self::Text(text) => any(&|member| *member == **text),
            Self::Prefix(prefix) => any(&|member| member.starts_with(&**prefix)),
            Self::Part(part) => request
                .part(part)
                .is_some_and(|wanted| any(&|member| member.as_bytes() == &*wanted)),
        }
    }
}

impl fmt::Display for Expected {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Text(text) => out.write_str(text),
            Self::Prefix(prefix) => write!(out, "{{prefix: {prefix}}}"),
            Self::Part(part) => part.fmt(out),
        }
    }
}

impl fmt::Display for RequestPart {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Variable(name) => write!(out, "{{{name}}}"),
            Self::Header(name) => write!(out, "{{header.{name}}}"),
            Self::Query(name) => write!(out, "{{query.{name}}}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_shown_as_it_is_written() {
        for (value, text) in [
            (Expected::Text("a b".into()), "a b"),
            (Expected::Prefix("repo:".into()), "{prefix: repo:}"),
            (
                Expected::Part(RequestPart::Header("x-tenant".into())),
                "{header.x-tenant}",
            ),
        ] {
            assert_eq!(value.to_string(), text);
        }
        let variable = RequestPart::Variable("id".into());
        assert_eq!(variable.to_string(), "{id}");
        assert_eq!(RequestPart::Query("q".into()).to_string(), "{query.q}");
    }

    #[test]
    fn without_a_request_no_part_is_known() {
        for part in [
            RequestPart::Variable("id".into()),
            RequestPart::Header("x-tenant".into()),
            RequestPart::Query("q".into()),
        ] {
            assert_eq!(NoRequest.part(&part), None);
            assert!(!Expected::Part(part).is_known(&NoRequest));
        }
        assert!(Expected::Text("a".into()).is_known(&NoRequest));
    }
}
