//! Whether the sender of a request is the holder of its token.

use super::credentials::{Presented, Token};
use std::cell::OnceCell;

use super::{Context, HolderFault, ProofUse, ResponseNonce, TokenFault};
use crate::dpop::{Nonces, ProofError, ProofRules, Shown};
use crate::http::RequestHead;
use crate::jwk::Thumbprint;
use crate::jwt::Holder;

/// The header field with the proof of possession.
const PROOF: &str = "dpop";

/// The sender of a request that presents a token to a provider.
pub(super) struct Sender<'a> {
    pub(super) head: &'a RequestHead,
    pub(super) token: &'a Token<'a>,
    pub(super) context: Context<'a>,
    /// The provider's rules for proofs. `None` if it accepts none.
    pub(super) proofs: Option<&'a ProofRules>,
    /// What happens to the nonce of the response, once a proof with a nonce is accepted.
    pub(super) nonce: OnceCell<ResponseNonce>,
}

impl Sender<'_> {
    fn claims_to_sign(&self) -> bool {
        self.token.presented() == Presented::WithProof
    }
}

impl Holder for Sender<'_> {
    type Fault = TokenFault;

    /// The certificate of the connection counts, and never one in a header, which the
    /// client may have written.
    fn has_certificate(&self, digest: &[u8; 32]) -> Result<(), TokenFault> {
        let fault = match self.context.connection.client_certificate() {
            Ok(Some(shown)) if shown == *digest => return Ok(()),
            Ok(Some(_)) => HolderFault::OtherCertificate,
            Ok(None) => HolderFault::NoCertificate,
            Err(_) => HolderFault::CertificateUnknown,
        };
        Err(TokenFault::Holder(fault))
    }

    fn has_key(&self, thumbprint: &Thumbprint) -> Result<(), TokenFault> {
        let rules = self.proofs.ok_or(HolderFault::ProofsNotAccepted)?;
        if !self.claims_to_sign() {
            return Err(HolderFault::NotSigned.into());
        }
        let Context {
            proofs,
            host_signatures,
            now,
            ..
        } = self.context;
        let mut values = self.head.headers().values(PROOF);
        let proof = values.next().ok_or(ProofError::Missing)?;
        if values.next().is_some() {
            return Err(ProofError::Several.into());
        }
        let nonces = match rules.nonce {
            Some(_) => proofs.nonces(now),
            None => Nonces::Unavailable,
        };
        let shown = Shown {
            method: self.head.method().unwrap_or_default(),
            path: self.head.path().unwrap_or_default(),
            token: self.token.text(),
            key: thumbprint,
            nonces: &nonces,
            now,
        };
        let proof = rules.check(proof.trim_ascii(), &shown, host_signatures)?;
        proofs.use_up(&proof, now).map_err(|used| match used {
            ProofUse::Again => TokenFault::from(ProofError::Used),
            ProofUse::NoMemory => HolderFault::NoMemory.into(),
        })?;
        if rules.nonce.is_some() {
            let fresh = proof.renews_nonce.then(|| nonces.issue(now)).flatten();
            let fresh = fresh.map(String::into_boxed_str);
            // A token names at most one key, so this is called once.
            let _ = self.nonce.set(ResponseNonce { fresh });
        }
        Ok(())
    }

    fn has_no_key(&self) -> Result<(), TokenFault> {
        if self.claims_to_sign() {
            return Err(HolderFault::NotBoundToKey.into());
        }
        Ok(())
    }
}
