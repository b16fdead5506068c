//! Why a request was decided as it was.

/// The reason of a decision: one for each way in which a request can end.
///
/// It names the metric (`edge_authz.requests.<reason>.<provider>`), the
/// response code details (`edge_authz_<reason>`), the entry `reason` of the
/// filter state and the log event. The names are stable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Reason {
    /// The token met the route's rules.
    Allowed,
    /// The route is public.
    Public,
    /// The route's token is optional and the request has none.
    Anonymous,
    /// The request would be refused or wait for keys, but its refusals are only
    /// reported.
    Reported,
    /// A preflight was answered 204.
    Preflight,
    /// A preflight was answered 403.
    PreflightRefused,
    /// The metadata of a protected resource were answered.
    ResourceMetadata,
    /// `Connection` names a header that only the filter may set, so that the
    /// next hop would remove it.
    BadConnection,
    /// The method is a well-known one in another letter case, or not a valid
    /// method.
    BadMethod,
    /// The path is ambiguous, and no setting allows it.
    BadPath,
    /// The path has an encoded character that `paths.allow_encoded` can allow.
    BadPathEncoded,
    /// The path has an empty segment, which `paths.allow_empty_segments` allows.
    BadPathEmptySegment,
    /// The path has a `;`, which `paths.allow_semicolons` allows.
    BadPathSemicolon,
    /// The authority is not one valid host.
    BadHost,
    /// The path has routes for MCP requests, and the request's MCP headers are
    /// absent, repeated, malformed or of an old version.
    BadMcp,
    /// No route matches.
    NoRoute,
    /// The route is denied to everyone.
    Denied,
    /// No token, or credentials of another scheme.
    NoToken,
    /// The credentials are malformed, such as `Bearer` with two words.
    MalformedCredentials,
    /// More than one token.
    SeveralTokens,
    /// The token is longer than 16 KiB.
    TokenTooLong,
    /// The token is not a well-formed JWT.
    MalformedToken,
    /// The token's `alg` is unknown or not allowed for its issuer.
    BadAlgorithm,
    /// The token's header has a member that the filter must understand and does
    /// not.
    UnsupportedHeader,
    /// The token's `typ` is not accepted.
    BadType,
    /// No provider that the route allows has the token's issuer.
    UnknownIssuer,
    /// The issuer has no key with the token's `kid`.
    UnknownKey,
    /// No key fits the token, or several keys fit and it has no `kid`.
    NoFittingKey,
    /// The signature does not verify.
    BadSignature,
    /// The token has expired.
    Expired,
    /// The token is not valid yet, or was issued in the future.
    NotYetValid,
    /// The token's lifetime exceeds the provider's `max_lifetime`.
    LifetimeTooLong,
    /// The token is for another audience.
    BadAudience,
    /// The token has another `token_use`.
    BadTokenUse,
    /// A claim does not meet the provider's rules.
    BadClaims,
    /// The revocation list names the token.
    Revoked,
    /// The token has a `cnf` that cannot be checked.
    BoundToken,
    /// The token has no `cnf`, and the provider requires one.
    UnboundToken,
    /// The token is bound to a certificate, and the connection has none.
    NoCertificate,
    /// The token is bound to another certificate than that of the connection.
    OtherCertificate,
    /// The token is bound to a key, and was not presented with the scheme
    /// `DPoP`.
    DpopRequired,
    /// The token was presented with the scheme `DPoP`, and is not bound to a
    /// key.
    DpopNotAccepted,
    /// The request has no proof of possession for its token.
    NoProof,
    /// The proof of possession is refused.
    BadProof,
    /// The proof of possession has no nonce, and the provider requires one.
    NoNonce,
    /// The nonce of the proof of possession is too old, or not one of this proxy.
    BadNonce,
    /// The proof of possession was used before.
    UsedProof,
    /// The user must authenticate in another way, or again, for this route.
    InsufficientUserAuthentication,
    /// The token does not meet the route's scopes.
    MissingScope,
    /// The token does not meet the route's claim rules.
    MissingClaim,
    /// The issuer's keys are unavailable.
    KeysUnavailable,
    /// The issuer's revocation list is unavailable.
    RevocationListUnavailable,
    /// Too many requests are already waiting for keys or a revocation list.
    TooManyWaiting,
    /// The host failed, or the filter's state does not allow a decision.
    InternalError,
}

impl Reason {
    /// Every reason.
    pub const ALL: [Self; 54] = [
        Self::Allowed,
        Self::Public,
        Self::Anonymous,
        Self::Reported,
        Self::Preflight,
        Self::PreflightRefused,
        Self::ResourceMetadata,
        Self::BadConnection,
        Self::BadMethod,
        Self::BadPath,
        Self::BadPathEncoded,
        Self::BadPathEmptySegment,
        Self::BadPathSemicolon,
        Self::BadHost,
        Self::BadMcp,
        Self::NoRoute,
        Self::Denied,
        Self::NoToken,
        Self::MalformedCredentials,
        Self::SeveralTokens,
        Self::TokenTooLong,
        Self::MalformedToken,
        Self::BadAlgorithm,
        Self::UnsupportedHeader,
        Self::BadType,
        Self::UnknownIssuer,
        Self::UnknownKey,
        Self::NoFittingKey,
        Self::BadSignature,
        Self::Expired,
        Self::NotYetValid,
        Self::LifetimeTooLong,
        Self::BadAudience,
        Self::BadTokenUse,
        Self::BadClaims,
        Self::Revoked,
        Self::BoundToken,
        Self::UnboundToken,
        Self::NoCertificate,
        Self::OtherCertificate,
        Self::DpopRequired,
        Self::DpopNotAccepted,
        Self::NoProof,
        Self::BadProof,
        Self::NoNonce,
        Self::BadNonce,
        Self::UsedProof,
        Self::InsufficientUserAuthentication,
        Self::MissingScope,
        Self::MissingClaim,
        Self::KeysUnavailable,
        Self::RevocationListUnavailable,
        Self::TooManyWaiting,
        Self::InternalError,
    ];

    /// The stable name, in snake case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        // The details without their prefix, so that one table serves both.
        match self.details().split_at_checked(PREFIX.len()) {
            Some((_, name)) => name,
            None => "",
        }
    }

    /// The response code details: `edge_authz_` and the name.
    #[must_use]
    pub const fn details(self) -> &'static str {
        match self {
            Self::Allowed => "edge_authz_allowed",
            Self::Public => "edge_authz_public",
            Self::Anonymous => "edge_authz_anonymous",
            Self::Reported => "edge_authz_reported",
            Self::Preflight => "edge_authz_preflight",
            Self::PreflightRefused => "edge_authz_preflight_refused",
            Self::ResourceMetadata => "edge_authz_resource_metadata",
            Self::BadConnection => "edge_authz_bad_connection",
            Self::BadMethod => "edge_authz_bad_method",
            Self::BadPath => "edge_authz_bad_path",
            Self::BadPathEncoded => "edge_authz_bad_path_allow_encoded",
            Self::BadPathEmptySegment => "edge_authz_bad_path_allow_empty_segments",
            Self::BadPathSemicolon => "edge_authz_bad_path_allow_semicolons",
            Self::BadHost => "edge_authz_bad_host",
            Self::BadMcp => "edge_authz_bad_mcp",
            Self::NoRoute => "edge_authz_no_route",
            Self::Denied => "edge_authz_denied",
            Self::NoToken => "edge_authz_no_token",
            Self::MalformedCredentials => "edge_authz_malformed_credentials",
            Self::SeveralTokens => "edge_authz_several_tokens",
            Self::TokenTooLong => "edge_authz_token_too_long",
            Self::MalformedToken => "edge_authz_malformed_token",
            Self::BadAlgorithm => "edge_authz_bad_algorithm",
            Self::UnsupportedHeader => "edge_authz_unsupported_header",
            Self::BadType => "edge_authz_bad_type",
            Self::UnknownIssuer => "edge_authz_unknown_issuer",
            Self::UnknownKey => "edge_authz_unknown_key",
            Self::NoFittingKey => "edge_authz_no_fitting_key",
            Self::BadSignature => "edge_authz_bad_signature",
            Self::Expired => "edge_authz_expired",
            Self::NotYetValid => "edge_authz_not_yet_valid",
            Self::LifetimeTooLong => "edge_authz_lifetime_too_long",
            Self::BadAudience => "edge_authz_bad_audience",
            Self::BadTokenUse => "edge_authz_bad_token_use",
            Self::BadClaims => "edge_authz_bad_claims",
            Self::Revoked => "edge_authz_revoked",
            Self::BoundToken => "edge_authz_bound_token",
            Self::UnboundToken => "edge_authz_unbound_token",
            Self::NoCertificate => "edge_authz_no_certificate",
            Self::OtherCertificate => "edge_authz_other_certificate",
            Self::DpopRequired => "edge_authz_dpop_required",
            Self::DpopNotAccepted => "edge_authz_dpop_not_accepted",
            Self::NoProof => "edge_authz_no_proof",
            Self::BadProof => "edge_authz_bad_proof",
            Self::NoNonce => "edge_authz_no_nonce",
            Self::BadNonce => "edge_authz_bad_nonce",
            Self::UsedProof => "edge_authz_used_proof",
            Self::InsufficientUserAuthentication => "edge_authz_insufficient_user_authentication",
            Self::MissingScope => "edge_authz_missing_scope",
            Self::MissingClaim => "edge_authz_missing_claim",
            Self::KeysUnavailable => "edge_authz_keys_unavailable",
            Self::RevocationListUnavailable => "edge_authz_revocation_list_unavailable",
            Self::TooManyWaiting => "edge_authz_too_many_waiting",
            Self::InternalError => "edge_authz_internal_error",
        }
    }
}

const PREFIX: &str = "edge_authz_";

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_reason_has_a_name_of_its_own() {
        let names: BTreeSet<_> = Reason::ALL.iter().map(|reason| reason.name()).collect();
        assert_eq!(names.len(), Reason::ALL.len());
        assert!(names.iter().all(|name| !name.is_empty()));
    }

    #[test]
    fn names_are_safe_in_metrics() {
        let safe = |name: &str| name.bytes().all(|b| b.is_ascii_lowercase() || b == b'_');
        assert!(Reason::ALL.iter().all(|reason| safe(reason.name())));
    }
}
