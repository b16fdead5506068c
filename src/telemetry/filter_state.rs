//! The parts of a decision that other filters and access logs can read. The
//! names are stable: rules and log formats depend on them.

/// An entry of a request's filter state. Each entry is a call of the host for
/// each request, so only configured entries are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilterState {
    /// `sub` of the token, if the token is valid.
    Subject,
    /// `iss` of the token, if the token is valid.
    Issuer,
    /// The provider of the token.
    Provider,
    /// The route's name: the first of its patterns, as written.
    Route,
    /// The reason of the decision.
    Reason,
}

impl FilterState {
    /// Every entry, by its name in the configuration.
    pub const NAMES: [(&str, Self); 5] = [
        ("subject", Self::Subject),
        ("issuer", Self::Issuer),
        ("provider", Self::Provider),
        ("route", Self::Route),
        ("reason", Self::Reason),
    ];

    /// The name that is passed to the host. Envoy puts `wasm.` before it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Subject => "edge_authz.subject",
            Self::Issuer => "edge_authz.issuer",
            Self::Provider => "edge_authz.provider",
            Self::Route => "edge_authz.route",
            Self::Reason => "edge_authz.reason",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_entry_has_the_same_name_in_the_configuration_and_at_the_host() {
        for (name, entry) in FilterState::NAMES {
            assert_eq!(entry.name(), format!("edge_authz.{name}"));
        }
    }
}
