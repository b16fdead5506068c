//! The claims in the form in which API Gateway's HTTP APIs pass them to a Lambda
//! function.

use std::borrow::Cow;

use super::text::scalar;
use crate::json::{Kind, Object, Value, push_string};
use crate::rules::Scopes;

/// The authorizer's context, as described at [`ValidClaims::context`].
///
/// [`ValidClaims::context`]: super::ValidClaims::context
pub(super) fn context<'a>(
    claims: impl Iterator<Item = (&'a str, Value<'a>)>,
    scopes: Option<&Scopes<'_>>,
) -> String {
    let mut out = String::from("{\"claims\":{");
    let texts = claims.filter_map(|(name, value)| Some((name, claim(value)?)));
    for (index, (name, text)) in texts.enumerate() {
        separate(&mut out, index, ',');
        push_string(&mut out, name);
        out.push(':');
        push_string(&mut out, &text);
    }
    out.push_str("},\"scopes\":");
    match scopes {
        None => out.push_str("null"),
        Some(scopes) => {
            out.push('[');
            for (index, scope) in scopes.names().enumerate() {
                separate(&mut out, index, ',');
                push_string(&mut out, scope);
            }
            out.push(']');
        }
    }
    out.push('}');
    out
}

/// A claim in API Gateway's text form; `None` for `null`, which it leaves out.
///
/// API Gateway prints claims like Go's `%v`, so functions written for it expect
/// `[admin ops]` and `map[roles:[admin]]`. Numbers are printed as in the token.
/// A space inside a member cannot be distinguished from one between two members.
fn claim(value: Value<'_>) -> Option<Cow<'_, str>> {
    if value.kind() == Kind::Null {
        return None;
    }
    Some(scalar(value).unwrap_or_else(|| {
        let mut text = String::with_capacity(value.text().len());
        push_value(&mut text, value);
        Cow::Owned(text)
    }))
}

/// The recursion is as deep as the token's own nesting, which is limited.
fn push_value(out: &mut String, value: Value<'_>) {
    if let Some(text) = scalar(value) {
        out.push_str(&text);
    } else if let Some(elements) = value.elements() {
        out.push('[');
        for (index, element) in elements.into_iter().enumerate() {
            separate(out, index, ' ');
            push_value(out, element);
        }
        out.push(']');
    } else if let Some(object) = value.members() {
        push_members(out, &object);
    } else {
        out.push_str("<nil>");
    }
}

/// Members are sorted by name, as Go prints a map.
fn push_members(out: &mut String, object: &Object<'_>) {
    let mut members: Vec<_> = object.iter().collect();
    crate::order::sort(&mut members, |(one, _), (other, _)| one.cmp(other));
    out.push_str("map[");
    for (index, (name, value)) in members.into_iter().enumerate() {
        separate(out, index, ' ');
        out.push_str(name);
        out.push(':');
        push_value(out, value);
    }
    out.push(']');
}

fn separate(out: &mut String, index: usize, by: char) {
    if index > 0 {
        out.push(by);
    }
}
