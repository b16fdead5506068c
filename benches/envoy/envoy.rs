//! One Envoy with a listener for each contender, and the rounds of a workload.

use std::cell::Cell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::beside::Beside;
use crate::contender::{Build, Contender, other_module};
use crate::figures::Figures;
use crate::filters::{API, ORIGIN, cluster, http2_cluster, key_set_path};
use crate::load::{Requests, send2};
use crate::machine::{ENVOY_CORE, pinned};
use crate::sample::{Pace, Sample, take};
use crate::support::client::Client;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::process::{Scratch, wait_until};
use crate::support::server::{Answer, Server};
use crate::support::tools;
use crate::tokens::Issuers;
use crate::workload::{Protocol, Workload};

const BODY: &str = "one pet";

/// A workload with running servers, ready to be measured.
struct Ready<'w> {
    workload: &'w Workload,
    path: String,
    tokens: Vec<String>,
    /// The client to which the tokens are bound, if they are.
    client: Option<Client>,
    requests: Requests,
    issuers: Arc<Issuers>,
    keys: Server,
    /// The processes that Envoy asks.
    beside: Vec<(Contender, Beside)>,
    contenders: Vec<Contender>,
    /// The files of the workload.
    scratch: Scratch,
}

impl<'w> Ready<'w> {
    fn new(workload: &'w Workload) -> Self {
        let scratch = Scratch::new("bench");
        let issuers = Arc::new(Issuers::new(workload.algorithm, workload.issuers));
        let client = workload.bound.then(Client::new);
        let tokens = issuers.tokens_of(client.as_ref(), workload.tokens);
        let path = workload.path();
        let keys = serve_keys(&issuers);
        let contenders = workload.contenders.iter();
        let beside = contenders.filter_map(|it| {
            let started = Beside::start(*it, workload, &issuers, keys.address(), &scratch);
            Some((*it, started?))
        });
        let beside: Vec<(Contender, Beside)> = beside.collect();
        let can_be = |it: &Contender| {
            (!it.asks() || beside.iter().any(|(known, _)| known == it))
                && (!matches!(it, Contender::EdgeAuthz(Build::Other, _))
                    || other_module().is_some())
        };
        Self {
            contenders: workload.contenders.iter().copied().filter(can_be).collect(),
            requests: Requests::with_tokens(&tokens, &path, &scratch),
            tokens,
            client,
            keys,
            workload,
            path,
            issuers,
            beside,
            scratch,
        }
    }

    fn listener_of(&self, contender: Contender) -> String {
        format!("{}: {}", self.workload.name, contender.name())
    }

    fn listeners(&self) -> impl Iterator<Item = Value> {
        self.contenders.iter().map(|contender| {
            listener(
                &self.listener_of(*contender),
                &contender.filters(self.workload, &self.issuers),
                &contender.host_settings(),
                self.workload.proxied,
            )
        })
    }

    fn clusters(&self) -> impl Iterator<Item = Value> {
        let keys = cluster(&self.workload.key_cluster(), self.keys.address());
        let beside = self.beside.iter().map(|(contender, beside)| {
            let name = self.workload.beside_cluster(*contender);
            if matches!(
                contender,
                Contender::EdgeAuthz(..) | Contender::ServerOverHttp
            ) {
                http2_cluster(&name, beside.address)
            } else {
                cluster(&name, beside.address)
            }
        });
        std::iter::once(keys).chain(beside)
    }

    /// One sample of a contender; `offset` is the next token.
    fn sample(&self, envoy: &mut Envoy, who: Contender, offset: &mut usize, pace: Pace) -> Sample {
        let address = envoy.listener(&self.listener_of(who));
        let mut beside = self.beside.iter();
        let beside = beside.find(|(known, _)| *known == who);
        let beside = beside.map(|(_, beside)| beside.process.id());
        let next = Cell::new(*offset);
        let prepare = || self.with_proofs(who, next.get());
        let load = |proving: Option<Requests>| {
            let mut at = next.get();
            let load = match (proving, self.workload.protocol) {
                (Some(requests), _) => {
                    let load = requests.send(address, &mut 0, pace);
                    at += load.requests as usize;
                    load
                }
                (None, Protocol::Http1) => self.requests.send(address, &mut at, pace),
                (None, Protocol::Http2) => send2(address, &self.path, &self.tokens[0], pace),
            };
            next.set(at);
            load
        };
        let sample = take(envoy.process().id(), beside, prepare, load);
        *offset = next.get();
        sample
    }

    /// The client, if this contender needs its proofs.
    fn prover(&self, who: Contender) -> Option<&Client> {
        self.client.as_ref().filter(|_| who.needs_proofs())
    }

    /// New requests, if this contender needs proofs. No proof can be used twice.
    fn with_proofs(&self, who: Contender, first: usize) -> Option<Requests> {
        let client = self.prover(who)?;
        let (tokens, path) = (&self.tokens, &self.path);
        Some(Requests::with_proofs(
            client,
            tokens,
            first,
            path,
            &self.scratch,
        ))
    }
}

/// Measures all contenders of these workloads in one Envoy, in turn.
pub(crate) fn measure(workloads: &[Workload], pace: Pace) -> Vec<Vec<Figures>> {
    let upstream = serve(Answer::new(200, BODY));
    let ready: Vec<Ready<'_>> = workloads.iter().map(Ready::new).collect();
    let listeners: Vec<Value> = ready.iter().flat_map(Ready::listeners).collect();
    let mut clusters = vec![cluster("upstream", upstream.address())];
    clusters.extend(ready.iter().flat_map(Ready::clusters));
    let mut envoy = start(&listeners, &clusters);
    let mut turns = Vec::new();
    let mut all: Vec<Vec<Figures>> = Vec::new();
    for (at, it) in ready.iter().enumerate() {
        for contender in &it.contenders {
            let address = envoy.listener(&it.listener_of(*contender));
            check(
                *contender,
                address,
                &it.path,
                &it.tokens[0],
                it.prover(*contender),
            );
            turns.push((at, all.get(at).map_or(0, Vec::len), 0));
            if all.len() == at {
                all.push(Vec::new());
            }
            all[at].push(Figures::new(*contender));
        }
    }
    // The first round is not measured: it opens connections, fills caches and runs
    // everything once.
    for round in 0..=pace.rounds {
        for (workload, contender, offset) in &mut turns {
            let figures = &mut all[*workload][*contender];
            let sample = ready[*workload].sample(&mut envoy, figures.contender, offset, pace);
            if round > 0 {
                figures.samples.push(sample);
            }
        }
    }
    for (workload, figures) in workloads.iter().zip(&all) {
        eprintln!("{}", workload.title);
        for figures in figures {
            eprintln!("  {figures}");
        }
    }
    all
}

/// Starts an Envoy with one worker on its own core.
pub(crate) fn start(listeners: &[Value], clusters: &[Value]) -> Envoy {
    start_with(listeners, clusters, 1)
}

/// Starts an Envoy with this many workers, all on one core.
pub(crate) fn start_with(listeners: &[Value], clusters: &[Value], workers: u32) -> Envoy {
    let scratch = Scratch::new("bench-envoy");
    let modules = dynamic_modules();
    let bootstrap = json!({
        "admin": {"address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}}},
        "static_resources": {"listeners": listeners, "clusters": clusters},
    });
    let mut command = pinned(ENVOY_CORE, &tools::envoy());
    command
        .arg("-c")
        .arg(scratch.write("envoy.json", &bootstrap.to_string()))
        .args(["--concurrency", &workers.to_string()])
        .args(["--log-level", "warning", "--disable-hot-restart"])
        .env("ENVOY_DYNAMIC_MODULES_SEARCH_PATH", modules.path())
        .current_dir(tools::root());
    match Envoy::launch(command, scratch) {
        Ok(envoy) => envoy,
        Err(ended) => panic!("Envoy did not start ({}):\n{}", ended.status, ended.log),
    }
}

/// A directory of the dynamic modules. Envoy loads them when it starts.
fn dynamic_modules() -> Scratch {
    let directory = Scratch::new("bench-modules");
    for build in Build::ALL {
        if let Some(path) = build.path()
            && let Some(name) = build.dynamic_module_name()
        {
            let link = directory.path().join(format!("lib{name}.so"));
            std::os::unix::fs::symlink(path, link).expect("a link");
        }
    }
    directory
}

/// A listener with these filters before the router.
pub(crate) fn listener(
    name: &str,
    filters: &[Value],
    host_settings: &Value,
    proxied: bool,
) -> Value {
    let mut route = json!({"match": {"prefix": "/"}});
    if proxied {
        route["route"] = json!({"cluster": "upstream"});
    } else {
        route["direct_response"] = json!({"status": 200, "body": {"inline_string": BODY}});
    }
    let mut filters = filters.to_vec();
    filters.push(json!({
        "name": "envoy.filters.http.router",
        "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
    }));
    json!({
        "name": name,
        "address": {"socket_address": {"address": "127.0.0.1", "port_value": 0}},
        "filter_chains": [{"filters": [{
            "name": "envoy.filters.network.http_connection_manager",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                "stat_prefix": "bench",
                "http_filters": filters,
                "route_config": {"virtual_hosts": [{
                    "name": "all", "domains": ["*"], "routes": [route],
                    "typed_per_filter_config": host_settings,
                }]},
            },
        }]}],
    })
}

pub(crate) fn serve_keys(issuers: &Issuers) -> Server {
    let sets: Vec<String> = issuers
        .names()
        .enumerate()
        .map(|(number, _)| issuers.key_set(number).to_string())
        .collect();
    Server::start(Arc::new(move |received, stream| {
        let target = String::from_utf8_lossy(&received.target);
        let number = (0..sets.len()).find(|number| target.ends_with(&key_set_path(*number)));
        let answer = match number {
            Some(number) => Answer::new(200, sets[number].as_str()),
            None => Answer::new(404, ""),
        };
        answer.write(stream, false)
    }))
}

fn serve(answer: Answer) -> Server {
    Server::start(Arc::new(move |_, stream| answer.write(stream, false)))
}

fn send(address: SocketAddr, path: &str, token: Option<&str>, client: Option<&Client>) -> u16 {
    let request = Request::get(path).header("origin", ORIGIN);
    let request = match (token, client) {
        (Some(token), Some(client)) => request
            .header("authorization", format!("DPoP {token}"))
            .header("dpop", client.proof(&format!("{API}{path}"), token)),
        (Some(token), None) => request.bearer(token),
        (None, _) => request,
    };
    http1::exchange(address, &request).map_or(0, |answer| answer.status)
}

/// Whether a request with this token passes once the keys have been fetched.
pub(crate) fn is_served(address: SocketAddr, path: &str, token: &str) -> bool {
    is_served_to(None, address, path, token)
}

fn is_served_to(client: Option<&Client>, address: SocketAddr, path: &str, token: &str) -> bool {
    let served = || (send(address, path, Some(token), client) == 200).then_some(());
    wait_until(Duration::from_secs(20), served).is_some()
}

/// Checks that a contender does its work before it is measured: a valid token passes, and
/// a forged or missing one does not, nor one without a proof that is needed.
fn check(
    contender: Contender,
    address: SocketAddr,
    path: &str,
    token: &str,
    client: Option<&Client>,
) {
    assert!(
        is_served_to(client, address, path, token),
        "{} refuses a good token",
        contender.name()
    );
    if contender.checks() {
        let forged = forge(token);
        let send = |token, client| send(address, path, token, client);
        let mut refused = vec![
            ("no token", send(None, client)),
            ("a forged one", send(Some(&forged), client)),
        ];
        if client.is_some() {
            refused.push(("one without a proof", send(Some(token), None)));
        }
        for (what, status) in refused {
            assert!(
                matches!(status, 401 | 403),
                "{} answers {what} with {status}",
                contender.name()
            );
        }
    }
}

/// The token with one character of its signature changed. The character is so near the
/// start that no number of the signature leaves its range: so the check runs completely.
pub(crate) fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token");
    let (start, end) = signature.split_at(signature.len() / 4);
    let (known, rest) = end.split_at(1);
    let other = if known == "A" { "B" } else { "A" };
    format!("{signed}.{start}{other}{rest}")
}
