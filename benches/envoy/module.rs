//! The cost of a module before the first request, and the memory for cached tokens.

use serde_json::json;

use crate::contender::Build;
use crate::envoy::{is_served, listener, serve_keys, start_with};
use crate::filters::{cluster, edge_authz_with, key_set_uri};
use crate::load::Requests;
use crate::machine::cpu_of;
use crate::sample::{Pace, median};
use crate::support::process::Scratch;
use crate::tokens::{AUDIENCE, Issuers};

/// A module's own figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Module {
    pub(crate) build: Build,
    pub(crate) kib: f64,
    /// The CPU time until Envoy is ready, minus that without the filter.
    pub(crate) load_seconds: f64,
    /// The resident memory of one more worker, minus that without the filter.
    pub(crate) worker_mib: f64,
    /// The memory for [`TOKENS`] tokens with one worker and with [`WORKERS`].
    pub(crate) tokens_mib: [f64; 2],
}

/// A worker's memory is the mean over this many additional workers.
const FURTHER: u32 = 4;
/// The number of cached tokens while memory is measured, and the number of workers.
pub(crate) const TOKENS: usize = 10_000;
pub(crate) const WORKERS: u32 = 4;
/// How often each token is sent, for each worker: nearly all workers see nearly all tokens.
const TURNS: usize = 3;
const PATH: &str = "/pets/7";

impl Module {
    /// How much more memory several workers need for tokens than one.
    pub(crate) fn tokens_ratio(&self) -> f64 {
        self.tokens_mib[1] / self.tokens_mib[0]
    }
}

/// Measures both modules.
pub(crate) fn measure(pace: Pace) -> Vec<Module> {
    eprintln!("The modules");
    let memory = Memory::new();
    Build::MODULES
        .into_iter()
        .map(|build| {
            let module = measure_one(build, &memory, pace);
            eprintln!(
                "  {}: {:.0} KiB, {:.2} CPU-s to load, {:.1} MiB for a further worker, \
                 {:.1} MiB for {TOKENS} tokens, {:.1} MiB with {WORKERS} workers",
                build.name(),
                module.kib,
                module.load_seconds,
                module.worker_mib,
                module.tokens_mib[0],
                module.tokens_mib[1],
            );
            module
        })
        .collect()
}

fn measure_one(build: Build, memory: &Memory, pace: Pace) -> Module {
    let path = build.path().expect("a shipped module");
    let bytes = std::fs::metadata(path).expect("the module").len();
    let difference = |figure: &dyn Fn(Option<Build>) -> f64| {
        median((0..pace.short_rounds).map(|_| figure(Some(build)) - figure(None)))
    };
    Module {
        build,
        kib: bytes as f64 / 1024.0,
        load_seconds: difference(&|build| started(build, 1).0),
        worker_mib: difference(&|build| {
            let more = started(build, 1 + FURTHER).1 - started(build, 1).1;
            more / f64::from(FURTHER)
        }),
        tokens_mib: [1, WORKERS].map(|workers| memory.growth(build, workers)),
    }
}

/// The CPU seconds until Envoy is ready, and its memory in MiB then.
fn started(build: Option<Build>, workers: u32) -> (f64, f64) {
    let configuration = json!({"routes": [{"match": "$default", "access": "public"}]});
    let filter = |build| edge_authz_with(build, &configuration);
    let filters: Vec<_> = build.map(filter).into_iter().collect();
    let listener = listener("one", &filters, &json!({}), false);
    let mut envoy = start_with(&[listener], &[], workers);
    let process = envoy.process().id();
    (
        cpu_of(process).as_secs_f64(),
        envoy.memory_kib() as f64 / 1024.0,
    )
}

/// Tokens to be cached.
struct Memory {
    issuers: Issuers,
    token: String,
    one: Requests,
    all: Requests,
    _scratch: [Scratch; 2],
}

impl Memory {
    fn new() -> Self {
        let scratch = [Scratch::new("bench-one"), Scratch::new("bench-all")];
        // Signing is fast, and the algorithm does not matter.
        let issuers = Issuers::new("ES256", 1);
        let tokens = issuers.tokens(TOKENS);
        Self {
            issuers,
            one: Requests::with_tokens(&tokens[..1], PATH, &scratch[0]),
            all: Requests::with_tokens(&tokens, PATH, &scratch[1]),
            token: tokens[0].clone(),
            _scratch: scratch,
        }
    }

    /// How much larger Envoy is, in MiB, when all workers know all tokens.
    fn growth(&self, build: Build, workers: u32) -> f64 {
        let keys = serve_keys(&self.issuers);
        let configuration = json!({
            "providers": [{
                "name": "issuer",
                "issuer": Issuers::name(0),
                "audiences": [AUDIENCE],
                "jwks": {"cluster": "keys", "uri": key_set_uri(0)},
            }],
            "routes": [{"match": "$default"}],
        });
        let filters = [edge_authz_with(build, &configuration)];
        let listener = listener("one", &filters, &json!({}), false);
        let envoy = start_with(&[listener], &[cluster("keys", keys.address())], workers);
        let address = envoy.listener("one");
        assert!(
            is_served(address, PATH, &self.token),
            "the token is refused"
        );
        // Connections and requests have allocated their memory before.
        self.one.send_at_least(address, TOKENS);
        let before = envoy.memory_kib();
        self.all
            .send_at_least(address, TURNS * workers as usize * TOKENS);
        (envoy.memory_kib() - before) as f64 / 1024.0
    }
}
