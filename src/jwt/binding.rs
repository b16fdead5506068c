//! Sender constraints (RFC 7800): tokens that only their holder may present.

use std::fmt;

use super::claims::ClaimSet;
use super::{ClaimError, TokenUse, ValidClaims, VerifiedJwt, check};
use crate::json::{Object, Value};
use crate::jwk::{Thumbprint, digest};
use crate::revocation::RevocationList;

/// How a provider treats its tokens' `cnf`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Binding {
    /// A token with `cnf` must be presented by its holder.
    #[default]
    Any,
    /// Every token must have `cnf` and be presented by its holder.
    Required,
    /// `cnf` is ignored: anyone who has the token may present it.
    Ignore,
}

/// Why a token's `cnf` is refused, independent of the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum BindingError {
    /// There is no `cnf`, and the provider requires one.
    Unbound,
    /// `cnf` has neither `x5t#S256` nor `jkt`, or one that cannot be read.
    Unreadable,
}

/// What the sender of a request shows of itself.
pub trait Holder {
    /// Why the sender is not taken for the holder.
    type Fault: From<BindingError>;

    /// Checks that the connection has the client certificate with this SHA-256 (RFC 8705
    /// section 3.1).
    ///
    /// # Errors
    ///
    /// It does not, or this is not known.
    fn has_certificate(&self, digest: &[u8; 32]) -> Result<(), Self::Fault>;

    /// Checks that the request was signed with the key of this thumbprint (RFC 9449
    /// section 6.1). It is called last, because it may use up the signature.
    ///
    /// # Errors
    ///
    /// It was not.
    fn has_key(&self, thumbprint: &Thumbprint) -> Result<(), Self::Fault>;

    /// Checks that the request does not claim to be signed, because the token is not bound
    /// to a key.
    ///
    /// # Errors
    ///
    /// It claims this.
    fn has_no_key(&self) -> Result<(), Self::Fault>;
}

/// What a `cnf` requires.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Confirmation {
    certificate: Option<[u8; 32]>,
    key: Option<Thumbprint>,
}

/// Claims that are valid except that the sender is not known to be the token's holder. Only
/// [`VerifiedJwt::check`] makes them, and nothing can be read from them:
///
/// ```compile_fail,E0277
/// use edge_authz::jwt::CheckedClaims;
/// fn grant(claims: &CheckedClaims<'_>, rules: &edge_authz::rules::RouteRules) {
///     let _ = rules.grant(claims, &[], &edge_authz::rules::NoRequest);
/// }
/// ```
#[derive(Clone, Copy, Debug)]
pub struct CheckedClaims<'a> {
    token: &'a VerifiedJwt,
    binding: Binding,
}

impl<'a> CheckedClaims<'a> {
    /// Must be called only after the claims were checked.
    pub(super) const fn checked(token: &'a VerifiedJwt, binding: Binding) -> Self {
        Self { token, binding }
    }

    /// Checks `token_use` for a route that requires it.
    ///
    /// # Errors
    ///
    /// [`ClaimError::TokenUse`] if the claim is absent, not a string, or
    /// different.
    pub fn check_token_use(&self, token_use: TokenUse) -> Result<(), ClaimError> {
        if check::has_use(self.token, token_use) {
            Ok(())
        } else {
            Err(ClaimError::TokenUse)
        }
    }

    /// Whether a revocation list names the token: by its `jti` or `sid`, or by its `sub` if
    /// it was issued before the time in the list, or has no `iat`.
    #[must_use]
    pub fn is_revoked_by(&self, list: &RevocationList) -> bool {
        list.names(self.token.ids())
    }

    /// The claims, if the sender is the token's holder, or if any sender may present it. A
    /// `cnf` of any type counts: one that cannot be read is not absent.
    ///
    /// # Errors
    ///
    /// Why the sender is not the holder.
    pub fn held_by<H: Holder>(self, holder: &H) -> Result<ValidClaims<'a>, H::Fault> {
        let is_bound = self.token.registered().has_confirmation;
        let key = match (self.binding, is_bound) {
            (Binding::Required, false) => return Err(BindingError::Unbound.into()),
            (Binding::Ignore, _) | (Binding::Any, false) => None,
            (Binding::Any | Binding::Required, true) => {
                let confirmation = self.token.claims().confirmation();
                let Confirmation { certificate, key } =
                    confirmation.ok_or(BindingError::Unreadable)?;
                if let Some(digest) = certificate {
                    holder.has_certificate(&digest)?;
                }
                key
            }
        };
        match key {
            Some(key) => holder.has_key(&key)?,
            None => holder.has_no_key()?,
        }
        Ok(ValidClaims::checked(self.token))
    }
}

impl ClaimSet {
    /// What `cnf` requires. `None` if it requires nothing that is known, or cannot be read.
    fn confirmation(&self) -> Option<Confirmation> {
        let members = self.confirmation_members()?;
        let certificate = text(&members, CERTIFICATE, digest).ok()?;
        let key = text(&members, "jkt", Thumbprint::parse).ok()?;
        let is_known = certificate.is_some() || key.is_some();
        is_known.then_some(Confirmation { certificate, key })
    }

    /// Whether `cnf` names a client certificate.
    pub(super) fn names_certificate(&self) -> bool {
        let members = self
            .registered()
            .has_confirmation
            .then(|| self.confirmation_members());
        members
            .flatten()
            .is_some_and(|members| members.get(CERTIFICATE).is_some())
    }

    fn confirmation_members(&self) -> Option<Object<'_>> {
        self.get("cnf")?.members()
    }
}

/// The member of `cnf` with the digest of a certificate (RFC 8705 section 3.1).
const CERTIFICATE: &str = "x5t#S256";

/// The member as `read` reads it. It is an error if it is present and cannot be read.
fn text<T>(
    members: &Object<'_>,
    name: &str,
    read: impl Fn(&str) -> Option<T>,
) -> Result<Option<T>, BindingError> {
    let read = |value: Value<'_>| read(&value.string()?);
    let member = members.get(name);
    member
        .map(|value| read(value).ok_or(BindingError::Unreadable))
        .transpose()
}

/// A sender that shows nothing. It may present only tokens that are not bound.
#[derive(Clone, Copy, Debug)]
pub struct Bearer;

impl Holder for Bearer {
    type Fault = BindingError;

    fn has_certificate(&self, _: &[u8; 32]) -> Result<(), BindingError> {
        Err(BindingError::Unreadable)
    }

    fn has_key(&self, _: &Thumbprint) -> Result<(), BindingError> {
        Err(BindingError::Unreadable)
    }

    fn has_no_key(&self) -> Result<(), BindingError> {
        Ok(())
    }
}

impl fmt::Display for BindingError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(match self {
            Self::Unbound => "the token is not bound to its holder",
            Self::Unreadable => "the token's cnf names nothing that can be checked",
        })
    }
}

impl std::error::Error for BindingError {}
