//! Which tokens are cached, and for how long.

use aws_lc_rs::hmac;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::*;
use crate::crypto::NoHostSignatures;
use crate::jwk::{KeyOrigin, KeySet};
use crate::jwt::UnverifiedJwt;
use crate::memory::{SERVING, pretend};

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
    let cache = TokenCache::with(2, 1, Pool::new(MAX_BYTES).share());
    let come = |cache: &TokenCache, number: usize| {
        let (text, jwt) = &tokens[number];
        cache.remember(text.clone(), ProviderId::new(0), Arc::clone(jwt));
    };
    let known = |cache: &TokenCache| -> Vec<usize> {
        let known = |number: &usize| cache.recall(&tokens[*number].0).is_some();
        (0..tokens.len()).filter(known).collect()
    };
    come(&cache, 0);
    come(&cache, 1);
    assert_eq!(known(&cache), [0, 1]);
    // Tokens that are seen once evict nothing.
    come(&cache, 2);
    come(&cache, 3);
    come(&cache, 4);
    assert_eq!(known(&cache), [0, 1]);
    // The oldest entry is evicted.
    come(&cache, 3);
    assert_eq!(known(&cache), [1, 3]);
    // A cached token is cached for a further provider at once.
    let (text, jwt) = &tokens[1];
    cache.remember(text.clone(), ProviderId::new(1), Arc::clone(jwt));
    assert_eq!(cache.recall(text).unwrap().len(), 2);
    // Dropped entries make room.
    cache.retain(1, |_, jwt| jwt.fingerprint() != tokens[0].1.fingerprint());
    come(&cache, 0);
    assert_eq!(known(&cache), [0]);
}

#[test]
fn listeners_share_the_memory_for_tokens_and_the_largest_releases_half() {
    let tokens: Vec<_> = (0..5).map(verified).collect();
    let come = |cache: &TokenCache, number: usize| {
        let (text, jwt) = &tokens[number];
        cache.remember(text.clone(), ProviderId::new(0), Arc::clone(jwt));
    };
    let known = |cache: &TokenCache| -> Vec<usize> {
        let known = |number: &usize| cache.recall(&tokens[*number].0).is_some();
        (0..tokens.len()).filter(known).collect()
    };
    let alone = TokenCache::with(1, 1, Pool::new(MAX_BYTES).share());
    come(&alone, 0);
    let pool = Pool::new(4 * alone.bytes());
    let large = TokenCache::with(10, 1, pool.share());
    let small = TokenCache::with(10, 1, pool.share());
    for number in 0..4 {
        come(&large, number);
    }
    large.release_half();
    assert_eq!(known(&large), [0, 1, 2, 3]);
    // The small cache has no memory to release.
    come(&small, 4);
    come(&small, 4);
    assert_eq!(small.bytes(), 0);
    large.release_half();
    assert_eq!(known(&large), [2, 3]);
    come(&small, 4);
    come(&small, 0);
    assert_eq!(known(&small), [0, 4]);
    // If both caches have the same size, neither releases memory.
    come(&small, 1);
    come(&small, 1);
    assert_eq!(known(&small), [0, 1]);
    large.release_half();
    assert_eq!(known(&large), [2, 3]);
    large.clear();
    assert_eq!(large.bytes(), 0);
    come(&large, 2);
    assert_eq!(known(&large), [2]);
}

#[test]
fn no_cached_token_uses_the_memory_that_requests_need() {
    let (text, jwt) = verified(1);
    let cache = TokenCache::with(10, 1, Pool::new(usize::MAX).share());
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
fn the_number_of_shards_depends_on_threads_and_tokens() {
    for (most, threads, shards) in [
        (20_000, 1, 1),
        (20_000, 2, 8),
        (20_000, 3, 8),
        (20_000, 4, 16),
        (1_000_000, 500, 64),
        (20_000, 500, 64),
        (1_000, 4, 2),
        (300, 4, 1),
        (0, 4, 1),
    ] {
        let cache = TokenCache::with(most, threads, Pool::new(MAX_BYTES).share());
        assert_eq!(
            cache.shards.len(),
            shards,
            "{most} tokens, {threads} threads"
        );
    }
}

#[test]
fn shards_share_one_bound() {
    let tokens: Vec<_> = (0..=255).map(verified).collect();
    let most = 2 * MIN_TOKENS_PER_SHARD;
    let cache = TokenCache::with(most, 4, Pool::new(MAX_BYTES).share());
    let come = |text: &[u8], number: u8| {
        let jwt = Arc::clone(&tokens[usize::from(number)].1);
        cache.remember(text.into(), ProviderId::new(0), jwt);
    };
    // These are the same tokens with other ends, twice as many as the cache may have.
    let texts: Vec<_> = (0..4_u8)
        .flat_map(|round| (0..=255).map(move |number| (round, number)))
        .map(|(round, number)| {
            let mut text = tokens[usize::from(number)].0.to_vec();
            text.extend([round, number, 0, 0]);
            (text, number)
        })
        .collect();
    for (text, number) in &texts {
        come(text, *number);
    }
    let known = || {
        texts
            .iter()
            .filter(|(text, _)| cache.recall(text).is_some())
    };
    assert_eq!(known().count(), most);
    for (text, number) in texts.iter().rev() {
        come(text, *number);
    }
    assert_eq!(known().count(), most);
    assert_eq!(cache.count.load(Relaxed), most);
    cache.retain(1, |_, _| false);
    assert_eq!((known().count(), cache.bytes()), (0, 0));
    assert_eq!(cache.count.load(Relaxed), 0);
}

#[test]
fn invalid_entries_are_dropped_once_for_each_snapshot() {
    let (text, jwt) = verified(1);
    let cache = TokenCache::with(10, 4, Pool::new(MAX_BYTES).share());
    cache.retain(3, |_, _| true);
    cache.remember(text.clone(), ProviderId::new(0), jwt);
    cache.retain(3, |_, _| false);
    cache.retain(2, |_, _| false);
    assert!(cache.recall(&text).is_some());
    cache.retain(4, |_, _| false);
    assert!(cache.recall(&text).is_none());
}

/// Threads add, find and drop tokens at the same time. Each finds only the token that it
/// asks for, and the numbers and sizes are correct in the end.
#[test]
fn threads_that_share_a_cache_find_only_the_right_tokens_and_release_all_memory() {
    let tokens: Vec<_> = (0..=63).map(verified).collect();
    let pool = Pool::new(MAX_BYTES);
    let cache = TokenCache::with(MIN_TOKENS_PER_SHARD * 2, 2, pool.share());
    // This cache is always full.
    let small = TokenCache::with(8, 2, pool.share());
    let recalled = AtomicUsize::new(0);
    std::thread::scope(|scope| {
        for thread in 0..4_usize {
            let (tokens, cache, small, recalled) = (&tokens, &cache, &small, &recalled);
            scope.spawn(move || {
                for round in 0..3_000_usize {
                    let number = (round * (thread + 3)) % tokens.len();
                    let (text, jwt) = &tokens[number];
                    for cache in [cache, small] {
                        cache.remember(text.clone(), ProviderId::new(thread % 2), Arc::clone(jwt));
                        if let Some(known) = cache.recall(text) {
                            assert!(Arc::ptr_eq(known.first(), jwt));
                            assert!(known.len() <= 2);
                            recalled.fetch_add(1, Relaxed);
                        }
                    }
                    match round % 500 {
                        100 => cache.retain(u64::try_from(round).unwrap(), |provider, _| {
                            provider == ProviderId::new(0)
                        }),
                        200 => small.clear(),
                        300 => small.release_half(),
                        _ => {}
                    }
                }
            });
        }
    });
    assert!(recalled.load(Relaxed) > 1_000);
    for cache in [cache, small] {
        assert!(cache.count.load(Relaxed) <= cache.most);
        cache.clear();
        assert_eq!((cache.bytes(), cache.count.load(Relaxed)), (0, 0));
    }
    assert!(pool.share().has_room(MAX_BYTES));
}
