//! What a list can name a token by.

use sha2::{Digest as _, Sha256};

use crate::time::UnixTime;

/// A member of a list, and the claim that it names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Member {
    TokenId,
    SessionId,
    Subject,
}

impl Member {
    pub(super) const ALL: [Self; 3] = [Self::TokenId, Self::SessionId, Self::Subject];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::TokenId => "jti",
            Self::SessionId => "sid",
            Self::Subject => "sub",
        }
    }

    /// A number for this member with one bit.
    pub(super) const fn bit(self) -> u8 {
        match self {
            Self::TokenId => 1,
            Self::SessionId => 2,
            Self::Subject => 4,
        }
    }
}

/// The digest of a claim's name and value: 128 bits of SHA-256. Nobody can find another
/// value with the same digest, or choose values that make a look-up expensive.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct IdDigest(pub(super) u128);

impl IdDigest {
    pub(super) fn new(member: Member, text: &str) -> Self {
        let digest = Sha256::new()
            .chain_update([member.bit()])
            .chain_update(text)
            .finalize();
        let first = digest.first_chunk().copied().unwrap_or_default();
        Self(u128::from_le_bytes(first))
    }
}

/// The digests of a token's claims that lists name, and its time of issue. They are
/// computed once for a token.
#[derive(Clone, Debug)]
pub struct TokenIds {
    /// In the order of [`Member::ALL`].
    pub(super) digests: [Option<IdDigest>; 3],
    pub(super) issued_at: Option<UnixTime>,
}

impl TokenIds {
    /// The IDs of a token with these claims. A claim that it does not have is named by no
    /// list.
    #[must_use]
    pub fn new([jti, sid, sub]: [Option<&str>; 3], issued_at: Option<UnixTime>) -> Self {
        let digest = |member, text: Option<&str>| text.map(|text| IdDigest::new(member, text));
        Self {
            digests: [
                digest(Member::TokenId, jti),
                digest(Member::SessionId, sid),
                digest(Member::Subject, sub),
            ],
            issued_at,
        }
    }
}
