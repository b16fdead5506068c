//! Why a key set, or one of its keys, is not used.

use std::fmt;

use super::{MAX_KEY_SET_BYTES, MAX_KEYS};
use crate::crypto::KeyError;
use crate::json::JsonError;

/// Why a document is not a usable key set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// The document is larger than [`MAX_KEY_SET_BYTES`].
    TooLarge,
    /// The document is not accepted JSON, or not an object.
    Json(JsonError),
    /// The document has no array `keys`.
    NotAKeySet,
    /// There are more than [`MAX_KEYS`] keys.
    TooManyKeys {
        /// The number of keys.
        count: usize,
    },
    /// No key is usable.
    NoUsableKey {
        /// The unusable keys.
        skipped: Vec<SkippedKey>,
    },
}

impl fmt::Display for KeySetError {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooLarge => write!(out, "larger than {MAX_KEY_SET_BYTES} bytes"),
            Self::Json(error) => error.fmt(out),
            Self::NotAKeySet => out.write_str("not a JWK Set: it has no array `keys`"),
            Self::TooManyKeys { count } => write!(out, "{count} keys, more than {MAX_KEYS}"),
            Self::NoUsableKey { skipped } if skipped.is_empty() => out.write_str("no keys"),
            Self::NoUsableKey { skipped } => {
                out.write_str("no usable key")?;
                for key in skipped {
                    write!(out, "; {key}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for KeySetError {}

/// An unusable key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedKey {
    /// The index of the key in `keys`, from 0.
    pub index: usize,
    /// Why it is not used.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "keys[{}]: {}", self.index, self.reason)
    }
}

/// The keys of a set that are not used for the same reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKeys {
    /// The reason.
    pub reason: SkipReason,
    /// The indices of the keys in `keys`, from 0.
    pub indices: Vec<usize>,
}

/// The maximum number of indices that are shown.
const MAX_SHOWN: usize = 8;

impl SkippedKeys {
    /// Groups keys by reason, in the order of the first key of each group.
    #[must_use]
    pub fn by_reason(skipped: &[SkippedKey]) -> Vec<Self> {
        let mut groups: Vec<Self> = Vec::new();
        for &SkippedKey { index, reason } in skipped {
            match groups.iter_mut().find(|group| group.reason == reason) {
                Some(group) => group.indices.push(index),
                None => groups.push(Self {
                    reason,
                    indices: vec![index],
                }),
            }
        }
        groups
    }
}

impl fmt::Display for SkippedKeys {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let shown: Vec<String> = self
            .indices
            .iter()
            .take(MAX_SHOWN)
            .map(usize::to_string)
            .collect();
        let more = self.indices.len().saturating_sub(MAX_SHOWN);
        match (&*shown, more) {
            ([one], 0) => write!(out, "key {one} of the set is not used"),
            ([most @ .., last], 0) => write!(
                out,
                "keys {} and {last} of the set are not used",
                most.join(", ")
            ),
            (all, more) => write!(
                out,
                "keys {} and {more} more of the set are not used",
                all.join(", ")
            ),
        }?;
        write!(out, ": {}", self.reason)
    }
}

/// Why a key is not used. It contains nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// The element of `keys` is not an object.
    NotAnObject,
    /// A required member is missing.
    Missing {
        /// The member's name.
        member: &'static str,
    },
    /// A member has a wrong JSON type.
    WrongType {
        /// The member's name.
        member: &'static str,
    },
    /// A member is not canonical base64url: it has padding, white space or non-zero
    /// trailing bits (RFC 7515 section 2).
    NotBase64Url {
        /// The member's name.
        member: &'static str,
    },
    /// `kty` is not exactly `RSA`, `EC`, `OKP` or `oct`.
    UnknownKeyType,
    /// No supported algorithm uses the `crv`.
    UnknownCurve,
    /// `use` is not `sig`.
    NotForSignatures,
    /// `key_ops` does not contain `verify`.
    NotForVerifying,
    /// `alg` is not supported.
    UnknownAlgorithm,
    /// `alg` requires a key of another type, curve or size.
    AlgorithmDoesNotFit,
    /// The key is symmetric, which is not allowed here.
    Symmetric,
    /// The key material is weak or invalid.
    Material(KeyError),
}

impl fmt::Display for SkipReason {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAnObject => out.write_str("not an object"),
            Self::Missing { member } => write!(out, "no `{member}`"),
            Self::WrongType { member } => write!(out, "`{member}` is of a wrong type"),
            Self::NotBase64Url { member } => {
                write!(out, "`{member}` is not base64url without padding")
            }
            Self::UnknownKeyType => out.write_str("unknown `kty`"),
            Self::UnknownCurve => out.write_str("unknown `crv`"),
            Self::NotForSignatures => out.write_str("its `use` is not `sig`"),
            Self::NotForVerifying => out.write_str("its `key_ops` lack `verify`"),
            Self::UnknownAlgorithm => out.write_str("unknown `alg`"),
            Self::AlgorithmDoesNotFit => out.write_str("its `alg` does not fit the key"),
            Self::Symmetric => out.write_str("a shared key in a published set"),
            Self::Material(error) => error.fmt(out),
        }
    }
}
