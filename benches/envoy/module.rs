//! The cost of the module before the first request.

use serde_json::json;

use crate::envoy::{listener, start_with};
use crate::filters::wasm;
use crate::machine::cpu_of;
use crate::sample::{Pace, median};
use crate::support::tools;

/// The module's own figures.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Module {
    pub(crate) kib: f64,
    /// The CPU time until Envoy is ready, minus that without the filter.
    pub(crate) load_seconds: f64,
    /// The resident memory of one more worker, minus that without the filter.
    pub(crate) worker_mib: f64,
}

/// A worker's memory is the mean over this many additional workers.
const FURTHER: u32 = 4;

/// Measures the module that `make wasm` built.
pub(crate) fn measure(pace: Pace) -> Module {
    eprintln!("The module");
    let bytes = std::fs::metadata(tools::module())
        .expect("the module")
        .len();
    let difference = |figure: &dyn Fn(bool) -> f64| {
        median((0..pace.short_rounds).map(|_| figure(true) - figure(false)))
    };
    let module = Module {
        kib: bytes as f64 / 1024.0,
        load_seconds: difference(&|filtered| started(filtered, 1).0),
        worker_mib: difference(&|filtered| {
            let more = started(filtered, 1 + FURTHER).1 - started(filtered, 1).1;
            more / f64::from(FURTHER)
        }),
    };
    eprintln!(
        "  {:.0} KiB, {:.2} CPU-s to load, {:.1} MiB for a further worker",
        module.kib, module.load_seconds, module.worker_mib
    );
    module
}

/// The CPU seconds until Envoy is ready, and its memory in MiB then.
fn started(filtered: bool, workers: u32) -> (f64, f64) {
    let configuration = json!({"routes": [{"match": "$default", "access": "public"}]});
    let filters: Vec<_> = filtered.then(|| wasm(&configuration)).into_iter().collect();
    let listener = listener("one", &filters, &json!({}), false);
    let mut envoy = start_with(&[listener], &[], workers);
    let process = envoy.process().id();
    (
        cpu_of(process).as_secs_f64(),
        envoy.memory_kib() as f64 / 1024.0,
    )
}
