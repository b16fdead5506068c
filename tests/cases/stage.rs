//! One Envoy for all worlds: each has a listener and, where keys are fetched,
//! issuers of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use edge_authz::cases::{FetchAnswer, World};
use serde_json::Value;

use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::server::{Answer, Received, Server};

/// What the worlds are played on.
pub(crate) struct Stage {
    pub(crate) envoy: Envoy,
    pub(crate) upstream: Echo,
    /// Kept running.
    _issuers: Vec<Server>,
}

impl Stage {
    /// Starts everything for worlds and their names.
    pub(crate) fn set(worlds: &[(String, &World)]) -> Self {
        let upstream = Echo::start();
        let mut builder = Builder::new(upstream.address()).log_level("warning");
        let mut issuers = Vec::new();
        for (name, world) in worlds {
            let (config, clusters) = with_own_clusters(world.config(), name);
            let plugin = EdgeAuthz::new(config);
            builder = builder.listener(Listener::new(name, plugin.clone()));
            if world.cases.iter().any(|case| case.strict_paths) {
                let strict = Listener::new(&strict(name), plugin).strict_paths();
                builder = builder.listener(strict);
            }
            if clusters.is_empty() {
                continue;
            }
            let server = issuer(world.answers().expect("answers"));
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
}

/// The listener of a world where Envoy normalises paths.
pub(crate) fn strict(world: &str) -> String {
    format!("{world}-strict")
}

/// The configuration with clusters that no other world names, and these.
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
        let hosts = provider.pointer_mut("/jwks/hosts");
        for cluster in hosts.and_then(Value::as_object_mut).into_iter().flatten() {
            rename(cluster.1);
        }
    }
    (config, clusters)
}

/// Answers for every host of a world: the scheme is not to be seen here.
fn issuer(answers: BTreeMap<String, FetchAnswer>) -> Server {
    let by_place: BTreeMap<String, FetchAnswer> = answers
        .into_iter()
        .map(|(uri, answer)| (uri.split_once("://").unwrap().1.to_owned(), answer))
        .collect();
    Server::start(Arc::new(move |received: &Received, stream| {
        let host = received.text("host").unwrap_or_default();
        let place = format!("{host}{}", String::from_utf8_lossy(&received.target));
        let answer = match by_place.get(&place) {
            None => Answer::new(404, "no such place"),
            Some(known) => {
                let answer = Answer::new(known.status, known.body.clone());
                let headers = known.headers.iter();
                headers.fold(answer, |answer, (name, value)| answer.header(name, value))
            }
        };
        answer.write(stream, false)
    }))
}
