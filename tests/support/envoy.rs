//! A running Envoy, on ports that it chose itself.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::process::{Command, ExitStatus};
use std::time::Duration;

use edge_authz::telemetry::Family;
use serde_json::Value;

use super::authorizer::Authorizers;
use super::bootstrap::{Listener, write_listeners};
use super::http::{Request, Response};
use super::process::{Process, Scratch, wait_until};
use super::{http1, http2};

/// How long Envoy may take to start or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// How an Envoy ended that was not meant to run, or that failed.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) log: String,
}

impl Ended {
    /// Runs a program that ends by itself.
    pub(crate) fn of(command: &Command, scratch: &Scratch) -> Self {
        let log = scratch.path().join("log");
        let mut process = Process::start(command, &log).expect("Envoy runs");
        let status = process.wait(PATIENCE).expect("Envoy ends");
        Self {
            status,
            log: log_text(&process),
        }
    }
}

/// The log without Envoy's list of its compiled-in extensions.
fn log_text(process: &Process) -> String {
    let log = process.log();
    let lines = log.split_inclusive('\n');
    lines
        .filter(|line| !line.contains("[info][main] [source/server/server.cc:"))
        .collect()
}

/// A running Envoy.
pub(crate) struct Envoy {
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    process: Process,
    scratch: Scratch,
    /// The servers that it asks, with the host `ext-authz`.
    authorizers: Option<Authorizers>,
}

impl Envoy {
    /// Runs the command and waits until Envoy is ready, or has ended.
    pub(crate) fn launch(mut command: Command, scratch: Scratch) -> Result<Self, Ended> {
        let admin_file = scratch.path().join("admin");
        command
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--file-flush-interval-msec", "20"]);
        let log = scratch.path().join("log");
        let mut process = Process::start(&command, &log).expect("Envoy runs");
        let ready = wait_until(PATIENCE, || {
            if let Some(status) = process.ended() {
                return Some(Err(status));
            }
            let admin: SocketAddr = fs::read_to_string(&admin_file).ok()?.trim().parse().ok()?;
            let answer = http1::exchange(admin, &Request::get("/ready")).ok()?;
            (answer.status == 200).then_some(Ok(admin))
        });
        match ready {
            Some(Ok(admin)) => Ok(Self::new(admin, process, scratch)),
            Some(Err(status)) => Err(Ended {
                status,
                log: log_text(&process),
            }),
            None => panic!("Envoy is not ready after {PATIENCE:?}:\n{}", process.log()),
        }
    }

    fn new(admin: SocketAddr, process: Process, scratch: Scratch) -> Self {
        let mut envoy = Self {
            admin,
            listeners: BTreeMap::new(),
            process,
            scratch,
            authorizers: None,
        };
        let answer = envoy.admin("GET", "/listeners?format=json").json();
        for listener in answer["listener_statuses"].as_array().into_iter().flatten() {
            let at = &listener["local_address"]["socket_address"];
            let port = at["port_value"].as_u64().expect("a port");
            let name = listener["name"].as_str().expect("a name").to_owned();
            let address = format!("127.0.0.1:{port}").parse().expect("an address");
            envoy.listeners.insert(name, address);
        }
        envoy
    }

    /// Keeps the servers that it asks until it ends.
    pub(crate) fn keep(&mut self, authorizers: Option<Authorizers>) {
        self.authorizers = authorizers;
    }

    /// Replaces the listeners of an Envoy that was started as reloadable, and returns
    /// whether it accepted them.
    pub(crate) fn reload(&self, listeners: &[Listener]) -> bool {
        if let Some(authorizers) = &self.authorizers {
            let mut all = listeners.iter().filter_map(Listener::configuration);
            return all.all(|(name, configuration)| authorizers.replace(&name, &configuration));
        }
        let counters = || {
            let stats = self.stats("listener_manager.lds.update_");
            let of = |name: &str| {
                stats
                    .get(&format!("listener_manager.lds.update_{name}"))
                    .copied()
            };
            (of("success"), of("rejected"))
        };
        let before = counters();
        write_listeners(&self.scratch, listeners);
        let after = wait_until(Duration::from_secs(20), || {
            Some(counters()).filter(|now| *now != before)
        });
        after.expect("Envoy checks the new listeners").0 != before.0
    }

    /// The address of the only listener.
    pub(crate) fn address(&self) -> SocketAddr {
        assert!(self.listeners.len() == 1, "which of the listeners?");
        *self.listeners.values().next().expect("a listener")
    }

    /// The address of a listener.
    pub(crate) fn listener(&self, name: &str) -> SocketAddr {
        self.listeners[name]
    }

    /// Sends a request to the only listener, over HTTP/1.1.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Response {
        http1::exchange(self.address(), request).expect("an answer")
    }

    /// Sends a request to the only listener, over HTTP/2.
    #[track_caller]
    pub(crate) fn send2(&self, request: &Request) -> Response {
        http2::exchange(self.address(), request).expect("an answer")
    }

    /// The address of the admin interface.
    pub(crate) fn admin_address(&self) -> SocketAddr {
        self.admin
    }

    /// Sends a request to the admin interface.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Response {
        http1::exchange(self.admin, &Request::new(method, path)).expect("the admin interface")
    }

    /// The counters and gauges whose name contains `part`.
    pub(crate) fn stats(&self, part: &str) -> BTreeMap<String, u64> {
        let of_authorizers = self.authorizers.iter().flat_map(Authorizers::stats);
        self.admin("GET", "/stats")
            .text_lines()
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let value = value.parse().ok()?;
                let name = without_labels(name);
                Some((name, value))
            })
            .chain(of_authorizers)
            .filter(|(name, _)| name.contains(part))
            .collect()
    }

    /// The same, once they satisfy `wanted` or 20 s have passed: the filter reports a
    /// request on a later tick.
    pub(crate) fn stats_once(
        &self,
        part: &str,
        wanted: impl Fn(&BTreeMap<String, u64>) -> bool,
    ) -> BTreeMap<String, u64> {
        let read = || Some(self.stats(part)).filter(&wanted);
        wait_until(Duration::from_secs(20), read).unwrap_or_else(|| self.stats(part))
    }

    /// One counter or gauge; 0 if it does not exist yet.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        self.stats(name).get(name).copied().unwrap_or(0)
    }

    /// Envoy's log so far.
    pub(crate) fn log(&self) -> String {
        log_text(&self.process)
    }

    /// Waits until the log has a line that contains `text`, and returns the line.
    #[track_caller]
    pub(crate) fn log_line(&self, text: &str) -> String {
        wait_until(Duration::from_secs(10), || {
            let log = self.log();
            log.lines()
                .find(|line| line.contains(text))
                .map(str::to_owned)
        })
        .unwrap_or_else(|| panic!("no log line has {text:?}"))
    }

    /// The access log so far, one object for each request, once it has `count` entries.
    #[track_caller]
    pub(crate) fn access_log(&self, count: usize) -> Vec<Value> {
        let path = self.scratch.path().join("access.log");
        let read = || {
            let text = fs::read_to_string(&path).unwrap_or_default();
            text.lines()
                .map(|line| serde_json::from_str(line).expect("JSON"))
                .collect::<Vec<Value>>()
        };
        wait_until(Duration::from_secs(10), || {
            Some(read()).filter(|entries| entries.len() >= count)
        })
        .unwrap_or_else(|| panic!("{} of {count} access log entries", read().len()))
    }

    /// The resident memory of the process in KiB (Linux).
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.process.id()))
            .expect("a process table");
        status
            .lines()
            .find_map(|line| line.strip_prefix("VmRSS:"))
            .and_then(|rest| rest.split_whitespace().next()?.parse().ok())
            .expect("VmRSS")
    }

    /// The names of the threads of the process (Linux).
    pub(crate) fn threads(&self) -> Vec<String> {
        let tasks = format!("/proc/{}/task", self.process.id());
        let tasks = fs::read_dir(tasks).expect("a process table");
        let names = tasks.filter_map(|task| {
            // The thread may have ended already.
            let name = fs::read_to_string(task.ok()?.path().join("comm")).ok()?;
            Some(name.trim_end().to_owned())
        });
        names.collect()
    }

    /// The process, to stop and continue it.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Fails the test if a callback of the module has trapped.
    #[track_caller]
    pub(crate) fn assert_no_trap(&self) {
        let log = self.log();
        let trap = log
            .lines()
            .find(|line| line.contains("Function: ") || line.contains("panicked at"));
        assert!(trap.is_none(), "the module trapped: {trap:?}");
    }
}

/// A metric's name as in the Wasm module. The metrics of a dynamic module have labels,
/// which Envoy's own list includes in the name.
fn without_labels(name: &str) -> String {
    let series = |family: &Family| {
        let rest = name.strip_prefix("dynamicmodulescustom.")?;
        let mut rest = rest.strip_prefix(family.name())?;
        let (_, plain) = family.name().split_once("edge_authz_")?;
        let mut plain = format!("wasmcustom.edge_authz.{plain}");
        let mut labels = family.labels().iter().peekable();
        while let Some(label) = labels.next() {
            let value = rest.strip_prefix(&format!(".{label}."))?;
            let end = labels.peek().map_or(value.len(), |next| {
                value.find(&format!(".{next}.")).unwrap_or(value.len())
            });
            plain.push('.');
            plain.push_str(&value[..end]);
            rest = &value[end..];
        }
        rest.is_empty().then_some(plain)
    };
    let known = Family::ALL.iter().find_map(series);
    known.unwrap_or_else(|| name.to_owned())
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let log = self.log();
        let lines: Vec<_> = log.lines().collect();
        let last = &lines[lines.len().saturating_sub(60)..];
        eprintln!(
            "--- the end of Envoy's log (all of it in {}):\n{}\n---",
            self.scratch.path().display(),
            last.join("\n")
        );
    }
}

impl Response {
    pub(crate) fn text_lines(&self) -> impl Iterator<Item = &str> {
        std::str::from_utf8(&self.body).unwrap_or_default().lines()
    }
}
