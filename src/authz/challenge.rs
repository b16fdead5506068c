//! Challenges: what `WWW-Authenticate` says to the client (RFC 9110 section 11.6.1).

use crate::crypto::AlgorithmSet;
use crate::http::SafeText;

/// The challenge of a refusal.
///
/// All its texts are constants or come from the configuration. None comes from the
/// request or its token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Challenge<'p> {
    /// The authentication scheme.
    pub scheme: Scheme,
    /// `algs`: the accepted algorithms of proofs (RFC 9449 section 7.1). Empty in other
    /// schemes.
    pub algorithms: AlgorithmSet,
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
    /// RFC 9449.
    Dpop,
}

impl Scheme {
    const fn name(self) -> &'static str {
        match self {
            Self::Bearer => "Bearer",
            Self::Dpop => "DPoP",
        }
    }
}

impl Challenge<'_> {
    /// A challenge with this `error`, or one that only asks for credentials.
    pub(super) const fn new(error: Option<&'static str>) -> Self {
        Self {
            scheme: Scheme::Bearer,
            algorithms: AlgorithmSet::EMPTY,
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
        let algorithms = self.algorithm_names();
        let mut separator = " ";
        let max_age = self.max_age.map(|seconds| seconds.to_string());
        let description = self.description.filter(|_| self.error.is_some());
        for (name, value) in [
            ("realm", (self.scheme == Scheme::Bearer).then_some(realm)),
            ("algs", algorithms.as_deref()),
            ("error", self.error),
            ("error_description", description),
            ("scope", self.scope.as_deref()),
            ("resource_metadata", self.resource_metadata),
            ("acr_values", self.acr_values),
            ("max_age", max_age.as_deref()),
        ] {
            let Some(value) = value else { continue };
            text.push(std::mem::replace(&mut separator, ", "));
            text.push(name);
            text.push("=");
            text.push_quoted(value);
        }
        text
    }

    /// The challenge of another scheme beside this one. It asks for the same credentials,
    /// and has no error, because the request did not use that scheme.
    pub(super) fn beside(&self, scheme: Scheme, algorithms: AlgorithmSet) -> Self {
        Self {
            scheme,
            algorithms,
            scope: self.scope.clone(),
            resource_metadata: self.resource_metadata,
            ..Self::new(None)
        }
    }

    fn algorithm_names(&self) -> Option<String> {
        let mut names = String::new();
        for algorithm in self.algorithms.iter() {
            if !names.is_empty() {
                names.push(' ');
            }
            names.push_str(algorithm.name());
        }
        (!names.is_empty()).then_some(names)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::crypto::Algorithm;

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
    fn the_challenge_of_dpop_has_algorithms_and_no_realm() {
        let bearer = Challenge {
            description: Some("The proof was used before"),
            scope: Some("read".into()),
            resource_metadata: Some("https://api.example/metadata"),
            ..Challenge::new(Some("invalid_dpop_proof"))
        };
        let algorithms = [Algorithm::EdDsa, Algorithm::Es256].into_iter().collect();
        let beside = bearer.beside(Scheme::Dpop, algorithms);
        assert_eq!(
            beside.text("api").as_str(),
            "DPoP algs=\"ES256 EdDSA\", scope=\"read\", \
             resource_metadata=\"https://api.example/metadata\""
        );
        let used = Challenge {
            scheme: Scheme::Dpop,
            algorithms,
            scope: None,
            resource_metadata: None,
            ..bearer
        };
        assert_eq!(
            used.text("api").as_str(),
            "DPoP algs=\"ES256 EdDSA\", error=\"invalid_dpop_proof\", \
             error_description=\"The proof was used before\""
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
