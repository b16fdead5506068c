//! One Envoy with a listener for each contender, and the rounds of a workload.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};

use crate::authorizer::Authorizer;
use crate::contender::Contender;
use crate::figures::Figures;
use crate::filters::{AUTHORIZER, ISSUERS, ORIGIN, cluster, key_set_path};
use crate::load::{Requests, send2};
use crate::machine::{ENVOY_CORE, pinned};
use crate::sample::{Pace, take};
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::process::{Scratch, wait_until};
use crate::support::server::{Answer, Server};
use crate::support::tools;
use crate::tokens::Issuers;
use crate::workload::{Protocol, Workload};

const BODY: &str = "one pet";

/// Measures all contenders of a workload.
pub(crate) fn measure(workload: &Workload, pace: Pace) -> Vec<Figures> {
    eprintln!("{}", workload.title);
    let issuers = Arc::new(Issuers::new(workload.algorithm, workload.issuers));
    let scratch = Scratch::new("bench");
    let tokens = issuers.tokens(workload.tokens);
    let path = workload.path();
    let requests = Requests::with_tokens(&tokens, &path, &scratch);
    let authorizer = Authorizer::start(workload.algorithm, &issuers, &scratch);
    let contenders: Vec<Contender> = workload
        .contenders
        .iter()
        .copied()
        .filter(|it| *it != Contender::ExternalAuthorizer || authorizer.is_some())
        .collect();
    let keys = serve_keys(&issuers);
    let upstream = serve(Answer::new(200, BODY));
    let mut clusters = vec![
        cluster(ISSUERS, keys.address()),
        cluster("upstream", upstream.address()),
    ];
    clusters.extend(authorizer.iter().map(|it| cluster(AUTHORIZER, it.address)));
    let listeners: Vec<Value> = contenders
        .iter()
        .map(|contender| {
            listener(
                contender.name(),
                &contender.filters(workload, &issuers),
                &contender.host_settings(),
                workload.proxied,
            )
        })
        .collect();
    let mut envoy = start(&listeners, &clusters);
    let token = tokens.first().expect("a token");
    for contender in &contenders {
        check(*contender, envoy.listener(contender.name()), &path, token);
    }
    let process = envoy.process().id();
    let mut figures: Vec<Figures> = contenders.iter().copied().map(Figures::new).collect();
    let mut offsets = vec![0; contenders.len()];
    // Once round unmeasured: connections, caches, the first run of everything.
    for round in 0..=pace.rounds {
        for (figures, offset) in figures.iter_mut().zip(&mut offsets) {
            let address = envoy.listener(figures.contender.name());
            let beside = authorizer.as_ref().map(Authorizer::id);
            let sample = take(process, beside, || match workload.protocol {
                Protocol::Http1 => requests.send(address, offset, pace),
                Protocol::Http2 => send2(address, &path, token, pace),
            });
            if round > 0 {
                figures.samples.push(sample);
            }
        }
    }
    for figures in &figures {
        eprintln!("  {figures}");
    }
    figures
}

/// Starts an Envoy with one worker on its own core.
pub(crate) fn start(listeners: &[Value], clusters: &[Value]) -> Envoy {
    start_with(listeners, clusters, 1)
}

/// Starts an Envoy with so many workers, all on one core.
pub(crate) fn start_with(listeners: &[Value], clusters: &[Value], workers: u32) -> Envoy {
    let scratch = Scratch::new("bench-envoy");
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
        .current_dir(tools::root());
    match Envoy::launch(command, scratch) {
        Ok(envoy) => envoy,
        Err(ended) => panic!("Envoy did not start ({}):\n{}", ended.status, ended.log),
    }
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

/// A contender that does not do its work is not measured: a good token passes,
/// a forged one does not, nor does none.
fn check(contender: Contender, address: SocketAddr, path: &str, token: &str) {
    let send = |token: Option<&str>| {
        let request = Request::get(path).header("origin", ORIGIN);
        let request = match token {
            Some(token) => request.bearer(token),
            None => request,
        };
        http1::exchange(address, &request).map_or(0, |answer| answer.status)
    };
    let good = wait_until(Duration::from_secs(20), || {
        (send(Some(token)) == 200).then_some(())
    });
    assert!(good.is_some(), "{} refuses a good token", contender.name());
    if contender.checks() {
        let forged = forge(token);
        for (what, status) in [
            ("no token", send(None)),
            ("a forged one", send(Some(&forged))),
        ] {
            assert!(
                matches!(status, 401 | 403),
                "{} answers {what} with {status}",
                contender.name()
            );
        }
    }
}

/// The token with another character in its signature, so near its start that
/// no number of it leaves its range by that: it costs a whole check.
pub(crate) fn forge(token: &str) -> String {
    let (signed, signature) = token.rsplit_once('.').expect("a token");
    let (start, end) = signature.split_at(signature.len() / 4);
    let (known, rest) = end.split_at(1);
    let other = if known == "A" { "B" } else { "A" };
    format!("{signed}.{start}{other}{rest}")
}
