//! A real Envoy, started from `envoy/templates` on free ports.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitStatus};
use std::time::Duration;

use serde_json::Value;

use super::http::{Request, Response};
use super::process::{Process, Scratch, wait_until};
use super::template::{fill, insert};
use super::{http1, http2, tools};

/// How long Envoy may take to start or to end, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A filter of a listener.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// edge-authz.
    EdgeAuthz(EdgeAuthz),
    /// Any other, as the YAML of an item of `http_filters`.
    Other(String),
}

/// The plugin's part of Envoy's configuration.
#[derive(Clone, Debug)]
pub(crate) struct EdgeAuthz {
    configuration: Configuration,
    /// Envoy's default, `FAIL_CLOSED`, where absent.
    failure_policy: Option<String>,
    allow_on_headers_stop_iteration: bool,
    vm_id: String,
    module: Option<PathBuf>,
}

#[derive(Clone, Debug)]
enum Configuration {
    Struct(Value),
    Text(String),
}

impl EdgeAuthz {
    /// With a configuration that Envoy hands over as it does with YAML objects.
    pub(crate) fn new(configuration: Value) -> Self {
        Self::of(Configuration::Struct(configuration))
    }

    /// With a configuration handed over byte for byte.
    pub(crate) fn from_text(configuration: &str) -> Self {
        Self::of(Configuration::Text(configuration.to_owned()))
    }

    fn of(configuration: Configuration) -> Self {
        Self {
            configuration,
            failure_policy: None,
            allow_on_headers_stop_iteration: false,
            vm_id: String::new(),
            module: None,
        }
    }

    /// Sets the failure policy.
    pub(crate) fn failure_policy(mut self, policy: &str) -> Self {
        self.failure_policy = Some(policy.to_owned());
        self
    }

    /// Sets Envoy's flag of the same name.
    pub(crate) fn allow_on_headers_stop_iteration(mut self) -> Self {
        self.allow_on_headers_stop_iteration = true;
        self
    }

    /// Sets the VM's id.
    pub(crate) fn vm_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.vm_id);
        self
    }

    /// Runs another module than `dist/edge_authz.wasm`.
    pub(crate) fn module(mut self, path: &Path) -> Self {
        self.module = Some(path.to_owned());
        self
    }

    fn render(&self) -> String {
        let configuration = match &self.configuration {
            Configuration::Struct(value) => format!(
                r#"{{"@type": "type.googleapis.com/google.protobuf.Struct", "value": {value}}}"#
            ),
            Configuration::Text(text) => format!(
                r#"{{"@type": "type.googleapis.com/google.protobuf.StringValue", "value": {}}}"#,
                Value::from(text.as_str())
            ),
        };
        let failure_policy = self
            .failure_policy
            .as_ref()
            .map(|policy| format!("failure_policy: {policy}"))
            .unwrap_or_default();
        let stop_iteration = if self.allow_on_headers_stop_iteration {
            "allow_on_headers_stop_iteration: true"
        } else {
            ""
        };
        let module = self.module.clone().unwrap_or_else(tools::module);
        // The configuration goes in last: it may hold braces of its own.
        fill(
            &template("edge-authz.yaml").replace("{{configuration}}", "CONFIGURATION"),
            &[
                ("failure_policy", failure_policy.as_str()),
                ("stop_iteration", stop_iteration),
                ("vm_id", &self.vm_id),
                ("module", &module.display().to_string()),
            ],
        )
        .replace("CONFIGURATION", &configuration)
    }
}

/// A listener: a list of filters before the router.
#[derive(Clone, Debug)]
pub(crate) struct Listener {
    name: String,
    filters: Vec<Filter>,
    strict_paths: bool,
    buffer_limit: u32,
}

impl Listener {
    /// A listener without filters.
    pub(crate) fn plain(name: &str) -> Self {
        Self {
            name: name.to_owned(),
            filters: Vec::new(),
            strict_paths: false,
            buffer_limit: 1024 * 1024,
        }
    }

    /// A listener with edge-authz.
    pub(crate) fn new(name: &str, filter: EdgeAuthz) -> Self {
        Self::plain(name).filter(Filter::EdgeAuthz(filter))
    }

    /// Adds a filter after those it has.
    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Lets Envoy normalise paths and refuse ambiguous ones itself, as
    /// recommended.
    pub(crate) fn strict_paths(mut self) -> Self {
        self.strict_paths = true;
        self
    }

    /// Sets how many bytes Envoy keeps for a request that waits.
    pub(crate) fn buffer_limit(mut self, bytes: u32) -> Self {
        self.buffer_limit = bytes;
        self
    }

    fn render(&self, access_log: &Path) -> String {
        let strict = template("paths-strict.yaml");
        let filters: String = self
            .filters
            .iter()
            .map(|filter| match filter {
                Filter::EdgeAuthz(plugin) => plugin.render(),
                Filter::Other(yaml) => format!("{}\n", yaml.trim_end()),
            })
            .collect();
        let filled = fill(
            &template("listener.yaml").replace("{{filters}}", "FILTERS"),
            &[
                ("name", self.name.as_str()),
                ("buffer_limit", &self.buffer_limit.to_string()),
                ("paths", if self.strict_paths { &strict } else { "" }),
                ("access_log", &access_log.display().to_string()),
            ],
        );
        insert(&filled, "FILTERS", &filters)
    }
}

/// A cluster with one endpoint, or none.
#[derive(Clone, Debug)]
pub(crate) struct Cluster {
    name: String,
    endpoint: Option<SocketAddr>,
}

impl Cluster {
    fn render(&self) -> String {
        let endpoints = self.endpoint.map_or_else(String::new, |at| {
            format!(
                "{{endpoint: {{address: {{socket_address: {{address: {}, port_value: {}}}}}}}}}",
                at.ip(),
                at.port()
            )
        });
        fill(
            &template("cluster.yaml"),
            &[("name", self.name.as_str()), ("endpoints", &endpoints)],
        )
    }
}

/// What Envoy is to be started with.
#[derive(Clone, Debug)]
pub(crate) struct Builder {
    binary: PathBuf,
    concurrency: u32,
    log_level: String,
    listeners: Vec<Listener>,
    clusters: Vec<Cluster>,
}

impl Builder {
    /// One worker, log level `info`, the given `upstream`, no listener yet.
    pub(crate) fn new(upstream: SocketAddr) -> Self {
        Self {
            binary: tools::envoy(),
            concurrency: 1,
            log_level: "info".to_owned(),
            listeners: Vec::new(),
            clusters: Vec::new(),
        }
        .cluster("upstream", upstream)
    }

    /// Adds a listener.
    pub(crate) fn listener(mut self, listener: Listener) -> Self {
        self.listeners.push(listener);
        self
    }

    /// Adds the listener `main` with edge-authz and this configuration.
    pub(crate) fn edge_authz(self, configuration: Value) -> Self {
        self.listener(Listener::new("main", EdgeAuthz::new(configuration)))
    }

    /// Adds a cluster.
    pub(crate) fn cluster(mut self, name: &str, endpoint: SocketAddr) -> Self {
        self.clusters.push(Cluster {
            name: name.to_owned(),
            endpoint: Some(endpoint),
        });
        self
    }

    /// Adds a cluster that has no host.
    pub(crate) fn empty_cluster(mut self, name: &str) -> Self {
        self.clusters.push(Cluster {
            name: name.to_owned(),
            endpoint: None,
        });
        self
    }

    /// Sets the number of workers.
    pub(crate) fn concurrency(mut self, workers: u32) -> Self {
        self.concurrency = workers;
        self
    }

    /// Sets the log level of every component.
    pub(crate) fn log_level(mut self, level: &str) -> Self {
        level.clone_into(&mut self.log_level);
        self
    }

    /// Runs another Envoy.
    pub(crate) fn binary(mut self, path: PathBuf) -> Self {
        self.binary = path;
        self
    }

    /// Starts Envoy and waits until it is ready.
    #[track_caller]
    pub(crate) fn start(self) -> Envoy {
        self.try_start().unwrap_or_else(|ended| {
            panic!("Envoy did not start ({}):\n{}", ended.status, ended.log)
        })
    }

    /// Starts Envoy, or tells how it ended.
    pub(crate) fn try_start(self) -> Result<Envoy, Ended> {
        let scratch = Scratch::new("envoy");
        let bootstrap = self.write(&scratch);
        let admin_file = scratch.path().join("admin");
        let mut command = self.command(&bootstrap);
        command
            .arg("--admin-address-path")
            .arg(&admin_file)
            .args(["--concurrency", &self.concurrency.to_string()])
            .args(["--file-flush-interval-msec", "20"])
            .args(["--drain-time-s", "1", "--parent-shutdown-time-s", "2"]);
        let mut process =
            Process::start(&command, &scratch.path().join("log")).expect("Envoy runs");
        let ready = wait_until(PATIENCE, || {
            if let Some(status) = process.ended() {
                return Some(Err(status));
            }
            let admin: SocketAddr = fs::read_to_string(&admin_file).ok()?.trim().parse().ok()?;
            let answer = http1::exchange(admin, &Request::get("/ready")).ok()?;
            (answer.status == 200).then_some(Ok(admin))
        });
        match ready {
            Some(Ok(admin)) => Ok(Envoy::new(admin, process, scratch)),
            Some(Err(status)) => Err(Ended {
                status,
                log: process.log(),
            }),
            None => panic!("Envoy is not ready after {PATIENCE:?}:\n{}", process.log()),
        }
    }

    /// Runs `envoy --mode validate`.
    pub(crate) fn validate(self) -> Ended {
        let scratch = Scratch::new("validate");
        let bootstrap = self.write(&scratch);
        let mut command = self.command(&bootstrap);
        command.args(["--mode", "validate"]);
        let mut process =
            Process::start(&command, &scratch.path().join("log")).expect("Envoy runs");
        let status = process.wait(PATIENCE).expect("validation ends");
        Ended {
            status,
            log: process.log(),
        }
    }

    fn command(&self, bootstrap: &Path) -> Command {
        let mut command = Command::new(&self.binary);
        command
            .arg("-c")
            .arg(bootstrap)
            .args(["--log-level", &self.log_level])
            .arg("--disable-hot-restart");
        command
    }

    fn write(&self, scratch: &Scratch) -> PathBuf {
        let access_log = scratch.path().join("access.log");
        let listeners: String = self
            .listeners
            .iter()
            .map(|listener| listener.render(&access_log))
            .collect();
        let clusters: String = self.clusters.iter().map(Cluster::render).collect();
        let bootstrap = insert(&template("bootstrap.yaml"), "{{listeners}}", &listeners);
        let bootstrap = insert(&bootstrap, "{{clusters}}", &clusters);
        scratch.write("envoy.yaml", &bootstrap)
    }
}

/// How an Envoy ended that was not meant to run, or did not.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) status: ExitStatus,
    pub(crate) log: String,
}

/// A running Envoy.
pub(crate) struct Envoy {
    admin: SocketAddr,
    listeners: BTreeMap<String, SocketAddr>,
    process: Process,
    scratch: Scratch,
}

impl Envoy {
    fn new(admin: SocketAddr, process: Process, scratch: Scratch) -> Self {
        let mut envoy = Self {
            admin,
            listeners: BTreeMap::new(),
            process,
            scratch,
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

    /// Asks the admin interface.
    pub(crate) fn admin(&self, method: &str, path: &str) -> Response {
        http1::exchange(self.admin, &Request::new(method, path)).expect("the admin interface")
    }

    /// The counters and gauges whose name has `part` in it.
    pub(crate) fn stats(&self, part: &str) -> BTreeMap<String, u64> {
        self.admin("GET", "/stats")
            .text_lines()
            .filter_map(|line| {
                let (name, value) = line.split_once(": ")?;
                let value = value.parse().ok()?;
                name.contains(part).then(|| (name.to_owned(), value))
            })
            .collect()
    }

    /// One counter or gauge; 0 where it is not there yet.
    pub(crate) fn stat(&self, name: &str) -> u64 {
        self.stats(name).get(name).copied().unwrap_or(0)
    }

    /// Envoy's log so far.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }

    /// Waits until the log has a line with `text` in it and returns the line.
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

    /// The access log so far, one object a request, as soon as it has `count`
    /// entries.
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

    /// The process, to stop and continue it.
    pub(crate) fn process(&mut self) -> &mut Process {
        &mut self.process
    }

    /// Ends the test when a callback of the module trapped.
    #[track_caller]
    pub(crate) fn assert_no_trap(&self) {
        let log = self.log();
        let trap = log
            .lines()
            .find(|line| line.contains("Function: ") || line.contains("panicked at"));
        assert!(trap.is_none(), "the module trapped: {trap:?}");
    }
}

impl Drop for Envoy {
    fn drop(&mut self) {
        if !std::thread::panicking() {
            return;
        }
        let log = self.log();
        // Without the list of everything that is compiled in.
        let said = log.lines().filter(|line| !line.contains("server.cc:4"));
        let lines: Vec<_> = said.collect();
        let last = &lines[lines.len().saturating_sub(60)..];
        eprintln!(
            "--- the end of Envoy's log (all of it in {}):\n{}\n---",
            self.scratch.path().display(),
            last.join("\n")
        );
    }
}

impl Response {
    fn text_lines(&self) -> impl Iterator<Item = &str> {
        std::str::from_utf8(&self.body).unwrap_or_default().lines()
    }
}

fn template(name: &str) -> String {
    let path = tools::root().join("envoy/templates").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
