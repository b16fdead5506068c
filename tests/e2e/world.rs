//! The usual environment of a test: one issuer with one key, the upstream, and an Envoy
//! with edge-authz between them and the test.

use serde_json::{Value, json};

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::issuer::Issuer;
use crate::support::tokens::{TokenMaker, claims_with};

/// The audience that the usual configuration requires.
pub(crate) const AUDIENCE: &str = "api";

/// Issuer, upstream and Envoy.
pub(crate) struct World {
    pub(crate) key: TokenMaker,
    pub(crate) issuer: Issuer,
    pub(crate) upstream: Echo,
    pub(crate) envoy: Envoy,
}

impl World {
    /// With [`configuration`] and one worker.
    pub(crate) fn start() -> Self {
        Self::with(configuration, |builder| builder)
    }

    /// With a custom configuration and a custom Envoy.
    pub(crate) fn with(
        configuration: impl FnOnce(&Issuer) -> Value,
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        Self::with_plugin(configuration, |plugin| plugin, build)
    }

    /// With a custom plugin too.
    pub(crate) fn with_plugin(
        configuration: impl FnOnce(&Issuer) -> Value,
        plugin: impl FnOnce(EdgeAuthz) -> EdgeAuthz,
        build: impl FnOnce(Builder) -> Builder,
    ) -> Self {
        let key = TokenMaker::generate("RS256", "key-1");
        let issuer = Issuer::with_keys(&[&key]);
        let upstream = Echo::start();
        let builder = Builder::new(upstream.address())
            .cluster("issuer", issuer.address())
            .listener(Listener::new(
                "main",
                plugin(EdgeAuthz::new(configuration(&issuer))),
            ));
        let envoy = build(builder).start();
        Self {
            key,
            issuer,
            upstream,
            envoy,
        }
    }

    /// A valid token with these claims in addition or instead.
    pub(crate) fn token(&self, more: Value) -> String {
        self.key
            .token(&claims_with(self.issuer.name(), AUDIENCE, more))
    }
}

/// Routes of every kind behind one provider.
pub(crate) fn configuration(issuer: &Issuer) -> Value {
    json!({
        "providers": [{
            "name": "main",
            "issuer": issuer.name(),
            "audiences": [AUDIENCE],
            "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
        }],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [
            {"match": "ANY /public/{proxy+}", "access": "public"},
            {"match": "ANY /private/{proxy+}"},
            {"match": ["GET /pets", "GET /pets/{id}"], "scopes": ["pets:read"]},
            {"match": "DELETE /pets/{id}", "scopes": ["pets:write"]},
            {"match": "ANY /closed", "access": "denied"},
        ],
        "cors": {
            "allow_origins": ["https://app.example.com"],
            "allow_headers": ["Authorization", "Content-Type"],
            "max_age": "2h",
        },
        "telemetry": {"filter_state": ["subject", "issuer", "provider"]},
    })
}
