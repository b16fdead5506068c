//! Why a document or one of its keys is not used.

use std::fmt;

use super::{MAX_KEY_SET_BYTES, MAX_KEYS};
use crate::crypto::KeyError;
use crate::json::JsonError;

/// A document that gives no keys.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeySetError {
    /// More than [`MAX_KEY_SET_BYTES`].
    TooLarge,
    /// Not JSON that is let in, or no object.
    Json(JsonError),
    /// Without a member `keys` that is an array.
    NotAKeySet,
    /// More than [`MAX_KEYS`].
    TooManyKeys {
        /// How many there are.
        count: usize,
    },
    /// Without a single usable key.
    NoUsableKey {
        /// The unusable ones.
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

/// A key that was left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SkippedKey {
    /// Its place in `keys`, from 0.
    pub index: usize,
    /// Why.
    pub reason: SkipReason,
}

impl fmt::Display for SkippedKey {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "keys[{}]: {}", self.index, self.reason)
    }
}

/// The keys of a set that were left out for one reason.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SkippedKeys {
    /// Why.
    pub reason: SkipReason,
    /// Their places in `keys`, from 0.
    pub indices: Vec<usize>,
}

/// So many places are shown.
const MAX_SHOWN: usize = 8;

impl SkippedKeys {
    /// The keys, those of one reason together, in the order of the first of
    /// each.
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

/// Why a key is left out. It repeats nothing of the key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SkipReason {
    /// An element of `keys` that is no object.
    NotAnObject,
    /// A required member is not there.
    Missing {
        /// The member's name.
        member: &'static str,
    },
    /// A member is not of its JSON type.
    WrongType {
        /// The member's name.
        member: &'static str,
    },
    /// A member is not base64url in its only spelling: without padding, white
    /// space and stray bits (RFC 7515 section 2).
    NotBase64Url {
        /// The member's name.
        member: &'static str,
    },
    /// A `kty` other than `RSA`, `EC`, `OKP` and `oct`, in these spellings.
    UnknownKeyType,
    /// A `crv` that no supported algorithm uses.
    UnknownCurve,
    /// A `use` other than `sig`.
    NotForSignatures,
    /// A `key_ops` without `verify`.
    NotForVerifying,
    /// An `alg` that is not supported.
    UnknownAlgorithm,
    /// An `alg` of another type, curve or size of key.
    AlgorithmDoesNotFit,
    /// A shared key where none may be.
    Symmetric,
    /// Weak or impossible material.
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
