//! Placeholders for parts of the request: `{id}`, `{header.x-tenant}`,
//! `{query.tenant}`.

use crate::config::suggest::nearest;

/// The prefixes of placeholders that are not path variables.
const SOURCES: [&str; 2] = ["header", "query"];

/// A placeholder for a part of the request.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Template<'t> {
    /// `{name}`
    Variable(&'t str),
    /// `{header.name}`; the name was not checked.
    Header(&'t str),
    /// `{query.name}`
    Query(&'t str),
}

/// Why a text looks like a placeholder and is not one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum TemplateError {
    /// Other text beside a path variable.
    VariableBesideText,
    /// Other text beside a header or a query parameter.
    BesideText,
    /// Blanks inside the braces.
    Blanks,
    /// A name that no query parameter can have.
    QueryName,
}

impl<'t> Template<'t> {
    /// The placeholder that a text is; `None` if it is plain text.
    pub(super) fn parse(text: &'t str) -> Result<Option<Self>, TemplateError> {
        let inner = text
            .strip_prefix('{')
            .and_then(|text| text.strip_suffix('}'))
            .filter(|inner| !inner.contains(['{', '}']));
        let Some(inner) = inner else {
            return match template_inside(text) {
                None => Ok(None),
                Some(Self::Variable(_)) => Err(TemplateError::VariableBesideText),
                Some(Self::Header(_) | Self::Query(_)) => Err(TemplateError::BesideText),
            };
        };
        if inner.trim() != inner && Self::of_name(inner.trim()).is_some() {
            return Err(TemplateError::Blanks);
        }
        match Self::of_name(inner) {
            Some(Self::Query(name)) if name.is_empty() || name.contains(char::is_control) => {
                Err(TemplateError::QueryName)
            }
            template => Ok(template),
        }
    }

    /// The placeholder with this text in its braces. A variable `{name+}` of a
    /// pattern is called `name` here.
    fn of_name(inner: &'t str) -> Option<Self> {
        if let Some(name) = inner.strip_prefix("header.") {
            return Some(Self::Header(name));
        }
        if let Some(name) = inner.strip_prefix("query.") {
            return Some(Self::Query(name));
        }
        let name = inner.strip_suffix('+').unwrap_or(inner);
        is_variable_name(name).then_some(Self::Variable(name))
    }

    /// The placeholder that was probably meant by an unknown variable:
    /// `{header.x-tenant}` for `headers.x-tenant`.
    pub(super) fn probably(variable: &str) -> Option<String> {
        let (source, name) = variable.split_once('.').unwrap_or((variable, "NAME"));
        let source = nearest(source, SOURCES.iter())?;
        Some(format!("{{{source}.{name}}}"))
    }
}

/// The first placeholder inside a text, as in `user-{id}`. Other braces are
/// text.
fn template_inside(text: &str) -> Option<Template<'_>> {
    text.split('{')
        .skip(1)
        .filter_map(|rest| rest.split_once('}'))
        .find_map(|(inner, _)| Template::of_name(inner))
}

fn is_variable_name(name: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    !name.is_empty() && name.bytes().all(allowed)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn braces_around_a_name_are_a_template() {
        for (text, template) in [
            ("{id}", Some(Template::Variable("id"))),
            ("{proxy+}", Some(Template::Variable("proxy"))),
            ("{a.b-c_1}", Some(Template::Variable("a.b-c_1"))),
            ("{header}", Some(Template::Variable("header"))),
            ("{headers.a}", Some(Template::Variable("headers.a"))),
            ("{header.x-tenant}", Some(Template::Header("x-tenant"))),
            ("{header.X Tenant}", Some(Template::Header("X Tenant"))),
            ("{header.}", Some(Template::Header(""))),
            ("{query.tenant}", Some(Template::Query("tenant"))),
            ("{query.filter[a b]}", Some(Template::Query("filter[a b]"))),
            ("{}", None),
            ("{ }", None),
            ("{a b}", None),
            ("{id", None),
            ("id}", None),
            ("id", None),
            ("header.x", None),
            ("", None),
            ("{", None),
            ("}{", None),
            ("{\"a\":1}", None),
            ("a{b", None),
        ] {
            assert_eq!(Template::parse(text), Ok(template), "{text}");
        }
    }

    #[test]
    fn a_malformed_placeholder_is_not_plain_text() {
        for (texts, error) in [
            (
                &["user-{id}", "{a}{b}", " {id}", "{{id}}", "x{id+}y", "${id}"][..],
                TemplateError::VariableBesideText,
            ),
            (
                &["t-{header.x}", "{header.a}{query.b}", "{query.a b} "],
                TemplateError::BesideText,
            ),
            (
                &["{ id }", "{id }", "{ header.x-tenant}", "{\tquery.a}"],
                TemplateError::Blanks,
            ),
            (&["{query.}", "{query.a\0}"], TemplateError::QueryName),
        ] {
            for text in texts {
                assert_eq!(Template::parse(text), Err(error), "{text}");
            }
        }
    }

    #[test]
    fn a_misspelt_source_is_corrected() {
        for (variable, meant) in [
            ("headers.x-tenant", Some("{header.x-tenant}")),
            ("Header.x", Some("{header.x}")),
            ("querys.a.b", Some("{query.a.b}")),
            ("header", Some("{header.NAME}")),
            ("id", None),
            ("path.id", None),
        ] {
            assert_eq!(Template::probably(variable).as_deref(), meant, "{variable}");
        }
    }
}
