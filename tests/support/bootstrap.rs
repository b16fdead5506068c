//! The configuration of an Envoy in the tests, rendered from `envoy/templates`.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::envoy::{Ended, Envoy};
use super::process::Scratch;
use super::template::{fill, insert};
use super::tools::{self, Host};

/// A filter of a listener.
#[derive(Clone, Debug)]
pub(crate) enum Filter {
    /// edge-authz.
    EdgeAuthz(EdgeAuthz),
    /// Any other filter, as the YAML of an item of `http_filters`.
    Other(String),
}

/// The plugin's part of Envoy's configuration.
#[derive(Clone, Debug)]
pub(crate) struct EdgeAuthz {
    configuration: Configuration,
    /// Envoy's default, `FAIL_CLOSED`, if absent.
    failure_policy: Option<String>,
    allow_on_headers_stop_iteration: bool,
    vm_id: String,
    module: Option<PathBuf>,
    /// All capabilities if absent.
    capabilities: Option<Vec<String>>,
}

#[derive(Clone, Debug)]
enum Configuration {
    Struct(Value),
    Text(String),
}

impl EdgeAuthz {
    /// With a configuration that Envoy passes on as it does with YAML objects.
    pub(crate) fn new(configuration: Value) -> Self {
        Self::of(Configuration::Struct(configuration))
    }

    /// With a configuration that Envoy passes on byte for byte.
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
            capabilities: None,
        }
    }

    /// Sets the failure policy.
    pub(crate) fn failure_policy(mut self, policy: &str) -> Self {
        self.failure_policy = Some(policy.to_owned());
        self
    }

    /// Sets Envoy's flag of the same name.
    pub(crate) fn allow_on_headers_stop_iteration(mut self, allowed: bool) -> Self {
        self.allow_on_headers_stop_iteration = allowed;
        self
    }

    /// Sets the VM's id.
    pub(crate) fn vm_id(mut self, id: &str) -> Self {
        id.clone_into(&mut self.vm_id);
        self
    }

    /// Runs a module other than `dist/edge_authz.wasm`.
    pub(crate) fn module(mut self, path: &Path) -> Self {
        self.module = Some(path.to_owned());
        self
    }

    /// Restricts the functions that the module may call and export to these.
    pub(crate) fn capabilities<'n>(mut self, names: impl Iterator<Item = &'n str>) -> Self {
        self.capabilities = Some(names.map(str::to_owned).collect());
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
        match tools::host() {
            Host::ProxyWasm => self.render_wasm(&configuration),
            // The settings of a Wasm VM do not apply to it.
            Host::DynamicModule => template("edge-authz-dynamic-module.yaml")
                .replace("{{configuration}}", &configuration),
        }
    }

    fn render_wasm(&self, configuration: &str) -> String {
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
        let capabilities = self.capabilities.as_ref().map(|names| {
            let names: Vec<_> = names.iter().map(|name| format!("{name}: {{}}")).collect();
            let names = names.join(", ");
            format!("capability_restriction_config: {{allowed_capabilities: {{{names}}}}}")
        });
        let module = self.module.clone().unwrap_or_else(tools::module);
        // The configuration is inserted last: it may contain braces of its own.
        fill(
            &template("edge-authz.yaml").replace("{{configuration}}", "CONFIGURATION"),
            &[
                ("failure_policy", failure_policy.as_str()),
                ("stop_iteration", stop_iteration),
                ("capabilities", &capabilities.unwrap_or_default()),
                ("vm_id", &self.vm_id),
                ("module", &module.display().to_string()),
            ],
        )
        .replace("CONFIGURATION", configuration)
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

    /// Adds a filter after the existing ones.
    pub(crate) fn filter(mut self, filter: Filter) -> Self {
        self.filters.push(filter);
        self
    }

    /// Lets Envoy normalise paths and refuse ambiguous ones itself, as recommended.
    pub(crate) fn strict_paths(mut self) -> Self {
        self.strict_paths = true;
        self
    }

    /// Sets how many bytes Envoy buffers for a request that waits.
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
            &tools::log_format(&template("listener.yaml")).replace("{{filters}}", "FILTERS"),
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
    most_requests: u32,
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
            &[
                ("name", self.name.as_str()),
                ("endpoints", &endpoints),
                ("most_requests", &self.most_requests.to_string()),
            ],
        )
    }
}

/// The settings for starting Envoy.
#[derive(Clone, Debug)]
pub(crate) struct Builder {
    binary: PathBuf,
    concurrency: u32,
    log_level: String,
    listeners: Vec<Listener>,
    clusters: Vec<Cluster>,
    other_clusters: String,
    reloadable: bool,
    drain_time: u32,
    bootstrap: Option<String>,
}

/// The number of concurrent requests to a cluster: more than any test sends.
const MOST_REQUESTS: u32 = 100_000;

impl Builder {
    /// One worker, log level `info`, the given `upstream`, no listener yet.
    pub(crate) fn new(upstream: SocketAddr) -> Self {
        Self {
            binary: tools::envoy(),
            concurrency: 1,
            log_level: "info".to_owned(),
            listeners: Vec::new(),
            clusters: Vec::new(),
            other_clusters: String::new(),
            reloadable: false,
            drain_time: 1,
            bootstrap: None,
        }
        .cluster("upstream", upstream)
    }

    /// Uses a whole bootstrap instead of the harness's own. Its admin port must be one
    /// that the test may use, preferably 0; `{{access_log}}` in it is the file that
    /// [`Envoy::access_log`] reads.
    pub(crate) fn from_bootstrap(yaml: String) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut builder = Self::new(nowhere);
        builder.bootstrap = Some(yaml);
        builder
    }

    /// Lets [`Envoy::reload`] replace the listeners while Envoy runs.
    pub(crate) fn reloadable(mut self) -> Self {
        self.reloadable = true;
        self
    }

    /// Sets for how many seconds a replaced listener is drained.
    pub(crate) fn drain_time(mut self, seconds: u32) -> Self {
        self.drain_time = seconds;
        self
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
            most_requests: MOST_REQUESTS,
        });
        self
    }

    /// Limits the concurrent requests of the existing clusters: Envoy answers the others
    /// itself.
    pub(crate) fn most_requests(mut self, most: u32) -> Self {
        for cluster in &mut self.clusters {
            cluster.most_requests = most;
        }
        self
    }

    /// Adds a cluster without a host.
    pub(crate) fn empty_cluster(mut self, name: &str) -> Self {
        self.clusters.push(Cluster {
            name: name.to_owned(),
            endpoint: None,
            most_requests: MOST_REQUESTS,
        });
        self
    }

    /// Adds clusters of any kind, as YAML: items of a list that is not indented.
    pub(crate) fn other_clusters(mut self, yaml: &str) -> Self {
        self.other_clusters.push_str(yaml);
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

    /// Starts Envoy, or returns how it ended.
    pub(crate) fn try_start(self) -> Result<Envoy, Ended> {
        let scratch = Scratch::new("envoy");
        let command = self.command(&scratch);
        Envoy::launch(command, scratch)
    }

    /// Runs `envoy --mode validate`.
    pub(crate) fn validate(self) -> Ended {
        let scratch = Scratch::new("validate");
        let mut command = self.command(&scratch);
        command.args(["--mode", "validate"]);
        Ended::of(&command, &scratch)
    }

    fn command(&self, scratch: &Scratch) -> Command {
        let bootstrap = match &self.bootstrap {
            Some(given) => given.replace("{{access_log}}", &access_log(scratch).to_string_lossy()),
            None => self.render(scratch),
        };
        let mut command = Command::new(&self.binary);
        command
            .arg("-c")
            .arg(scratch.write("envoy.yaml", &bootstrap))
            .args(["--log-level", &self.log_level])
            .args(["--concurrency", &self.concurrency.to_string()])
            // File discovery requires a name of the proxy.
            .args(["--service-node", "test", "--service-cluster", "test"])
            .arg("--disable-hot-restart")
            .args(["--drain-time-s", &self.drain_time.to_string()])
            .args([
                "--parent-shutdown-time-s",
                &(self.drain_time + 1).to_string(),
            ])
            .current_dir(tools::root());
        if tools::host() == Host::DynamicModule {
            command.env(
                "ENVOY_DYNAMIC_MODULES_SEARCH_PATH",
                tools::dynamic_modules(),
            );
        }
        command
    }

    fn render(&self, scratch: &Scratch) -> String {
        let discovery = if self.reloadable {
            let path = write_listeners(scratch, &self.listeners);
            format!(
                "lds_config: {{path_config_source: {{path: \"{}\"}}}}",
                path.display()
            )
        } else {
            String::new()
        };
        let listeners = if self.reloadable {
            String::new()
        } else {
            render_listeners(scratch, &self.listeners)
        };
        let mut clusters: String = self.clusters.iter().map(Cluster::render).collect();
        clusters.push_str(&self.other_clusters);
        let text = template("bootstrap.yaml").replace("{{discovery}}", &discovery);
        let text = insert(&text, "{{listeners}}", &listeners);
        insert(&text, "{{clusters}}", &clusters)
    }
}

/// Writes the file that a reloadable Envoy watches: a new file that is moved there.
pub(crate) fn write_listeners(scratch: &Scratch, listeners: &[Listener]) -> PathBuf {
    let resources = render_listeners(scratch, listeners).replace(
        "- name: \"",
        "- \"@type\": type.googleapis.com/envoy.config.listener.v3.Listener\n  name: \"",
    );
    let new = scratch.write("listeners.new", &format!("resources:\n{resources}"));
    let path = scratch.path().join("listeners.yaml");
    fs::rename(new, &path).expect("a file below target/");
    path
}

fn render_listeners(scratch: &Scratch, listeners: &[Listener]) -> String {
    let access_log = access_log(scratch);
    let render = |listener: &Listener| listener.render(&access_log);
    listeners.iter().map(render).collect()
}

fn access_log(scratch: &Scratch) -> PathBuf {
    scratch.path().join("access.log")
}

fn template(name: &str) -> String {
    let path = tools::root().join("envoy/templates").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
