//! One Envoy for all worlds: each world has a listener and, if keys are fetched, issuers
//! of its own.

use edge_authz_cli::cases::World;
use serde_json::{Value, json};

use crate::support::answers;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::example::{Example, folder};
use crate::support::server::Server;
use crate::support::tools;

/// The environment in which the worlds are played.
pub(crate) struct Stage {
    pub(crate) envoy: Envoy,
    pub(crate) upstream: Echo,
    /// Kept running.
    _issuers: Vec<Server>,
}

impl Stage {
    /// Starts the environment for these named worlds.
    pub(crate) fn set(worlds: &[(String, &World)]) -> Self {
        Self::with(worlds, |plugin| plugin)
    }

    /// The same, where Envoy describes requests to the server without the exact bytes of their
    /// header fields.
    pub(crate) fn with_joined_fields(worlds: &[(String, &World)]) -> Self {
        Self::with(worlds, EdgeAuthz::joined_fields)
    }

    fn with(worlds: &[(String, &World)], change: impl Fn(EdgeAuthz) -> EdgeAuthz) -> Self {
        let upstream = Echo::start();
        let mut builder = Builder::new(upstream.address()).log_level("warning");
        let mut issuers = Vec::new();
        for (name, world) in worlds {
            let (mut config, clusters) = with_own_clusters(world.config(), name);
            log_reasons(&mut config);
            let plugin = change(EdgeAuthz::new(config));
            builder = builder.listener(Listener::new(name, plugin.clone()));
            if world.cases.iter().any(|case| case.strict_paths) {
                let strict = Listener::new(&strict(name), plugin).strict_paths();
                builder = builder.listener(strict);
            }
            if clusters.is_empty() {
                continue;
            }
            let server = answers::serve(world);
            for cluster in &clusters {
                builder = builder.cluster(cluster, server.address());
            }
            issuers.push(server);
        }
        Self {
            envoy: builder.start(),
            upstream,
            _issuers: issuers,
        }
    }

    /// Starts an example's own Envoy in the world of its cases.
    pub(crate) fn of_example(name: &str, world: &World) -> Self {
        let upstream = Echo::start();
        let issuer = answers::serve(world);
        let log = json!({
            "case": "%REQ(X-CASE)%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "reason": tools::log_format("%FILTER_STATE(wasm.edge_authz.reason:PLAIN)%"),
        });
        let example = Example::read(&folder(name), &[])
            .changed(log_reasons)
            .api(upstream.address())
            .issuers(issuer.address());
        Self {
            // With one worker, which remembers that keys are unknown: another worker
            // would have to wait for the issuer's next answer.
            envoy: example.logged(&log).builder().concurrency(1).start(),
            upstream,
            _issuers: vec![issuer],
        }
    }
}

/// The listener of a world whose Envoy normalises paths.
pub(crate) fn strict(world: &str) -> String {
    format!("{world}-strict")
}

/// Adds the reason of requests that pass to the access log: response code details only
/// have the reason of requests that the filter answers.
fn log_reasons(config: &mut Value) {
    if let Some(document) = config.as_object_mut() {
        let telemetry = document.entry("telemetry").or_insert_with(|| json!({}));
        if let Some(telemetry) = telemetry.as_object_mut() {
            let entries = telemetry.entry("filter_state").or_insert_with(|| json!([]));
            let entries = entries.as_array_mut().expect("a list");
            if !entries.contains(&json!("reason")) {
                entries.push(json!("reason"));
            }
        }
    }
}

/// The configuration with unique cluster names, and the clusters.
fn with_own_clusters(config: &Value, world: &str) -> (Value, Vec<String>) {
    let mut config = config.clone();
    let mut clusters = Vec::new();
    let mut rename = |cluster: &mut Value| {
        if let Value::String(name) = cluster {
            *name = format!("{world}-{name}");
            if !clusters.contains(name) {
                clusters.push(name.clone());
            }
        }
    };
    let providers = config.get_mut("providers").and_then(Value::as_array_mut);
    for provider in providers.into_iter().flatten() {
        if let Some(cluster) = provider.pointer_mut("/jwks/cluster") {
            rename(cluster);
        }
        if let Some(cluster) = provider.pointer_mut("/revoked/cluster") {
            rename(cluster);
        }
        let hosts = provider.pointer_mut("/jwks/hosts");
        for cluster in hosts.and_then(Value::as_object_mut).into_iter().flatten() {
            rename(cluster.1);
        }
    }
    (config, clusters)
}
