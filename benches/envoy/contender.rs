//! The contenders.

use std::path::PathBuf;

/// A contender.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Contender {
    /// Nothing is checked.
    Nothing,
    /// `jwt_authn` with its default settings.
    JwtAuthn,
    /// With a cache that holds all tokens of the workload.
    JwtAuthnCached,
    /// `jwt_authn`, `cors` and `rbac`, which implement one scope rule and CORS.
    NativeStack,
    NativeStackCached,
    /// `ext_authz` with a small service that checks tokens.
    ExternalAuthorizer,
    /// With the same scope rule and CORS.
    EdgeAuthz,
    EdgeAuthzUncached,
    /// Without the scope rule and CORS, like `jwt_authn` alone.
    EdgeAuthzLikeJwtAuthn,
    /// The same with another build: see [`other_module`].
    OtherEdgeAuthz,
}

/// The module that is measured together with the current build, if any: only within one
/// run can a change be distinguished from noise.
pub(crate) fn other_module() -> Option<PathBuf> {
    let path = std::env::var_os("OTHER_MODULE").filter(|path| !path.is_empty())?;
    Some(path.into())
}

impl Contender {
    pub(crate) const ALL: [Self; 10] = [
        Self::Nothing,
        Self::JwtAuthn,
        Self::JwtAuthnCached,
        Self::NativeStack,
        Self::NativeStackCached,
        Self::ExternalAuthorizer,
        Self::EdgeAuthz,
        Self::EdgeAuthzUncached,
        Self::EdgeAuthzLikeJwtAuthn,
        Self::OtherEdgeAuthz,
    ];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nothing => "nothing",
            Self::JwtAuthn => "jwt_authn",
            Self::JwtAuthnCached => "jwt_authn, cache",
            Self::NativeStack => "jwt_authn+cors+rbac",
            Self::NativeStackCached => "jwt_authn+cors+rbac, cache",
            Self::ExternalAuthorizer => "ext_authz",
            Self::EdgeAuthz => "edge-authz",
            Self::EdgeAuthzUncached => "edge-authz, cache off",
            Self::EdgeAuthzLikeJwtAuthn => "edge-authz, only tokens",
            Self::OtherEdgeAuthz => "edge-authz, only tokens, other module",
        }
    }

    /// Whether it refuses a request without a token.
    pub(crate) const fn checks(self) -> bool {
        !matches!(self, Self::Nothing)
    }
}
