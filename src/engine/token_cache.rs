//! The cache of verified tokens.

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::Arc;

use super::doorkeeper::Doorkeeper;
use crate::authz::Remembered;
use crate::jwt::{KnownHeaders, VerifiedJwt};
use crate::memory::{Pool, Share};
use crate::policy::ProviderId;

/// The limit for the cached tokens of one listener, in bytes.
const MAX_BYTES: usize = 32 * 1024 * 1024;
/// The limit for all listeners of a worker together, in bytes.
const MAX_BYTES_OF_ALL: usize = 2 * MAX_BYTES;
/// The size of a cache entry without the token, in bytes: map and queue.
const ENTRY_BYTES: usize = 160;

thread_local! {
    static POOL: Arc<Pool> = Pool::new(MAX_BYTES_OF_ALL);
}

/// The end of a token's text, which is the end of its signature.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
struct End(u128);

/// Verified tokens, by the end of their text. Each entry has the whole token and the
/// providers for which it was verified. The cache stores only that a key has signed the
/// token. Whether the key is still valid, the time, and every rule are checked on each
/// request. Refusals are never cached.
///
/// A cached token is used only if its whole text equals the token of the request, byte
/// for byte. An attacker who makes another token with the same end gains nothing. This is
/// safer than a cryptographic digest of the token, and three times as fast. The map is a
/// tree, so an attacker cannot provoke collisions by choosing ends.
///
/// While the cache is full, a token is cached when it is seen for the second time. So
/// tokens that are used once do not evict tokens that are in use, and need no memory that
/// would have to be released.
///
/// The listeners of a worker share the memory of their caches. If it is used up, the
/// largest cache releases half of its memory to a smaller one.
#[derive(Debug)]
pub(super) struct TokenCache {
    most: usize,
    share: Share,
    known: BTreeMap<End, Entry>,
    /// The keys of `known`, oldest first.
    order: VecDeque<End>,
    doorkeeper: Doorkeeper,
    headers: KnownHeaders,
}

struct Entry {
    text: Box<[u8]>,
    verified: Vec<(ProviderId, Arc<VerifiedJwt>)>,
    bytes: usize,
}

impl TokenCache {
    pub(super) fn new(most: usize) -> Self {
        Self::with(most, POOL.with(Pool::share))
    }

    fn with(most: usize, share: Share) -> Self {
        Self {
            most,
            share,
            known: BTreeMap::new(),
            order: VecDeque::new(),
            doorkeeper: Doorkeeper::default(),
            headers: KnownHeaders::default(),
        }
    }

    /// Caches a token. It replaces another token with the same end.
    pub(super) fn remember(
        &mut self,
        text: Box<[u8]>,
        provider: ProviderId,
        jwt: Arc<VerifiedJwt>,
    ) {
        self.headers.remember(jwt.header());
        let Some(end) = end(&text) else { return };
        // The size is the same for each provider, because the text is the same.
        let size = jwt.memory_bytes();
        let least = size.saturating_add(text.len()).saturating_add(ENTRY_BYTES);
        if self.most == 0 || least > MAX_BYTES {
            return;
        }
        let may_have =
            self.known.len() < self.most && self.share.bytes().saturating_add(least) <= MAX_BYTES;
        let is_there = self.share.has_room(least);
        let has_room = may_have && is_there || self.known.contains_key(&end);
        if !has_room && !self.doorkeeper.is_seen_before(end.0) {
            return;
        }
        let former = self.known.remove(&end);
        match &former {
            Some(entry) => self.share.give_back(entry.bytes),
            None => self.order.push_back(end),
        }
        let mut verified = former
            .filter(|entry| same(&entry.text, &text))
            .map(|entry| entry.verified)
            .unwrap_or_default();
        verified.retain(|(known, _)| *known != provider);
        verified.push((provider, jwt));
        let bytes = verified
            .len()
            .saturating_mul(size)
            .saturating_add(text.len())
            .saturating_add(ENTRY_BYTES);
        let entry = Entry {
            text,
            verified,
            bytes,
        };
        self.share.take(bytes);
        self.known.insert(end, entry);
        let most_bytes = if is_there {
            MAX_BYTES
        } else {
            // Other listeners use the shared memory, or the module has no more.
            self.share.bytes().saturating_sub(bytes)
        };
        self.make_room(most_bytes);
    }

    /// Drops the entries that are no longer valid: the token has expired, or its key is
    /// gone.
    pub(super) fn retain(&mut self, counts: impl Fn(ProviderId, &VerifiedJwt) -> bool) {
        self.known.retain(|_, entry| {
            entry
                .verified
                .retain(|(provider, jwt)| counts(*provider, jwt));
            let kept = !entry.verified.is_empty();
            if !kept {
                self.share.give_back(entry.bytes);
            }
            kept
        });
        self.order.retain(|end| self.known.contains_key(end));
    }

    /// The size of the cached tokens, in bytes.
    pub(super) fn bytes(&self) -> usize {
        self.share.bytes()
    }

    /// Releases half of the memory, if a smaller cache has requested it.
    pub(super) fn release_half(&mut self) {
        if self.share.is_release_requested() {
            self.make_room(self.share.bytes() / 2);
        }
    }

    /// Releases all memory. Later tokens are cached again.
    pub(super) fn clear(&mut self) {
        self.known = BTreeMap::new();
        self.order = VecDeque::new();
        self.doorkeeper = Doorkeeper::default();
        self.share.give_back(self.share.bytes());
    }

    /// Evicts the oldest entries.
    fn make_room(&mut self, most_bytes: usize) {
        while self.known.len() > self.most || self.share.bytes() > most_bytes {
            let Some(oldest) = self.order.pop_front() else {
                return;
            };
            if let Some(entry) = self.known.remove(&oldest) {
                self.share.give_back(entry.bytes);
            }
        }
    }
}

impl Remembered for TokenCache {
    fn recall(&self, token: &[u8]) -> Option<&[(ProviderId, Arc<VerifiedJwt>)]> {
        let entry = self.known.get(&end(token)?)?;
        same(&entry.text, token).then_some(&*entry.verified)
    }

    fn headers(&self) -> Option<&KnownHeaders> {
        Some(&self.headers)
    }
}

impl fmt::Debug for End {
    /// `Debug` omits the token because it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("End")
    }
}

impl fmt::Debug for Entry {
    /// `Debug` omits the token because it is a credential.
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(out, "Entry({} bytes)", self.bytes)
    }
}

/// The end of a token. `None` means that the text is too short for a token.
fn end(token: &[u8]) -> Option<End> {
    let end = token.last_chunk().copied()?;
    Some(End(u128::from_le_bytes(end)))
}

/// Whether two texts are equal. It compares words, because the module's `memcmp` compares
/// single bytes. It always compares all words, so the time does not reveal where the
/// texts differ.
fn same(a: &[u8], b: &[u8]) -> bool {
    let (a_words, a_rest) = a.as_chunks();
    let (b_words, b_rest) = b.as_chunks();
    let differ = |a: &[u8; 16], b: &[u8; 16]| u128::from_le_bytes(*a) ^ u128::from_le_bytes(*b);
    let words = a_words.iter().zip(b_words);
    let differences = words.fold(0, |all, (a, b)| all | differ(a, b));
    a.len() == b.len() && differences == 0 && a_rest == b_rest
}

#[cfg(test)]
mod tests {
    use aws_lc_rs::hmac;
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::crypto::NoHostSignatures;
    use crate::jwk::{KeyOrigin, KeySet};
    use crate::jwt::UnverifiedJwt;
    use crate::memory::{SERVING, pretend};

    #[test]
    fn texts_are_the_same_only_byte_for_byte() {
        for length in 0..40 {
            let text: Vec<u8> = (0..length).collect();
            assert!(same(&text, &text.clone()));
            assert!(!same(&text, &[&text[..], b"x"].concat()));
            for at in 0..text.len() {
                let mut other = text.clone();
                other[at] ^= 0x80;
                assert!(!same(&text, &other), "{length} bytes, byte {at}");
            }
        }
    }

    fn verified(number: u8) -> (Box<[u8]>, Arc<VerifiedJwt>) {
        let secret = [b's'; 32];
        let header = r#"{"alg":"HS256"}"#;
        let claims = format!(r#"{{"iss":"i","exp":4102444800,"n":{number}}}"#);
        let signed = format!(
            "{}.{}",
            URL_SAFE_NO_PAD.encode(header),
            URL_SAFE_NO_PAD.encode(claims)
        );
        let key = hmac::Key::new(hmac::HMAC_SHA256, &secret);
        let signature = hmac::sign(&key, signed.as_bytes());
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()));
        let secret = URL_SAFE_NO_PAD.encode(secret);
        let keys = format!(r#"{{"keys":[{{"kty":"oct","k":"{secret}","alg":"HS256"}}]}}"#);
        let keys = KeySet::parse(keys.as_bytes(), KeyOrigin::Inline)
            .unwrap()
            .set;
        let jwt = UnverifiedJwt::parse(token.as_bytes()).unwrap();
        let jwt = jwt.verify(keys.iter().next().unwrap(), &NoHostSignatures);
        (token.into_bytes().into(), Arc::new(jwt.unwrap()))
    }

    #[test]
    fn a_full_cache_stores_a_token_that_is_seen_for_the_second_time() {
        let tokens: Vec<_> = (0..5).map(verified).collect();
        let mut cache = TokenCache::new(2);
        let come = |cache: &mut TokenCache, number: usize| {
            let (text, jwt) = &tokens[number];
            cache.remember(text.clone(), ProviderId::new(0), Arc::clone(jwt));
        };
        let known = |cache: &TokenCache| -> Vec<usize> {
            let known = |number: &usize| cache.recall(&tokens[*number].0).is_some();
            (0..tokens.len()).filter(known).collect()
        };
        come(&mut cache, 0);
        come(&mut cache, 1);
        assert_eq!(known(&cache), [0, 1]);
        // Tokens that are seen once evict nothing.
        come(&mut cache, 2);
        come(&mut cache, 3);
        come(&mut cache, 4);
        assert_eq!(known(&cache), [0, 1]);
        // The oldest entry is evicted.
        come(&mut cache, 3);
        assert_eq!(known(&cache), [1, 3]);
        // A cached token is cached for a further provider at once.
        let (text, jwt) = &tokens[1];
        cache.remember(text.clone(), ProviderId::new(1), Arc::clone(jwt));
        assert_eq!(cache.recall(text).unwrap().len(), 2);
        // Dropped entries make room.
        cache.retain(|_, jwt| jwt.fingerprint() != tokens[0].1.fingerprint());
        come(&mut cache, 0);
        assert_eq!(known(&cache), [0]);
    }

    #[test]
    fn listeners_share_the_memory_for_tokens_and_the_largest_releases_half() {
        let tokens: Vec<_> = (0..5).map(verified).collect();
        let come = |cache: &mut TokenCache, number: usize| {
            let (text, jwt) = &tokens[number];
            cache.remember(text.clone(), ProviderId::new(0), Arc::clone(jwt));
        };
        let known = |cache: &TokenCache| -> Vec<usize> {
            let known = |number: &usize| cache.recall(&tokens[*number].0).is_some();
            (0..tokens.len()).filter(known).collect()
        };
        let mut alone = TokenCache::new(1);
        come(&mut alone, 0);
        let pool = Pool::new(4 * alone.bytes());
        let mut large = TokenCache::with(10, pool.share());
        let mut small = TokenCache::with(10, pool.share());
        for number in 0..4 {
            come(&mut large, number);
        }
        large.release_half();
        assert_eq!(known(&large), [0, 1, 2, 3]);
        // The small cache has no memory to release.
        come(&mut small, 4);
        come(&mut small, 4);
        assert_eq!(small.bytes(), 0);
        large.release_half();
        assert_eq!(known(&large), [2, 3]);
        come(&mut small, 4);
        come(&mut small, 0);
        assert_eq!(known(&small), [0, 4]);
        // If both caches have the same size, neither releases memory.
        come(&mut small, 1);
        come(&mut small, 1);
        assert_eq!(known(&small), [0, 1]);
        large.release_half();
        assert_eq!(known(&large), [2, 3]);
        large.clear();
        assert_eq!(large.bytes(), 0);
        come(&mut large, 2);
        assert_eq!(known(&large), [2]);
    }

    #[test]
    fn no_cached_token_uses_the_memory_that_requests_need() {
        let (text, jwt) = verified(1);
        let mut cache = TokenCache::with(10, Pool::new(usize::MAX).share());
        pretend::set_room(Some(SERVING));
        for _ in 0..3 {
            cache.remember(text.clone(), ProviderId::new(0), Arc::clone(&jwt));
            assert_eq!(cache.bytes(), 0);
        }
        pretend::set_room(None);
        cache.remember(text.clone(), ProviderId::new(0), jwt);
        assert!(cache.recall(&text).is_some());
    }

    #[test]
    fn debug_output_contains_nothing_of_a_token() {
        let text = b"0123456789abcdef";
        assert_eq!(format!("{:?}", end(text).unwrap()), "End");
    }

    #[test]
    fn a_text_too_short_for_a_token_has_no_end() {
        assert_eq!(end(&[1; 15]), None);
        assert_eq!(end(&[1; 16]), end(&[1; 400]));
    }
}
