//! The compact form of a signed text whose signature has not been checked yet.

use std::fmt;
use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::{Header, JwsError, KnownHeaders, MAX_BYTES};
use crate::crypto::{Fingerprint, HostSignatures};
use crate::jwk::Jwk;

/// A well-formed signed text that is not trusted.
///
/// It does not contain the payload: the parser's caller gets that once, decoded.
pub struct Jws<'t> {
    /// The first two parts and the dot between them, as received. This is what
    /// was signed; it is never re-encoded.
    signed: &'t [u8],
    signature: Vec<u8>,
    header: Arc<Header>,
}

impl<'t> Jws<'t> {
    /// Reads `text`, which must be exactly one signed text. Returns its form and
    /// its decoded payload. A header that is among `known` is not parsed again.
    ///
    /// Time and memory are linear in the length, which is checked first.
    ///
    /// # Errors
    ///
    /// Why its form is not accepted.
    pub fn parse(
        text: &'t [u8],
        known: Option<&KnownHeaders>,
    ) -> Result<(Self, Vec<u8>), JwsError> {
        if text.len() > MAX_BYTES {
            return Err(JwsError::TooLong);
        }
        let (header, payload, signature) = split(text).ok_or(JwsError::NotThreeParts)?;
        let decode = |part| URL_SAFE_NO_PAD.decode(part);
        let signed_bytes = header.len().saturating_add(1).saturating_add(payload.len());
        let signed = text.get(..signed_bytes).ok_or(JwsError::NotThreeParts)?;
        // If there are further dots, one is in this part.
        let payload = decode(payload).map_err(|_| match memchr::memchr(b'.', payload) {
            Some(_) => JwsError::NotThreeParts,
            None => JwsError::NotBase64Url,
        })?;
        let signature = decode(signature).map_err(|_| JwsError::NotBase64Url)?;
        let header = if let Some(known) = known.and_then(|known| known.get(header)) {
            Arc::clone(known)
        } else {
            let decoded = decode(header).map_err(|_| JwsError::NotBase64Url)?;
            Arc::new(Header::read(header, &decoded)?)
        };
        let jws = Self {
            signed,
            signature,
            header,
        };
        Ok((jws, payload))
    }

    /// The header.
    #[must_use]
    pub const fn header(&self) -> &Arc<Header> {
        &self.header
    }

    /// Verifies the signature with one key. Returns which key it is, or `None`
    /// unless the key is for the text's algorithm and the signature is valid.
    ///
    /// The caller must have checked that the algorithm is allowed.
    #[must_use]
    pub fn verify(&self, key: &Jwk, host_signatures: &dyn HostSignatures) -> Option<Fingerprint> {
        let algorithm = self.header.algorithm();
        if !key.serves(algorithm) {
            return None;
        }
        let good = key
            .key()
            .verify(algorithm, self.signed, &self.signature, host_signatures);
        good.then(|| *key.key().fingerprint())
    }
}

impl fmt::Debug for Jws<'_> {
    /// `Debug` shows only the algorithm, because the rest is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Jws({})", self.header.algorithm().name())
    }
}

/// The three parts: before the first dot, between it and the last, and after the
/// last. So the middle part, the longest, is not searched; decoding it finds any
/// dot in it.
fn split(text: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (header, rest) = split_at(text, memchr::memchr(b'.', text)?)?;
    let (payload, signature) = split_at(rest, memchr::memrchr(b'.', rest)?)?;
    let good = !(header.is_empty() || payload.is_empty() || signature.is_empty());
    good.then_some((header, payload, signature))
}

/// The parts before and after the byte at `dot`.
fn split_at(text: &[u8], dot: usize) -> Option<(&[u8], &[u8])> {
    let (before, rest) = text.split_at_checked(dot)?;
    Some((before, rest.get(1..)?))
}
