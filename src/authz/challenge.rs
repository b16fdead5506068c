//! Challenges: what `WWW-Authenticate` says to the client (RFC 9110 section 11.6.1).

use crate::http::SafeText;

/// The challenge of a refusal.
///
/// All its texts are constants or come from the configuration. None comes from the
/// request or its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'p> {
    /// The authentication scheme.
    pub scheme: Scheme,
    /// `error`. `None` if the request has no credentials: the challenge only says how to
    /// send them (RFC 6750 section 3.1).
    pub error: Option<&'static str>,
    /// `error_description`, in the characters that RFC 6750 section 3 allows. It is sent
    /// only beside an `error`.
    pub description: Option<&'static str>,
    /// `scope`: the scopes that a token for the request needs, separated by spaces.
    pub scope: Option<Box<str>>,
    /// `resource_metadata`: the URL of the resource's metadata (RFC 9728 section 5.1).
    pub resource_metadata: Option<&'p str>,
    /// `acr_values`: the accepted levels of authentication, separated by spaces (RFC 9470
    /// section 3).
    pub acr_values: Option<&'p str>,
    /// `max_age`: the seconds that may have passed since the user authenticated (RFC 9470
    /// section 3).
    pub max_age: Option<u64>,
}

/// An authentication scheme.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scheme {
    /// RFC 6750.
    Bearer,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
        }
    }
}

impl Challenge<'_> {
    /// A challenge with this `error`, or one that only asks for credentials.
    pub(super) const fn new(error: Option<&'static str>) -> Self {
        Self {
            scheme: Scheme::Bearer,
            error,
            description: None,
            scope: None,
            resource_metadata: None,
            acr_values: None,
            max_age: None,
        }
    }

    /// The value of `WWW-Authenticate`.
    pub(super) fn text(&self, realm: &str) -> SafeText {
        let mut text = SafeText::from(self.scheme.name());
        text.push(" realm=");
        text.push_quoted(realm);
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let description = self.description.filter(|_| self.error.is_some());
        for (name, value) in [
            ("error", self.error),
            ("error_description", description),
            ("scope", self.scope.as_deref()),
            ("resource_metadata", self.resource_metadata),
            ("acr_values", self.acr_values),
            ("max_age", max_age.as_deref()),
        ] {
            let Some(value) = value else { continue };
            text.push(", ");
            text.push(name);
            text.push("=");
            text.push_quoted(value);
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parameters_have_one_order_and_are_quoted() {
        let challenge = Challenge {
            description: Some("The token is old"),
            scope: Some("read write".into()),
            resource_metadata: Some("https://api.example.com/a\", b=\"c"),
            acr_values: Some("phr phrh"),
            max_age: Some(900),
            ..Challenge::new(Some("invalid_token"))
        };
        assert_eq!(
            challenge.text("api").as_str(),
            "Bearer realm=\"api\", error=\"invalid_token\", \
             error_description=\"The token is old\", scope=\"read write\", \
             resource_metadata=\"https://api.example.com/a?, b=?c\", \
             acr_values=\"phr phrh\", max_age=\"900\""
        );
    }

    #[test]
    fn a_challenge_without_an_error_describes_none() {
        let challenge = Challenge {
            description: Some("The token is old"),
            ..Challenge::new(None)
        };
        assert_eq!(challenge.text("api").as_str(), r#"Bearer realm="api""#);
    }
}
