//! The `envoy.yaml` of an example, changed so that it can run: on free ports, with this
//! run's servers behind its clusters.

use std::fs;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::{Value, json};

use super::bootstrap::Builder;
use super::envoy::Envoy;
use super::process::{Process, Scratch, wait_until};
use super::template::replace;
use super::tools::{self, Host};

/// The cluster of the API behind Envoy; all others are of issuers.
const API: &str = "api";

/// An `envoy.yaml`.
pub(crate) struct Example {
    bootstrap: Value,
}

/// `examples/NAME`.
pub(crate) fn folder(name: &str) -> PathBuf {
    let folder = tools::root().join("examples").join(name);
    assert!(folder.is_dir(), "there is no {}", folder.display());
    folder
}

impl Example {
    /// Reads the file of a folder, and replaces its placeholder ids.
    pub(crate) fn read(folder: &Path, ids: &[(&str, &str)]) -> Self {
        let path = folder.join("envoy.yaml");
        let text = fs::read_to_string(&path).expect("the example's envoy.yaml");
        let text = ids
            .iter()
            .fold(text, |text, (from, to)| replace(&text, from, to));
        let mut bootstrap: Value = serde_saphyr::from_str(&text)
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        free_ports(&mut bootstrap);
        let mut example = Self { bootstrap };
        if tools::host() == Host::ProxyWasm {
            *example.plugin("vm_config/code/local/filename") = json!(tools::module());
        }
        example
    }

    /// Sets the address of the API.
    pub(crate) fn api(self, at: SocketAddr) -> Self {
        self.plain(API, at)
    }

    /// Sets the address of every issuer, without TLS.
    pub(crate) fn issuers(self, at: SocketAddr) -> Self {
        let clusters = self.clusters().map(|cluster| cluster["name"].clone());
        let names: Vec<_> = clusters.filter(|name| name != API).collect();
        let names = names.iter().filter_map(Value::as_str);
        names.fold(self, |example, name| example.plain(name, at))
    }

    /// Sets the address of a cluster, and trusts this authority instead of the system's.
    /// Its other TLS settings stay.
    pub(crate) fn with_tls(mut self, cluster: &str, at: SocketAddr, authority: &Path) -> Self {
        let cluster = self.cluster(cluster);
        endpoint(cluster, at);
        let trusted = "/transport_socket/typed_config/common_tls_context/validation_context/trusted_ca/filename";
        *cluster.pointer_mut(trusted).expect("trusted_ca") = json!(authority);
        self
    }

    /// Logs requests in the format that the harness reads.
    pub(crate) fn logged(mut self, format: &Value) -> Self {
        let manager = self.bootstrap.pointer_mut(MANAGER).expect("a listener");
        manager["access_log"] = json!([{
            "name": "envoy.access_loggers.file",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                "path": "{{access_log}}",
                "log_format": {"json_format": format},
            },
        }]);
        self
    }

    /// With another configuration of the filter.
    pub(crate) fn configuration(mut self, configuration: Value) -> Self {
        *self.plugin("configuration/value") = configuration;
        self
    }

    /// With a change of the filter's configuration.
    pub(crate) fn changed(mut self, change: impl FnOnce(&mut Value)) -> Self {
        change(self.plugin("configuration/value"));
        self
    }

    /// The builder that starts it, with two workers.
    pub(crate) fn builder(mut self) -> Builder {
        if tools::host() == Host::DynamicModule {
            self.put_dynamic_module();
        }
        Builder::from_bootstrap(self.bootstrap.to_string()).concurrency(2)
    }

    /// Starts it.
    #[track_caller]
    pub(crate) fn start(self) -> Envoy {
        self.builder().start()
    }

    /// Replaces the Wasm module by the dynamic module, with the same configuration.
    fn put_dynamic_module(&mut self) {
        let configuration = self.plugin("configuration").take();
        let filter = format!("{MANAGER}/http_filters/0/typed_config");
        let filter = self.bootstrap.pointer_mut(&filter).expect("a filter");
        *filter = json!({
            "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
            "dynamic_module_config": {"name": "edge_authz", "do_not_close": true},
            "filter_name": "edge_authz",
            "filter_config": configuration,
        });
    }

    /// A part of the plugin's own configuration.
    fn plugin(&mut self, place: &str) -> &mut Value {
        let place = format!("{MANAGER}/http_filters/0/typed_config/config/{place}");
        let part = self.bootstrap.pointer_mut(&place);
        part.unwrap_or_else(|| panic!("no {place}"))
    }

    fn plain(mut self, name: &str, at: SocketAddr) -> Self {
        let cluster = self.cluster(name);
        endpoint(cluster, at);
        let members = cluster.as_object_mut().expect("a cluster");
        members.remove("transport_socket");
        self
    }

    fn clusters(&self) -> impl Iterator<Item = &Value> {
        let clusters = self.bootstrap["static_resources"]["clusters"].as_array();
        clusters.expect("clusters").iter()
    }

    fn cluster(&mut self, name: &str) -> &mut Value {
        let clusters = self.bootstrap["static_resources"]["clusters"].as_array_mut();
        let mut clusters = clusters.expect("clusters").iter_mut();
        let found = clusters.find(|cluster| cluster["name"] == name);
        found.unwrap_or_else(|| panic!("there is no cluster {name}"))
    }
}

/// The connection manager of the only listener.
const MANAGER: &str = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";

fn free_ports(bootstrap: &mut Value) {
    for place in ["/admin/address", "/static_resources/listeners/0/address"] {
        let port = bootstrap.pointer_mut(&format!("{place}/socket_address/port_value"));
        *port.expect("a port") = json!(0);
    }
}

fn endpoint(cluster: &mut Value, at: SocketAddr) {
    let place = "/load_assignment/endpoints/0/lb_endpoints/0/endpoint/address/socket_address";
    let address = cluster.pointer_mut(place).expect("an endpoint");
    *address = json!({"address": at.ip().to_string(), "port_value": at.port()});
}

/// The example's own API, its `api.py`.
pub(crate) struct OwnApi {
    _process: Process,
    _scratch: Scratch,
    address: SocketAddr,
}

impl OwnApi {
    /// Starts it on a free port, if the folder has one.
    pub(crate) fn start(folder: &Path) -> Option<Self> {
        let program = folder.join("api.py");
        if !program.exists() {
            return None;
        }
        let scratch = Scratch::new("api");
        let mut command = Command::new(tools::python_tool("python"));
        command.arg(program).arg("0");
        let log = scratch.path().join("log");
        let process = Process::start(&command, &log).expect("Python runs");
        let address = wait_until(Duration::from_secs(20), || {
            let log = process.log();
            let (_, rest) = log.split_once("http://")?;
            rest.split_whitespace().next()?.parse().ok()
        });
        Some(Self {
            address: address.unwrap_or_else(|| panic!("{}", process.log())),
            _process: process,
            _scratch: scratch,
        })
    }

    /// Its address.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }
}
