//! The keys of one issuer at one time.

use std::sync::{Arc, Mutex};

use super::size;
use super::{Jwk, KeyOrigin, KeySetError, MAX_CANDIDATES, MAX_KEY_SET_BYTES, MAX_KEYS, SkippedKey};
use crate::crypto::{Algorithm, Fingerprint, Preparation, Tables};
use crate::json;
use crate::memory::Budget;

/// The set, its keys, a key, a member of it, and some room for members that
/// are not read.
const MAX_DEPTH: usize = 32;

/// So many keys of a set are made fast, in the document's order: what an issuer
/// publishes must not cost more than about 10 ms and 1.2 MiB for the small
/// ones, and 160 ms and 1.3 MiB for the large. While a rotation replaces all of
/// them the former ones are there too, and a module never gives memory back. All
/// sets of a module share one bound besides, which is the keys' own matter.
const MAX_SMALL: usize = 8;
const MAX_LARGE: usize = 2;

/// Usable keys, at least one. Only [`KeySet::parse`] makes one. Copies share
/// the keys, in whatever thread.
#[derive(Debug)]
pub struct KeySet {
    contents: Arc<Contents>,
    /// What makes checks fast; copies that keep none have them as well. No check
    /// looks here: a key finds its own tables.
    tables: Mutex<Vec<Tables>>,
}

/// What a document holds.
#[derive(Debug)]
pub(super) struct Contents {
    keys: Vec<Jwk>,
    pub(super) skipped: Vec<SkippedKey>,
    /// The most memory that it takes.
    pub(super) bytes: usize,
}

/// A document's usable keys and what became of the others.
#[derive(Debug, Clone)]
pub struct ParsedKeySet {
    /// The usable keys.
    pub set: KeySet,
    /// The others, in the document's order.
    pub skipped: Vec<SkippedKey>,
}

/// The keys that a token may have been signed with.
#[derive(Debug)]
pub enum Lookup<'a> {
    /// These, to be tried in order.
    Candidates {
        /// One to [`MAX_CANDIDATES`] of them.
        keys: Vec<&'a Jwk>,
        /// False if no key has the token's `kid`, and these have none. When
        /// they do not verify, the key may still be one that the issuer has
        /// published since.
        kid_known: bool,
    },
    /// No key has this `kid`: a newer set may have it.
    UnknownKid,
    /// There is no key for this algorithm under this `kid`, or, without a
    /// `kid`, not exactly one. A newer set would not help.
    NoFittingKey,
}

impl KeySet {
    /// Reads a JWK Set (RFC 7517 section 5).
    ///
    /// # Errors
    ///
    /// The document is larger than [`MAX_KEY_SET_BYTES`], not strictly JSON
    /// (duplicate members anywhere, deeper than 32), not an object with an
    /// array `keys`, has more than [`MAX_KEYS`] keys, or none that is usable.
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

    /// Shares the keys of the `former` set that are in this one, too, unless
    /// another listener has this one already.
    pub fn adopt(&mut self, former: &Self) {
        let Some(contents) = Arc::get_mut(&mut self.contents) else {
            return;
        };
        for key in &mut contents.keys {
            former.iter().any(|known| key.adopt(known));
        }
    }

    /// Makes checks with the first keys fast that have a way to: [`MAX_SMALL`]
    /// of those that take little, [`MAX_LARGE`] of the others. Only whoever
    /// publishes the keys can make this run, and no token can.
    ///
    /// Keys that are [shared](Self::adopt) with a set that has done it are fast
    /// already: whoever makes the proxy fetch the same keys again, as a made-up
    /// `kid` does, costs it nothing here, unless there are more of them than are
    /// made fast, in another order each time.
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

    /// Gives up what makes checks fast. Where another set keeps it, this one has
    /// it as well.
    pub fn drop_tables(&self) {
        self.keep(Vec::new());
    }

    fn keep(&self, kept: Vec<Tables>) {
        if let Ok(mut tables) = self.tables.lock() {
            *tables = kept;
        }
    }

    /// The keys for a token of this `kid` and `algorithm`.
    ///
    /// A `kid` that some key has chooses among those that have it, however few
    /// fit: never among others. RFC 7517 section 4.5 lets several share one.
    #[must_use]
    pub fn lookup(&self, kid: Option<&str>, algorithm: Algorithm) -> Lookup<'_> {
        let Some(kid) = kid else {
            let keys = self.serving(algorithm, |_| true);
            return if keys.len() == 1 {
                Lookup::candidates(keys, true, Lookup::NoFittingKey)
            } else {
                Lookup::NoFittingKey
            };
        };
        if self.iter().any(|key| key.kid() == Some(kid)) {
            let keys = self.serving(algorithm, |key| key.kid() == Some(kid));
            return Lookup::candidates(keys, true, Lookup::NoFittingKey);
        }
        let nameless = self.serving(algorithm, |key| key.kid().is_none());
        Lookup::candidates(nameless, false, Lookup::UnknownKid)
    }

    fn serving(&self, algorithm: Algorithm, among: impl Fn(&Jwk) -> bool) -> Vec<&Jwk> {
        self.iter()
            .filter(|key| among(key) && key.serves(algorithm))
            .collect()
    }

    /// Whether a token of this `kid` and `algorithm` that verified with the
    /// key of this fingerprint would be tried with the same key today. False
    /// once the key is gone or its `kid` names another.
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

    /// Whether the material of this fingerprint is in the set.
    #[must_use]
    pub fn contains(&self, fingerprint: &Fingerprint) -> bool {
        self.iter()
            .any(|key| key.key().fingerprint() == fingerprint)
    }

    /// The keys, in the document's order.
    pub fn iter(&self) -> impl Iterator<Item = &Jwk> {
        self.contents.keys.iter()
    }

    /// The most memory that the set takes, in bytes, without what makes checks fast.
    #[must_use]
    pub fn memory_bytes(&self) -> usize {
        self.contents.bytes
    }

    /// How many keys there are: at least one.
    #[must_use]
    #[expect(clippy::len_without_is_empty, reason = "a set is never empty")]
    pub fn len(&self) -> usize {
        self.contents.keys.len()
    }
}

impl Clone for KeySet {
    /// The copy keeps the tables, too.
    fn clone(&self) -> Self {
        let kept = self.tables.lock().map(|tables| tables.clone());
        Self {
            contents: Arc::clone(&self.contents),
            tables: Mutex::new(kept.unwrap_or_default()),
        }
    }
}

impl<'a> Lookup<'a> {
    /// `keys`, or `otherwise` if there are none or too many to try.
    fn candidates(keys: Vec<&'a Jwk>, kid_known: bool, otherwise: Self) -> Self {
        if (1..=MAX_CANDIDATES).contains(&keys.len()) {
            Self::Candidates { keys, kid_known }
        } else {
            otherwise
        }
    }
}
