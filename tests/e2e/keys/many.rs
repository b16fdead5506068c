//! An Envoy with many issuers.

use std::thread;

use serde_json::{Value, json};

use super::{WORKERS, merge};
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::issuer::Issuer;
use crate::support::tokens::{TokenMaker, claims};
use crate::world::AUDIENCE;

/// One issuer, one cluster and one provider for each name. All issuers publish a key with
/// the same `kid`.
pub(super) struct Many {
    pub(super) issuers: Vec<(Issuer, TokenMaker)>,
    pub(super) envoy: Envoy,
    _upstream: Echo,
}

impl Many {
    pub(super) fn start(
        names: &[&str],
        jwks: &Value,
        before: impl Fn(usize, &Issuer, &TokenMaker),
    ) -> Self {
        let upstream = Echo::start();
        let mut builder = Builder::new(upstream.address()).concurrency(WORKERS);
        let (mut issuers, mut providers) = (Vec::new(), Vec::new());
        for (number, name) in names.iter().enumerate() {
            let key = TokenMaker::generate("ES256", "key-1");
            let issuer = Issuer::named(&format!("https://{name}.example.com"));
            issuer.publish(&[&key]);
            before(number, &issuer, &key);
            builder = builder.cluster(name, issuer.address());
            let mut source = json!({"cluster": name, "uri": issuer.jwks_uri()});
            merge(&mut source, jwks);
            providers.push(json!({
                "name": name, "issuer": issuer.name(), "audiences": [AUDIENCE], "jwks": source,
            }));
            issuers.push((issuer, key));
        }
        let configuration = json!({
            "providers": providers,
            "routes": [{"match": "ANY /private/{proxy+}"}],
        });
        Self {
            issuers,
            envoy: builder.edge_authz(configuration).start(),
            _upstream: upstream,
        }
    }

    pub(super) fn token(&self, number: usize) -> String {
        let (issuer, key) = &self.issuers[number];
        key.token(&claims(issuer.name(), AUDIENCE))
    }
}

/// Runs a function for all names at the same time.
pub(super) fn for_all(names: &[&str], what: impl Fn(usize, &str) + Sync) {
    thread::scope(|scope| {
        for (number, name) in names.iter().enumerate() {
            let what = &what;
            scope.spawn(move || what(number, name));
        }
    });
}
