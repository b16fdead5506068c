//! The nonce in the response to a request that passes (RFC 9449 section 8.2).

use std::borrow::Cow;

use crate::dpop::NONCE_HEADER;
use crate::http::{HeaderEdit, SafeText, is_same_name};

/// What happens to the `DPoP-Nonce` of the upstream's response, because the proof of the
/// request had a nonce of this server.
///
/// The upstream's own is removed. Otherwise the client would take it for one of this server
/// and be refused with it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ResponseNonce {
    /// The nonce that the client gets instead of its own, which is near its end.
    pub(super) fresh: Option<Box<str>>,
}

impl ResponseNonce {
    /// Whether the response gets a nonce.
    #[must_use]
    pub const fn is_fresh(&self) -> bool {
        self.fresh.is_some()
    }

    /// The header with the fresh nonce, for a response that does not come from the upstream.
    pub(super) fn header(&self) -> Option<(&'static str, SafeText)> {
        let nonce = self.fresh.as_deref()?;
        Some((NONCE_HEADER, SafeText::filtered(nonce)))
    }

    /// What happens if two policies have judged the request.
    #[must_use]
    pub fn combined(first: Option<Self>, second: Option<Self>) -> Option<Self> {
        match (first, second) {
            (Some(first), Some(second)) if !first.is_fresh() => Some(second),
            (first, second) => first.or(second),
        }
    }

    /// The changes of a response with these fields. They are idempotent.
    pub fn apply<'a>(
        &'a self,
        response: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Option<HeaderEdit<'a>> {
        let name = NONCE_HEADER.as_bytes();
        let mut names = response.into_iter().map(|(name, _)| name);
        let known = names.find(|known| is_same_name(known, name));
        match (&self.fresh, known) {
            (Some(nonce), Some(known)) => Some(HeaderEdit::Set(
                known.into(),
                Cow::Borrowed(nonce.as_bytes()),
            )),
            (Some(nonce), None) => Some(HeaderEdit::Add(
                name.into(),
                Cow::Borrowed(nonce.as_bytes()),
            )),
            (None, Some(known)) => Some(HeaderEdit::Remove(known.into())),
            (None, None) => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nonce_of_the_upstream_never_reaches_the_client() {
        let fresh = ResponseNonce {
            fresh: Some("new".into()),
        };
        let silent = ResponseNonce::default();
        let own: [(&[u8], &[u8]); 3] = [(b"a", b"b"), (b"DPoP-Nonce", b"x"), (b"dpop-nonce", b"y")];
        let none: [(&[u8], &[u8]); 1] = [(b"dpop-nonces", b"x")];
        let set = HeaderEdit::Set(b"DPoP-Nonce"[..].into(), b"new"[..].into());
        let add = HeaderEdit::Add(b"dpop-nonce"[..].into(), b"new"[..].into());
        let remove = HeaderEdit::Remove(b"DPoP-Nonce"[..].into());
        assert_eq!(fresh.apply(own), Some(set));
        assert_eq!(fresh.apply(none), Some(add));
        assert_eq!(silent.apply(own), Some(remove));
        assert_eq!(silent.apply(none), None);
    }

    #[test]
    fn a_fresh_nonce_of_either_policy_is_sent() {
        let fresh = Some(ResponseNonce {
            fresh: Some("new".into()),
        });
        let silent = Some(ResponseNonce::default());
        let combined = ResponseNonce::combined;
        assert_eq!(combined(None, None), None);
        for (one, other, expected) in [
            (&fresh, &silent, &fresh),
            (&fresh, &None, &fresh),
            (&silent, &None, &silent),
        ] {
            assert_eq!(combined(one.clone(), other.clone()), *expected);
            assert_eq!(combined(other.clone(), one.clone()), *expected);
        }
    }
}
