//! Modules that run out of memory. In a worker's `on_configure` that would serve the
//! listener without the filter, and anywhere else it would end the filter of every
//! listener.

mod limits;
mod recovery;
mod updates;

use std::time::Duration;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::{Scratch, wait_until};
use crate::support::tokens::TokenMaker;
use crate::support::wasm;

/// How long Envoy may take to check a large configuration on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// By then the workers have the same state as the main thread.
const SETTLED: Duration = Duration::from_millis(500);

const NO_MEMORY: &str = "there is no memory for the configuration";

/// The outcome of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    InForce,
    /// Everything is 503, and the log says why.
    NoMemory,
    /// It is invalid, and the former one stays.
    Refused,
}

/// An Envoy of one worker, whose modules have little memory.
struct Squeezed {
    module: std::path::PathBuf,
    _issuer: Issuer,
    upstream: Echo,
    envoy: Envoy,
    /// Of the last configuration.
    number: usize,
    vm_id: String,
    /// The number of requests that passed.
    passed: usize,
    /// The number of log lines that report missing memory.
    said: usize,
    _scratch: Scratch,
}

impl Squeezed {
    /// Starts with a small configuration, for which there may be no memory either.
    fn start(mebibytes: usize, drain_time: u32) -> Self {
        only_here();
        let scratch = Scratch::new("squeezed");
        let module = wasm::with_memory(mebibytes, &scratch);
        let issuer = Issuer::with_keys(&[&TokenMaker::generate("ES256", "key-1")]);
        let upstream = Echo::start();
        let vm_id = "first".to_owned();
        let first = r#"{"routes":[{"match":"GET /in-force-0","access":"public"}]}"#;
        let plugin = EdgeAuthz::from_text(first).module(&module).vm_id(&vm_id);
        let envoy = Builder::new(upstream.address())
            .cluster("issuer", issuer.address())
            .listener(Listener::new("main", plugin))
            .drain_time(drain_time)
            .reloadable()
            .start();
        let mut squeezed = Self {
            module,
            _issuer: issuer,
            upstream,
            envoy,
            number: 0,
            vm_id,
            passed: 0,
            said: 0,
            _scratch: scratch,
        };
        squeezed.outcome("the first one");
        squeezed
    }

    /// Switches to a VM of its own, with all its memory free.
    fn begin_anew(&mut self, vm_id: &str) {
        vm_id.clone_into(&mut self.vm_id);
    }

    /// Replaces the configuration; the text has a public route `GET /in-force`. Whatever
    /// the outcome, nothing traps and no other request passes.
    fn update(&mut self, name: &str, text: &str) -> Outcome {
        self.number += 1;
        let name = format!("{name}, {} bytes, number {}", text.len(), self.number);
        let text = text.replace("/in-force", &format!("/in-force-{}", self.number));
        let plugin = EdgeAuthz::from_text(&text);
        self.take(&name, plugin)
    }

    fn take(&mut self, name: &str, plugin: EdgeAuthz) -> Outcome {
        let plugin = plugin.module(&self.module).vm_id(&self.vm_id);
        let is_taken = self.envoy.reload(&[Listener::new("main", plugin)]);
        self.assert_no_trap(name);
        if is_taken {
            return self.outcome(name);
        }
        let nowhere = self.get("/nowhere");
        assert!([404, 503].contains(&nowhere), "{name}: {nowhere}");
        Outcome::Refused
    }

    /// The outcome of a configuration that Envoy has accepted.
    fn outcome(&mut self, name: &str) -> Outcome {
        let path = format!("/in-force-{}", self.number);
        let outcome = wait_until(PATIENCE, || match self.get(&path) {
            200 => Some(Outcome::InForce),
            // The former configuration may also refuse everything, and the main thread
            // logs this one before the worker does.
            503 => {
                let lines = self.lines();
                std::thread::sleep(SETTLED);
                let is_this = lines > self.said && lines == self.lines();
                (is_this && self.get(&path) == 503).then_some(Outcome::NoMemory)
            }
            404 => None,
            other => panic!("{name}: {other}"),
        });
        let outcome = outcome.unwrap_or_else(|| panic!("{name} is neither active nor denied"));
        if outcome == Outcome::NoMemory {
            for path in ["/nowhere", "/in-force-0", &path] {
                assert_eq!(self.get(path), 503, "{name}: {path}");
            }
        } else {
            self.passed += 1;
            assert_eq!(self.get("/nowhere"), 404, "{name}");
        }
        self.said = self.lines();
        assert_eq!(self.upstream.count(), self.passed, "{name}");
        self.assert_no_trap(name);
        outcome
    }

    fn get(&self, path: &str) -> u16 {
        self.envoy.send(&Request::get(path)).status
    }

    fn lines(&self) -> usize {
        self.envoy.log().matches(NO_MEMORY).count()
    }

    #[track_caller]
    fn assert_no_trap(&self, name: &str) {
        let log = self.envoy.log();
        let trap = log.lines().find(|line| line.contains("Function: "));
        assert!(trap.is_none(), "{name}: the module trapped: {trap:?}");
    }
}
