//! The case files of `tests/cases` and of the examples on this host: each request gets the
//! same decision as on the core, with the same reply or the same changes.
//!
//! `CASES=tokens cargo test --test cases` plays only the files whose names contain this text.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test ends at the first unexpected result"
)]

#[path = "../../../tests/cases/files.rs"]
mod files;
#[path = "../../../tests/cases/scripted.rs"]
mod scripted;

use std::path::Path;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use aws_lc_rs::rand;
use edge_authz::config;
use edge_authz::dpop::NONCE_HEADER;
use edge_authz::engine::{NoRandomness, NonceStore, ProofMemory, Proofs};
use edge_authz::policy::Policy;
use edge_authz_cli::cases::{Case, CaseFile, Fields, Outcome, Player, Request, Seen, Side, World};
use edge_authz_native::{Shared, clock, edited};
use edge_authz_server::observation::Log;
use edge_authz_server::service::{Active, Document, Keys, Outcome as Decided, Question, Service};
use scripted::Scripted;
use tokio::task::LocalSet;
use tokio::{runtime, task, time};

/// The number of worlds that are played at the same time: most of the time is spent waiting
/// for keys that never arrive.
const AT_ONCE: usize = 8;

#[test]
fn the_service_decides_as_the_cases_say_and_as_the_core_does() {
    let files = case_files();
    let worlds: Vec<(&str, &World)> = files
        .iter()
        .flat_map(|(name, file)| file.worlds.iter().map(move |world| (&**name, world)))
        .collect();
    let (next, results) = (AtomicUsize::new(0), Mutex::new((0, Vec::new())));
    thread::scope(|scope| {
        for _ in 0..AT_ONCE {
            scope.spawn(|| {
                while let Some((name, world)) = worlds.get(next.fetch_add(1, Ordering::SeqCst)) {
                    let (played, wrong) = play(name, world);
                    let mut results = results.lock().unwrap();
                    results.0 += played;
                    results.1.extend(wrong);
                }
            });
        }
    });
    let (played, wrong) = results.into_inner().unwrap();
    assert!(
        wrong.is_empty(),
        "{} cases:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    let filtered = std::env::var_os("CASES").is_some();
    assert!(filtered || played > 3000, "only {played} cases were played");
}

/// Plays the cases of a world that do not depend on Envoy, each with a service that has just
/// started. They wait at the same time.
fn play(name: &str, world: &World) -> (usize, Vec<String>) {
    let player = Player::new(world).unwrap();
    let both = |case: &&Case| {
        case.is_for(Side::Native) && case.is_for(Side::Envoy) && !case.differs_in_envoy()
    };
    let cases: Vec<_> = world.cases.iter().filter(both).collect();
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let wrong = LocalSet::new().block_on(&runtime, async {
        let mut playing = Vec::new();
        for case in &cases {
            let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap();
            let now = i64::try_from(now.as_secs()).unwrap();
            // Both accept only their own nonces.
            let mut unasked = None;
            let ask = |request: &Request| {
                unasked = Some(request.clone());
                player.nonce(request, now)
            };
            let (request, _) = world.prepare(case, now, ask).unwrap();
            let expected = player.play(&request, now)[0].clone();
            let text = world.config().to_string();
            let policy = config::compile_for_any_host(text.as_bytes()).unwrap();
            let issuers = Scripted(world.answers().unwrap());
            let asks = unasked.is_some();
            let first = unasked.unwrap_or(request);
            let found = task::spawn_local(async move {
                let server = Server::start(policy, issuers).await;
                let found = if asks {
                    server.decide(&first).await
                } else {
                    server.play(&first).await
                };
                (server, found)
            });
            playing.push((case, now, asks, expected, found));
        }
        let mut wrong = Vec::new();
        for (case, now, asks, expected, found) in playing {
            let (server, mut found) = found.await.unwrap();
            if asks {
                let ask = |_: &Request| nonce(&found);
                let (request, _) = world.prepare(case, now, ask).unwrap();
                found = server.play(&request).await;
            }
            let (expected, found) = (shown(&expected), shown(&found));
            if expected != found {
                let row = case.row.as_deref().unwrap_or("-");
                let case = &case.name;
                wrong.push(format!(
                    "{name}: {case} ({row})\n  core:   {expected}\n  server: {found}"
                ));
            }
        }
        wrong
    });
    (cases.len(), wrong)
}

/// A service that has its keys.
struct Server {
    service: Service,
    /// Its keys are kept as long as this exists.
    _active: Arc<Active>,
}

impl Server {
    async fn start(policy: Policy, issuers: Scripted) -> Self {
        // Issuers of different worlds have the same URIs.
        let shared: &'static Shared = Box::leak(Box::new(Shared::new(1024 * 1024)));
        let memory = ProofMemory::new(ProofMemory::MAX_OF_WORKER, 1);
        let nonces = NonceStore::new(|secret| rand::fill(secret).map_err(|_| NoRandomness));
        let proofs = Proofs::new(Arc::new(memory), Arc::new(nonces));
        let now = clock::now().unwrap();
        let document = Document::with(Arc::new(policy), 1, now, (shared, proofs));
        let active = Arc::new(Active::new(Arc::clone(&document)));
        let log = Arc::new(Log::none());
        let registry = Arc::default();
        let keys = Keys::new(issuers, Arc::clone(&registry), Arc::clone(&log));
        keys.keep(&document);
        // In report mode, a request does not wait for keys.
        for _ in 0..30 {
            if document.has_all_documents() {
                break;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
        Self {
            service: Service::new(&active, 0, &registry, &log),
            _active: active,
        }
    }

    /// Decides a request as often as the case sends it, and returns the last outcome.
    async fn play(&self, request: &Request) -> Outcome {
        for _ in 1..request.sends {
            self.decide(request).await;
        }
        self.decide(request).await
    }

    async fn decide(&self, request: &Request) -> Outcome {
        let question = Question {
            head: request.head(),
            certificate: Ok(None),
        };
        outcome(&self.service.decide(question).await, request)
    }
}

/// The nonce in an answer.
fn nonce(outcome: &Outcome) -> Option<Vec<u8>> {
    let mut headers = outcome.headers.iter();
    let found = headers.find(|(name, _)| name == NONCE_HEADER.as_bytes());
    found.map(|(_, nonce)| nonce.clone())
}

fn outcome(decided: &Decided, request: &Request) -> Outcome {
    let reason = Some(decided.decision().reason.name().to_owned());
    match decided {
        Decided::Reply(reply) => Outcome {
            status: reply.status,
            reason,
            headers: reply.headers.clone(),
            body: Some(match request.method.as_slice() {
                b"HEAD" => Vec::new(),
                _ => reply.body.clone(),
            }),
            ..Outcome::default()
        },
        Decided::Forward(forwarded) => {
            let head = request.head();
            let fields: Vec<_> = head.headers().iter().collect();
            let mut headers: Fields = edited(fields, forwarded.request_edits())
                .into_iter()
                .map(|(name, value)| (name.to_vec(), value.to_vec()))
                .collect();
            headers.retain(|(name, _)| !name.starts_with(b":"));
            Outcome {
                status: request.upstream.status,
                reason,
                upstream: Some(Seen {
                    headers,
                    ..Default::default()
                }),
                ..Outcome::default()
            }
        }
    }
}

/// What both hosts must have in common, as text. The response's own CORS headers differ,
/// because the server does not know the upstream's response.
fn shown(outcome: &Outcome) -> String {
    let fields = |fields: &Fields| {
        let mut lines: Vec<_> = fields
            .iter()
            .map(|(name, value)| {
                let value = match name.as_slice() {
                    b"retry-after" => b"soon",
                    b"dpop-nonce" => b"some",
                    _ => &**value,
                };
                let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
                format!("{}={}", text(name), text(value))
            })
            .collect();
        lines.sort();
        lines.join("; ")
    };
    let upstream = outcome.upstream.as_ref();
    let headers = match upstream {
        Some(seen) => fields(&seen.headers),
        None => fields(&outcome.headers),
    };
    let body = String::from_utf8_lossy(outcome.body.as_deref().unwrap_or_default()).into_owned();
    format!(
        "{} {:?} forwarded={} [{headers}] {body}",
        outcome.status,
        outcome.reason,
        upstream.is_some()
    )
}

fn case_files() -> Vec<(String, CaseFile)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let wanted = std::env::var("CASES").unwrap_or_default();
    let mut paths = files::own(&root);
    paths.extend(files::of_examples(&root));
    paths.retain(|path| path.to_string_lossy().contains(&wanted));
    let named = paths.iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, files::read(path))
    });
    named.collect()
}
