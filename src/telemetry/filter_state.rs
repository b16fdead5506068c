//! What other filters and access logs can read of a request. The names are
//! stable: rules and log formats are built on them.

/// An entry of a request's filter state. Each that is written is a call of the
/// host for each request, so only those are that the configuration lists.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum FilterState {
    /// `sub` of the token, where the token is good.
    Subject,
    /// `iss` of the token, where the token is good.
    Issuer,
    /// The provider whose token it is.
    Provider,
    /// The route, by the first of its patterns as written.
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

    /// The name that the host is given. Envoy puts `wasm.` before it.
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
