//! The inputs of a decision besides the policy and the request.

use std::sync::Arc;

use super::Verifications;
use crate::crypto::HostSignatures;
use crate::dpop::{Nonces, Proof};
use crate::jwk::{AskedKid, KeySet};
use crate::jwt::KnownHeaders;
use crate::policy::SourceId;
use crate::revocation::RevocationList;
use crate::time::UnixTime;

/// The inputs of a decision besides the policy and the request.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    /// The fetched keys and revocation lists.
    pub keys: &'a dyn Keys,
    /// The cache of verified tokens.
    pub remembered: &'a dyn Remembered,
    /// The proxy's own signature verification.
    pub host_signatures: &'a dyn HostSignatures,
    /// The connection of the request.
    pub connection: &'a dyn Connection,
    /// The proofs of possession that were used before.
    pub proofs: &'a dyn UsedProofs,
    /// When the request arrived. A `kid` is unknown only if keys fetched later
    /// lack it.
    pub arrived: UnixTime,
    /// The time of the decision.
    pub now: UnixTime,
}

/// The fetched documents at the time of a decision.
pub trait Keys {
    /// The keys of a source that may verify tokens now, if there are any.
    fn keys(&self, source: SourceId) -> Option<CurrentKeys<'_>>;

    /// The revocation list of a source that applies now. Without one, the tokens of its
    /// providers are not accepted.
    fn revocation_list(&self, _: SourceId) -> Option<&RevocationList> {
        None
    }

    /// Whether `kid` was found absent so recently that it is not fetched again.
    fn is_absent(&self, source: SourceId, kid: &AskedKid<'_>) -> bool;
}

/// The keys of one source at the time of a decision.
#[derive(Clone, Copy, Debug)]
pub struct CurrentKeys<'a> {
    /// The keys.
    pub set: &'a KeySet,
    /// When their fetch began.
    pub fetch_started_at: UnixTime,
    /// The issuer published the keys at this time or later. It is earlier than
    /// the fetch if they come from an HTTP cache.
    pub as_of: UnixTime,
}

/// The connection of a request.
pub trait Connection {
    /// The SHA-256 of the client certificate (DER) of the connection. `None` if the client
    /// presented none. It is called only for a token that is bound to a certificate.
    ///
    /// # Errors
    ///
    /// This is not known, which is not the same as no certificate.
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown>;
}

/// It is not known whether a connection has a client certificate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CertificateUnknown;

/// A connection of which nothing is known.
#[derive(Clone, Copy, Debug)]
pub struct NoConnection;

impl Connection for NoConnection {
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown> {
        Err(CertificateUnknown)
    }
}

/// A connection of a test, with this answer.
#[cfg(test)]
impl Connection for Result<Option<[u8; 32]>, CertificateUnknown> {
    fn client_certificate(&self) -> Self {
        *self
    }
}

/// What is known about proofs of possession: which were used (RFC 9449 section 11.1), and
/// how the nonces of this server are checked.
///
/// It is the only input that a decision changes: two requests that are decided at the same
/// time must not use the same proof.
pub trait UsedProofs {
    /// Remembers a proof until it can no longer be accepted. It is called only for a proof
    /// that meets all other requirements.
    ///
    /// # Errors
    ///
    /// The proof must not be accepted.
    fn use_up(&self, proof: &Proof, now: UnixTime) -> Result<(), ProofUse>;

    /// How nonces are checked and made now. It is called only if a provider requires nonces.
    fn nonces(&self, now: UnixTime) -> Nonces;
}

/// Why a proof must not be accepted although it is valid.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProofUse {
    /// It was used before.
    Again,
    /// There is no memory in which to remember it.
    NoMemory,
}

/// A memory that does not remember anything and accepts every nonce, for decisions that let nothing pass.
#[derive(Clone, Copy, Debug)]
pub struct NoUsedProofs;

impl UsedProofs for NoUsedProofs {
    fn use_up(&self, _: &Proof, _: UnixTime) -> Result<(), ProofUse> {
        Ok(())
    }

    fn nonces(&self, _: UnixTime) -> Nonces {
        Nonces::Unchecked
    }
}

/// The cache of verified tokens.
pub trait Remembered {
    /// The results of an earlier verification of this token.
    fn recall(&self, token: &[u8]) -> Option<Arc<Verifications>>;

    /// The headers of these tokens, if they are kept.
    fn headers(&self) -> Option<&KnownHeaders> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_known_about_the_certificate_of_an_unknown_connection() {
        let certificate = NoConnection.client_certificate();
        assert_eq!(certificate, Err(CertificateUnknown));
    }
}
