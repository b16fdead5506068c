//! The keys of one issuer.

use std::iter::Take;
use std::ops::Deref;
use std::sync::{Arc, Mutex};

use super::size;
use super::{
    AskedKid, Jwk, KeyOrigin, KeySetError, KidDigest, MAX_CANDIDATES, MAX_KEY_SET_BYTES, MAX_KEYS,
    SkippedKey,
};
use crate::crypto::{Algorithm, Fingerprint, Preparation, Tables};
use crate::json;
use crate::memory::Budget;

/// The maximum nesting depth: the set, its keys, a key, its members, and some depth for
/// members that are ignored.
const MAX_DEPTH: usize = 32;

/// The number of keys with small tables for which tables are built, in the order of the
/// document. It limits the cost that an issuer can cause: about 10 ms and 1.2 MiB for
/// keys with small tables, and 160 ms and 1.3 MiB for keys with large ones. During a
/// rotation of all keys the tables of the former keys exist too, and a module never
/// returns memory to its host. In addition, all sets of a module share one budget, which
/// the keys enforce.
const MAX_SMALL: usize = 8;
const MAX_LARGE: usize = 2;

/// Usable keys, at least one. Only [`KeySet::parse`] makes one. Copies share the keys,
/// also across threads.
#[derive(Debug)]
pub struct KeySet {
    contents: Arc<Contents>,
    /// The holders of the tables. All copies share them. Verification does not use this
    /// list, because each key refers to its own tables.
    tables: Mutex<Vec<Tables>>,
}

/// The content of a document.
#[derive(Debug)]
pub(super) struct Contents {
    keys: Vec<Jwk>,
    pub(super) skipped: Vec<SkippedKey>,
    /// The maximum memory of the keys, in bytes.
    pub(super) bytes: usize,
}

/// The usable keys of a document, and the reasons why the others are not used.
#[derive(Debug, Clone)]
pub struct ParsedKeySet {
    /// The usable keys.
    pub set: KeySet,
    /// The unusable keys, in the order of the document.
    pub skipped: Vec<SkippedKey>,
}

/// The keys that may have signed a token.
#[derive(Debug)]
pub enum Lookup<'a> {
    /// Try these keys in order.
    Candidates {
        /// The keys to try, at least one.
        keys: FewKeys<'a>,
        /// False if no key has the token's `kid` and these keys have none. If none of
        /// them verifies the token, the issuer may have published the key since.
        kid_known: bool,
    },
    /// No key has this `kid`. A newer set may have it.
    UnknownKid,
    /// No key with this `kid` fits the algorithm, or, without a `kid`, not exactly one
    /// key fits. A newer set would not help.
    NoFittingKey,
}

/// One to [`MAX_CANDIDATES`] keys, in the document's order. They need no
/// allocation, because every request looks keys up.
#[derive(Debug)]
pub struct FewKeys<'a> {
    /// Unused elements repeat the first key.
    keys: [&'a Jwk; MAX_CANDIDATES],
    count: usize,
}

impl KeySet {
    /// Parses a JWK Set (RFC 7517 section 5).
    ///
    /// # Errors
    ///
    /// The document is larger than [`MAX_KEY_SET_BYTES`], is not strict JSON (no
    /// duplicate members, at most 32 levels), is not an object with an array `keys`, has
    /// more than [`MAX_KEYS`] keys, or has no usable key.
    pub fn parse(document: &[u8], source: KeyOrigin) -> Result<ParsedKeySet, KeySetError> {
        if document.len() > MAX_KEY_SET_BYTES {
            return Err(KeySetError::TooLarge);
        }
        let members = json::object(document, MAX_DEPTH).map_err(KeySetError::Json)?;
        let values = members
            .get("keys")
            .and_then(json::Value::elements)
            .ok_or(KeySetError::NotAKeySet)?;
        if values.len() > MAX_KEYS {
            let count = values.len();
            return Err(KeySetError::TooManyKeys { count });
        }
        let mut keys = Vec::new();
        let mut skipped = Vec::new();
        let mut bytes = size::kept_by(values.len());
        for (index, value) in values.into_iter().enumerate() {
            let length = value.text().len();
            match Jwk::read(value, source) {
                Ok(key) => {
                    bytes = bytes.saturating_add(size::kept_of(length));
                    keys.push(key);
                }
                Err(reason) => skipped.push(SkippedKey { index, reason }),
            }
        }
        if keys.is_empty() {
            return Err(KeySetError::NoUsableKey { skipped });
        }
        keys.shrink_to_fit();
        let contents = Contents {
            bytes,
            keys,
            skipped: skipped.clone(),
        };
        Ok(ParsedKeySet {
            set: Self::of(Arc::new(contents)),
            skipped,
        })
    }

    pub(super) fn of(contents: Arc<Contents>) -> Self {
        Self {
            contents,
            tables: Mutex::default(),
        }
    }

    pub(super) fn contents(&self) -> &Arc<Contents> {
        &self.contents
    }

    /// Shares the keys that are also in the `former` set, unless another listener already
    /// uses this set.
    pub fn adopt(&mut self, former: &Self) {
        let Some(contents) = Arc::get_mut(&mut self.contents) else {
            return;
        };
        for key in &mut contents.keys {
            former.iter().any(|known| key.adopt(known));
        }
    }

    /// Builds tables for the first keys of each kind that has them: [`MAX_SMALL`] keys
    /// with small tables, [`MAX_LARGE`] keys with large ones. Only the publisher of the
    /// keys can cause this; a token cannot.
    ///
    /// Keys that are [shared](Self::adopt) with a set that already has tables have them
    /// too. So a client that causes another fetch of the same keys, for example with a
    /// made-up `kid`, causes no work here. The exception is a set with more keys than
    /// tables, in a different order each time.
    pub fn prepare(&self, budget: &'static Budget) {
        let (mut small, mut large) = (MAX_SMALL, MAX_LARGE);
        let mut kept = Vec::new();
        for key in self.iter() {
            let left = match key.preparation() {
                Some(Preparation::Small) => &mut small,
                Some(Preparation::Large) => &mut large,
                None => continue,
            };
            if *left == 0 {
                continue;
            }
            if let Some(tables) = key.prepare(budget) {
                kept.push(tables);
                *left = left.saturating_sub(1);
            }
        }
        self.keep(kept);
    }

    /// Drops the tables. If another set keeps them, this set still uses them.
    pub fn drop_tables(&self) {
        self.keep(Vec::new());
    }

    fn keep(&self, kept: Vec<Tables>) {
        if let Ok(mut tables) = self.tables.lock() {
            *tables = kept;
        }
    }

    /// Selects the keys for a token with this `kid` and `algorithm`.
    ///
    /// If any key has the `kid`, only keys with this `kid` are candidates, even if none
    /// of them fits. RFC 7517 section 4.5 allows several keys with the same `kid`.
    #[must_use]
    pub fn lookup(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup<'_> {
        let Some(kid) = kid else {
            let keys = self.serving(algorithm, |_| true);
            let only = keys.filter(|keys| keys.len() == 1);
            return Lookup::candidates(only, true, Lookup::NoFittingKey);
        };
        if self.iter().any(|key| key.kid() == Some(kid)) {
            let keys = self.serving(algorithm, |key| key.kid() == Some(kid));
            return Lookup::candidates(keys, true, Lookup::NoFittingKey);
        }
        let nameless = self.serving(algorithm, |key| key.kid().is_none());
        Lookup::candidates(nameless, false, Lookup::UnknownKid)
    }

    /// The keys for an algorithm; `None` if there are none or too many to try.
    fn serving(&self, algorithm: Algorithm, among: impl Fn(&Jwk) -> bool) -> Option<FewKeys<'_>> {
        FewKeys::of(
            self.iter()
                .filter(|key| among(key) && key.serves(algorithm)),
        )
    }

    /// Whether no key can verify a token with this `kid`: none has it, and none has no
    /// `kid`.
    #[must_use]
    pub fn has_no_key_for(&self, kid: &KidDigest) -> bool {
        self.iter().all(|key| {
            let differs = |known| AskedKid::new(known).digest() != kid;
            key.kid().is_some_and(differs)
        })
    }

    /// Whether a token with this `kid` and `algorithm` that was verified with the key of
    /// this fingerprint would be tried with the same key now. False if the key is gone or
    /// its `kid` names another key.
    #[must_use]
    pub fn still_offers(
        &self,
        kid: Option<&str>,
        algorithm: Algorithm,
        fingerprint: &Fingerprint,
    ) -> bool {
        match self.lookup(kid, algorithm) {
            Lookup::Candidates { keys, .. } => keys
                .iter()
                .any(|key| key.key().fingerprint() == fingerprint),
            Lookup::UnknownKid | Lookup::NoFittingKey => false,
        }
    }

    /// Whether the set contains the key with this fingerprint.
    #[must_use]
    pub fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.iter()
            .any(|key| key.key().fingerprint() == fingerprint)
    }

    /// The keys, in the order of the document.
    pub fn iter(&self) -> impl Iterator<Item = &Jwk> {
        self.contents.keys.iter()
    }

    /// The maximum memory of the set without tables, in bytes.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.contents.bytes
    }

    /// The number of keys, at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.contents.keys.len()
    }
}

impl Clone for KeySet {
    /// The copy also keeps the tables alive.
    fn clone(&self) -> Self {
        let kept = self.tables.lock().map(|tables| tables.clone());
        Self {
            contents: Arc::clone(&self.contents),
            tables: Mutex::new(kept.unwrap_or_default()),
        }
    }
}

impl<'a> Lookup<'a> {
    /// `keys`, or `otherwise` if there are none.
    fn candidates(keys: Option<FewKeys<'a>>, kid_known: bool, otherwise: Self) -> Self {
        match keys {
            Some(keys) => Self::Candidates { keys, kid_known },
            None => otherwise,
        }
    }
}

impl<'a> FewKeys<'a> {
    fn of(mut keys: impl Iterator<Item = &'a Jwk>) -> Option<Self> {
        let first = keys.next()?;
        let mut few = Self {
            keys: [first; MAX_CANDIDATES],
            count: 1,
        };
        for key in keys {
            *few.keys.get_mut(few.count)? = key;
            few.count = few.count.checked_add(1)?;
        }
        Some(few)
    }
}

impl<'a> Deref for FewKeys<'a> {
    type Target = [&'a Jwk];

    fn deref(&self) -> &[&'a Jwk] {
        self.keys.get(..self.count).unwrap_or_default()
    }
}

impl<'a> IntoIterator for FewKeys<'a> {
    type Item = &'a Jwk;
    type IntoIter = Take<std::array::IntoIter<&'a Jwk, MAX_CANDIDATES>>;

    fn into_iter(self) -> Self::IntoIter {
        self.keys.into_iter().take(self.count)
    }
}
