//! The configuration of an Envoy in the tests, rendered from `envoy/templates`.

mod cluster;
mod listener;
mod plugin;

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use super::authorizer::Authorizers;
use super::envoy::{Ended, Envoy};
use super::process::Scratch;
use super::template::{fill, insert, replace};
use super::tools::{self, Host};
use cluster::Cluster;
use listener::{access_log, render_listeners};

#[allow(unused_imports, reason = "not every program uses each of them")]
pub(crate) use listener::{Filter, Listener, write_listeners};
pub(crate) use plugin::EdgeAuthz;

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
    modules: Option<PathBuf>,
    environment: Vec<(String, PathBuf)>,
}

/// The number of concurrent requests to a cluster: more than any test sends.
const MAX_REQUESTS: u32 = 100_000;

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
            modules: None,
            environment: Vec::new(),
        }
        .cluster("upstream", upstream)
    }

    /// Uses a whole bootstrap instead of the harness's own. Its admin port must be one
    /// that the test may use, preferably 0; `{{access_log}}` in it is the file that
    /// [`Envoy::access_log`] reads, and `{{other_clusters}}` stands for
    /// [`Builder::other_clusters`]. Listeners that are added to it are not rendered, but have
    /// their server with the hosts `ext-authz` and `ext-authz-http`.
    pub(crate) fn from_bootstrap(yaml: String) -> Self {
        let nowhere = SocketAddr::from(([127, 0, 0, 1], 9));
        let mut builder = Self::new(nowhere);
        builder.bootstrap = Some(yaml);
        builder
    }

    /// Changes a text of a whole bootstrap.
    #[track_caller]
    pub(crate) fn changed(mut self, from: &str, to: &str) -> Self {
        self.bootstrap = self.bootstrap.map(|text| replace(&text, from, to));
        self
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
            most_requests: MAX_REQUESTS,
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
            most_requests: MAX_REQUESTS,
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

    /// Sets a variable of Envoy's environment to a path.
    pub(crate) fn environment(mut self, name: &str, path: &Path) -> Self {
        self.environment.push((name.to_owned(), path.to_owned()));
        self
    }

    /// Lets Envoy look for dynamic modules in another directory.
    pub(crate) fn modules(mut self, path: &Path) -> Self {
        self.modules = Some(path.to_owned());
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
    pub(crate) fn try_start(mut self) -> Result<Envoy, Ended> {
        let scratch = Scratch::new("envoy");
        let authorizers = (tools::host().is_server()).then(|| self.authorizers());
        let command = self.command(&scratch);
        let mut envoy = Envoy::launch(command, scratch)?;
        envoy.keep(authorizers);
        Ok(envoy)
    }

    /// Starts the servers that Envoy asks, and adds their clusters.
    fn authorizers(&mut self) -> Authorizers {
        let listeners = self.listeners.iter().filter_map(Listener::configuration);
        let clusters = self.clusters.iter();
        let reachable = clusters.filter_map(|it| Some((it.name.clone(), it.endpoint?)));
        let authorizers = Authorizers::start(listeners.collect(), reachable.collect());
        for (name, address) in authorizers.addresses() {
            let (name, port) = (plugin::authorizer(name), address.port().to_string());
            let values = [("name", name.as_str()), ("port", &port)];
            let cluster = fill(&template("authorizer.yaml"), &values);
            self.other_clusters.push_str(&cluster);
        }
        authorizers
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
            Some(given) => {
                let given = given.replace("{{access_log}}", &access_log(scratch).to_string_lossy());
                insert(&given, "{{other_clusters}}", &self.other_clusters)
            }
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
            let modules = self.modules.clone();
            command.env(
                "ENVOY_DYNAMIC_MODULES_SEARCH_PATH",
                modules.unwrap_or_else(tools::dynamic_modules),
            );
        }
        command.envs(self.environment.iter().map(|(name, path)| (name, path)));
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

fn template(name: &str) -> String {
    let path = tools::root().join("envoy/templates").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}
