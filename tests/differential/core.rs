//! The verdict of the core: a whole decision about a request.

use std::sync::Arc;

use edge_authz::authz::{
    Context, CurrentKeys, Keys, NoConnection, NoUsedProofs, Remembered, Verdict, Verifications,
    evaluate,
};
use edge_authz::config;
use edge_authz::crypto::NoHostSignatures;
use edge_authz::http::{HeaderMap, RequestHead};
use edge_authz::jwk::{AskedKid, KeyOrigin, KeySet};
use edge_authz::policy::SourceId;
use edge_authz::time::UnixTime;
use serde_json::json;

use crate::generate::{ALGORITHMS, AUDIENCE, Case, ISSUER, World};

/// One key set, fetched now. `None` if its document is refused.
struct Fetched(Option<KeySet>, UnixTime);

impl Keys for Fetched {
    fn keys(&self, _: SourceId) -> Option<CurrentKeys<'_>> {
        Some(CurrentKeys {
            set: self.0.as_ref()?,
            fetch_started_at: self.1,
            as_of: self.1,
        })
    }

    fn is_absent(&self, _: SourceId, _: &AskedKid<'_>) -> bool {
        false
    }
}

impl Remembered for Fetched {
    fn recall(&self, _: &[u8]) -> Option<Arc<Verifications>> {
        None
    }
}

pub(crate) fn judge(world: &World, cases: &[Case]) -> Vec<bool> {
    let document = json!({
        "providers": [{
            "name": "p",
            "issuer": ISSUER,
            "audiences": [AUDIENCE],
            "algorithms": ALGORITHMS,
            "jwks": {"cluster": "issuer", "uri": "https://issuer.example/keys"},
        }],
        "routes": [{"match": "$default"}],
    });
    let policy = config::compile(document.to_string().as_bytes()).unwrap();
    let now = UnixTime::from_secs(i64::try_from(world.now).unwrap());
    let sets: Vec<Fetched> = world
        .sets
        .iter()
        .map(|set| {
            let parsed = KeySet::parse(set.as_bytes(), KeyOrigin::Fetched);
            Fetched(parsed.ok().map(|parsed| parsed.set), now)
        })
        .collect();
    let accepts = |case: &Case| {
        let head = RequestHead::new(HeaderMap::from_pairs([
            (":method", "GET"),
            (":path", "/"),
            ("authorization", &format!("Bearer {}", case.token)),
        ]));
        let keys = &sets[case.set];
        let context = Context {
            keys,
            remembered: keys,
            host_signatures: &NoHostSignatures,
            connection: &NoConnection,
            proofs: &NoUsedProofs,
            arrived: now,
            now,
        };
        matches!(
            evaluate(&policy, &head, context).verdict,
            Verdict::Forward(_)
        )
    };
    cases.iter().map(accepts).collect()
}
