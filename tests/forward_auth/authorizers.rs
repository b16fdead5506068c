//! The server's front end in this process, once for each world of a case file, with issuers
//! that answer as the file says.

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{SocketAddr, TcpListener};
use std::rc::Rc;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc;
use std::thread;

use edge_authz::config;
use edge_authz::policy::Policy;
use edge_authz_cli::cases::{FetchAnswer, World};
use edge_authz_native::clock;
use edge_authz_server::forward_auth::{ForwardAuth, Preset};
use edge_authz_server::observation::{Log, Registry};
use edge_authz_server::service::{Active, Document, Keys, Service};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use serde_json::Value;
use tokio::runtime;
use tokio::task::{self, LocalSet};

use crate::scripted::Scripted;

/// A policy with its front end.
struct Part {
    listener: TcpListener,
    preset: Preset,
    policy: Policy,
    answers: BTreeMap<String, FetchAnswer>,
}

/// Starts a front end for each world, in a thread that runs until the process ends. Returns
/// their addresses.
pub(crate) fn start(worlds: &[(Preset, &World)]) -> Vec<SocketAddr> {
    let parts: Vec<Part> = worlds
        .iter()
        .map(|(preset, world)| Part {
            listener: TcpListener::bind(("127.0.0.1", 0)).expect("a port"),
            preset: *preset,
            policy: policy(world, &unique(*preset)),
            answers: world.answers().expect("answers"),
        })
        .collect();
    let addresses = parts.iter().map(|part| part.listener.local_addr().unwrap());
    let addresses = addresses.collect();
    let (ready, is_ready) = mpsc::channel();
    thread::spawn(move || {
        let runtime = runtime::Builder::new_current_thread()
            .enable_all()
            .build()
            .expect("a runtime");
        LocalSet::new().block_on(&runtime, async {
            for part in parts {
                serve(part);
            }
            ready.send(()).expect("the test");
            std::future::pending::<()>().await;
        });
    });
    is_ready.recv().expect("the front ends");
    addresses
}

/// The policy of a world. The documents of a process share keys by cluster and URI, so each
/// world has clusters of its own.
fn policy(world: &World, own: &str) -> Policy {
    let mut document = world.config().clone();
    rename_clusters(&mut document, own);
    config::compile(document.to_string().as_bytes()).expect("a policy")
}

fn rename_clusters(value: &mut Value, own: &str) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                match (name.as_str(), member) {
                    ("cluster", Value::String(cluster)) => *cluster = format!("{own}-{cluster}"),
                    ("hosts", Value::Object(hosts)) => {
                        for (_, cluster) in hosts {
                            *cluster = format!("{own}-{}", cluster.as_str().unwrap()).into();
                        }
                    }
                    (_, member) => rename_clusters(member, own),
                }
            }
        }
        Value::Array(members) => {
            for member in members {
                rename_clusters(member, own);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

/// A name for one world behind one proxy.
fn unique(preset: Preset) -> String {
    static NUMBER: AtomicU32 = AtomicU32::new(0);
    format!("{preset:?}-{}", NUMBER.fetch_add(1, Ordering::Relaxed))
}

fn serve(part: Part) {
    let registry = Arc::new(Registry::default());
    let log = Arc::new(Log::none());
    let policy = Arc::new(part.policy);
    let document = Document::new(policy, 1, clock::now().expect("a clock"));
    let keys = Keys::new(
        Scripted(part.answers),
        Arc::clone(&registry),
        Arc::clone(&log),
    );
    keys.keep(&document);
    let active = Arc::new(Active::new(document));
    let service = Service::new(&active, 0, &registry, &log);
    let front_end = Rc::new(ForwardAuth {
        preset: part.preset,
        certificate: None,
    });
    part.listener.set_nonblocking(true).expect("a socket");
    let listener = tokio::net::TcpListener::from_std(part.listener).expect("a listener");
    task::spawn_local(async move {
        let _kept = (active, keys);
        loop {
            let Ok((stream, _)) = listener.accept().await else {
                continue;
            };
            let (front_end, service) = (Rc::clone(&front_end), service.clone());
            let answer = service_fn(move |request| {
                let (front_end, service) = (Rc::clone(&front_end), service.clone());
                async move { Ok::<_, Infallible>(front_end.decide(&service, &request).await) }
            });
            task::spawn_local(async move {
                let connection = http1::Builder::new()
                    .max_buf_size(256 * 1024)
                    .serve_connection(TokioIo::new(stream), answer);
                // Whether the proxy closed it is no matter of the test.
                let _ = connection.await;
            });
        }
    });
}
