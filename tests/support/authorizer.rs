//! The server in the process of the test, for Envoy's `ext_authz` over gRPC or HTTP.
//!
//! It fetches keys from the test's clusters, as the filters inside of Envoy do. So the tests
//! of all hosts can share their configurations.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use edge_authz::config;
use edge_authz::engine::FetchCall;
use edge_authz::http::HeaderMap;
use edge_authz::keys::answer::AnswerHead;
use edge_authz_native::clock;
use edge_authz_server::connections::{self, Acceptor, Connections, Peers, Threads};
use edge_authz_server::ext_authz::{ExtAuthz, Limits, Readiness};
use edge_authz_server::front_ends::{FrontEnds, Kind};
use edge_authz_server::observation::{Log, Registry};
use edge_authz_server::service::{Active, Answered, Document, Issuers, Keys, Service};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::{self, LocalSet};
use tokio::{runtime, time};

use super::http::Request;
use super::http1;
use super::tools::{self, Host};

/// Stands between what is the server's own and the test's name in the name of a cluster.
const SEPARATOR: char = '/';

/// The front ends for several configurations, each at an address of its own.
pub(crate) struct Authorizers {
    addresses: BTreeMap<String, SocketAddr>,
    active: BTreeMap<String, Arc<Active>>,
    documents: mpsc::Sender<Arc<Document>>,
    registry: Arc<Registry>,
    /// Distinguishes it from others in the process.
    own: usize,
    ended: watch::Sender<bool>,
    thread: Option<JoinHandle<()>>,
}

impl Authorizers {
    /// Starts a front end for each named configuration. The clusters are those of the test.
    pub(crate) fn start(
        configurations: BTreeMap<String, Value>,
        clusters: BTreeMap<String, SocketAddr>,
    ) -> Self {
        static OWN: AtomicUsize = AtomicUsize::new(0);
        let own = OWN.fetch_add(1, Ordering::Relaxed);
        let (ended, end) = watch::channel(false);
        let (documents, replaced) = mpsc::channel();
        let (started, all) = mpsc::channel();
        let registry = Arc::new(Registry::default());
        let shared = Arc::clone(&registry);
        let thread = thread::spawn(move || {
            let mut builder = runtime::Builder::new_current_thread();
            let runtime = builder.enable_all().build().expect("a runtime");
            LocalSet::new().block_on(&runtime, async move {
                let log = Arc::new(Log::none());
                let keys = Keys::new(Fetching(clusters), Arc::clone(&shared), log);
                let mut addresses = BTreeMap::new();
                for (name, configuration) in configurations {
                    let configuration = with_own_clusters(&configuration, own);
                    let (address, active) = serve_one(&configuration, &keys, &shared).await;
                    addresses.insert(name, (address, active));
                }
                started.send(addresses).expect("the test");
                run(end, &replaced, &keys).await;
            });
        });
        let all = all.recv().expect("the front ends start");
        let addresses = all.iter().map(|(name, (at, _))| (name.clone(), *at));
        Self {
            addresses: addresses.collect(),
            active: all
                .into_iter()
                .map(|(name, (_, active))| (name, active))
                .collect(),
            documents,
            registry,
            own,
            ended,
            thread: Some(thread),
        }
    }

    /// The addresses by name.
    pub(crate) const fn addresses(&self) -> &BTreeMap<String, SocketAddr> {
        &self.addresses
    }

    /// The metrics of all front ends, by their names in the Wasm module.
    pub(crate) fn stats(&self) -> impl Iterator<Item = (String, u64)> {
        let totals = self.registry.totals().into_iter();
        totals.map(|(metric, value)| (format!("wasmcustom.{}", metric.name()), value))
    }

    /// Replaces a configuration. Returns whether it is valid.
    pub(crate) fn replace(&self, name: &str, configuration: &Value) -> bool {
        let Some(document) = document(&with_own_clusters(configuration, self.own)) else {
            return false;
        };
        self.documents
            .send(Arc::clone(&document))
            .expect("a thread");
        self.active[name].replace(document);
        true
    }
}

impl Drop for Authorizers {
    fn drop(&mut self) {
        self.ended.send_replace(true);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Starts to keep the keys of new documents, until the test ends.
async fn run(
    mut end: watch::Receiver<bool>,
    replaced: &mpsc::Receiver<Arc<Document>>,
    keys: &Keys<Fetching>,
) {
    let mut looks = time::interval(Duration::from_millis(10));
    loop {
        tokio::select! {
            _ = end.wait_for(|ended| *ended) => return,
            _ = looks.tick() => {
                for document in replaced.try_iter() {
                    keys.keep(&document);
                }
            }
        }
    }
}

/// Servers of one process share the keys of equal sources, and tests have equal ones. So the
/// clusters of each server get names of their own.
fn with_own_clusters(configuration: &Value, own: usize) -> Value {
    let mut configuration = configuration.clone();
    let rename = |cluster: &mut Value| {
        if let Value::String(name) = cluster {
            *name = format!("{own}{SEPARATOR}{name}");
        }
    };
    let providers = configuration
        .get_mut("providers")
        .and_then(Value::as_array_mut);
    for provider in providers.into_iter().flatten() {
        for place in ["/jwks/cluster", "/revoked/cluster"] {
            provider.pointer_mut(place).map(rename);
        }
        let hosts = provider.pointer_mut("/jwks/hosts");
        let hosts = hosts.and_then(Value::as_object_mut).into_iter().flatten();
        hosts.for_each(|(_, cluster)| rename(cluster));
    }
    configuration
}

fn document(configuration: &Value) -> Option<Arc<Document>> {
    let policy = config::compile(configuration.to_string().as_bytes()).ok()?;
    let now = clock::now().expect("a clock");
    Some(Document::new(Arc::new(policy), 1, now))
}

async fn serve_one(
    configuration: &Value,
    keys: &Keys<Fetching>,
    registry: &Arc<Registry>,
) -> (SocketAddr, Arc<Active>) {
    let document = document(configuration).expect("a configuration");
    keys.keep(&document);
    let active = Arc::new(Active::new(document));
    let log = Arc::new(Log::none());
    let service = Service::new(&active, 0, registry, &log);
    let at = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let listener = TcpListener::bind(at).await.expect("a port");
    let address = listener.local_addr().expect("an address");
    let (threads, mut receivers) = Threads::new(1, 1000);
    let acceptor = Acceptor {
        listener,
        front_end: 0,
        peers: Peers::new(Vec::new()),
        threads,
        log,
    };
    task::spawn_local(acceptor.run());
    let front_ends = FrontEnds::new(vec![(address, kind())]).in_thread();
    let connections = Connections::new(service, connections::Limits::default());
    let receiver = receivers.pop().expect("of one thread");
    task::spawn_local(connections.run(receiver, move |accepted, connection| {
        front_ends.serve(accepted, connection);
    }));
    (address, active)
}

/// The front end of this run.
fn kind() -> Kind {
    match tools::host() {
        Host::ExtAuthzHttp => Kind::ExtAuthzHttp,
        Host::ExtAuthz | Host::ProxyWasm | Host::DynamicModule => Kind::ExtAuthz(ExtAuthz {
            readiness: Readiness::new(|| true),
            limits: Limits::default(),
        }),
    }
}

/// Fetches documents from the test's clusters.
struct Fetching(BTreeMap<String, SocketAddr>);

impl Issuers for Fetching {
    async fn fetch(&self, call: &FetchCall) -> Answered {
        let name = call.cluster.split_once(SEPARATOR).map(|(_, name)| name);
        let Some(at) = name.and_then(|name| self.0.get(name)).copied() else {
            return Answered::default();
        };
        let mut request = Request::get(call.uri.path());
        request = request.authority(call.uri.authority());
        for (name, value) in call.headers() {
            if !name.starts_with(':') {
                request = request.header(name, value);
            }
        }
        let sent = task::spawn_blocking(move || http1::exchange(at, &request));
        match time::timeout(call.timeout, sent).await {
            Ok(Ok(Ok(answer))) => answered(answer.status, answer.headers, answer.body),
            Ok(Ok(Err(_)) | Err(_)) | Err(_) => Answered::default(),
        }
    }
}

fn answered(status: u16, headers: super::http::Fields, body: Vec<u8>) -> Answered {
    let status = (b":status".to_vec(), status.to_string().into_bytes());
    let fields: Vec<_> = std::iter::once(status).chain(headers).collect();
    let map = HeaderMap::from_pairs(fields.iter().map(|(name, value)| (name, value)));
    Answered {
        head: AnswerHead::read(&map, body.len()),
        body: Some(body),
    }
}
