//! An Envoy that reads its routes from a file, with configurations of their own.

use std::cell::Cell;
use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::issuer::Issuer;
use crate::support::process::{Scratch, wait_until};
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;
use crate::world::{AUDIENCE, configuration};

/// The origin that the listener's document allows.
pub(super) const PAGE: &str = "https://app.example.com";

/// Two issuers, the upstream, and the file with the routes.
pub(super) struct Stage {
    pub(super) key: TokenMaker,
    pub(super) issuer: Issuer,
    /// The key and the issuer for the documents of routes.
    pub(super) second_key: TokenMaker,
    pub(super) second: Issuer,
    pub(super) upstream: Echo,
    scratch: Scratch,
    filters_before: Vec<Value>,
    filters_after: Vec<Value>,
    strict_paths: bool,
    version: Cell<u32>,
}

/// The configuration of a route, as a member of `typed_per_filter_config`.
pub(super) fn config(value: &Value) -> Value {
    config_of("edge_authz", value)
}

/// The configuration of a route with this file name of the module.
pub(super) fn config_of(module: &str, value: &Value) -> Value {
    let text = value
        .as_str()
        .map_or_else(|| value.to_string(), str::to_owned);
    json!({
        "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilterPerRoute",
        "dynamic_module_config": {"name": module, "do_not_close": true},
        (name_field()): "edge_authz",
        "filter_config": {"@type": "type.googleapis.com/google.protobuf.StringValue", "value": text},
    })
}

/// The name of the member, which Envoy 1.40 has renamed.
fn name_field() -> &'static str {
    static FIELD: OnceLock<&str> = OnceLock::new();
    FIELD.get_or_init(|| {
        let mut command = Command::new(tools::envoy());
        let output = command.arg("--version").output().expect("Envoy runs");
        let said = String::from_utf8_lossy(&output.stdout).into_owned();
        let is_old = ["/1.38.", "/1.39."].iter().any(|old| said.contains(old));
        if is_old {
            "per_route_config_name"
        } else {
            "filter_name"
        }
    })
}

/// A route for this prefix of the path, with a configuration.
pub(super) fn route(prefix: &str, config: Option<Value>) -> Value {
    let mut route = json!({"match": {"prefix": prefix}, "route": {"cluster": "upstream"}});
    if let Some(config) = config {
        route["typed_per_filter_config"] = json!({"edge_authz": config});
    }
    route
}

impl Stage {
    pub(super) fn new() -> Self {
        let key = TokenMaker::generate("RS256", "key-1");
        let second_key = TokenMaker::generate("ES256", "second-1");
        let issuer = Issuer::with_keys(&[&key]);
        let second = Issuer::named("https://second.example.com");
        second.publish(&[&second_key]);
        Self {
            key,
            issuer,
            second_key,
            second,
            upstream: Echo::start(),
            scratch: Scratch::new("routes"),
            filters_before: Vec::new(),
            filters_after: Vec::new(),
            strict_paths: false,
            version: Cell::new(0),
        }
    }

    /// Adds another filter before edge-authz.
    pub(super) fn before(mut self, filter: Value) -> Self {
        self.filters_before.push(filter);
        self
    }

    /// Adds another filter after edge-authz.
    pub(super) fn after(mut self, filter: Value) -> Self {
        self.filters_after.push(filter);
        self
    }

    /// Lets Envoy normalise paths and refuse ambiguous ones itself, as recommended.
    pub(super) fn strict_paths(mut self) -> Self {
        self.strict_paths = true;
        self
    }

    /// A document that requires a token of the second issuer in the header `x-tenant-token`.
    pub(super) fn second_document(&self) -> Value {
        json!({
            "providers": [{
                "name": "second",
                "issuer": self.second.name(),
                "audiences": [AUDIENCE],
                "jwks": {"cluster": "second", "uri": self.second.jwks_uri()},
            }],
            "token_from": [{"header": "x-tenant-token"}],
            "upstream": {"claims": {"x-tenant": "sub", "x-user-id": "sub"}},
            "routes": [{"match": "$default"}],
        })
    }

    /// A valid token of the first issuer.
    pub(super) fn token(&self) -> String {
        let claims = claims_with(self.issuer.name(), AUDIENCE, json!({"sub": "alice"}));
        self.key.token(&claims)
    }

    /// A valid token of the second issuer.
    pub(super) fn second_token(&self) -> String {
        let claims = claims_with(self.second.name(), AUDIENCE, json!({"sub": "tenant-7"}));
        self.second_key.token(&claims)
    }

    /// An Envoy with these virtual hosts and the usual document in its listener.
    pub(super) fn builder(&self, hosts: &Value) -> Builder {
        self.builder_with(&configuration(&self.issuer), hosts)
    }

    /// The same with another document in its listener.
    pub(super) fn builder_with(&self, document: &Value, hosts: &Value) -> Builder {
        self.write(hosts);
        Builder::from_bootstrap(self.bootstrap(document).to_string()).concurrency(2)
    }

    pub(super) fn start(&self, routes: &[Value]) -> Envoy {
        self.builder(&all_hosts(routes)).start()
    }

    /// Replaces the routes of a running Envoy, and returns whether it accepted them.
    pub(super) fn update(&self, envoy: &Envoy, hosts: &Value) -> bool {
        let of = |name: &str| envoy.stat(&format!("http.main.rds.all.update_{name}"));
        let counters = || (of("success"), of("rejected"));
        let before = counters();
        self.write(hosts);
        let after = wait_until(Duration::from_secs(20), || {
            Some(counters()).filter(|now| *now != before)
        });
        after.expect("Envoy checks the new routes").0 != before.0
    }

    /// A bootstrap with these routes in it, to validate.
    pub(super) fn inline_routes(&self, hosts: &Value) -> String {
        let mut bootstrap = self.bootstrap(&configuration(&self.issuer));
        let manager = "/static_resources/listeners/0/filter_chains/0/filters/0/typed_config";
        let manager = bootstrap.pointer_mut(manager).expect("a listener");
        let members = manager.as_object_mut().expect("an object");
        members.remove("rds");
        members.insert("route_config".to_owned(), json!({"virtual_hosts": hosts}));
        bootstrap.to_string()
    }

    fn write(&self, hosts: &Value) {
        let version = self.version.get() + 1;
        self.version.set(version);
        let routes = json!({
            "version_info": version.to_string(),
            "resources": [{
                "@type": "type.googleapis.com/envoy.config.route.v3.RouteConfiguration",
                "name": "all",
                "virtual_hosts": hosts,
            }],
        });
        let new = self.scratch.write("routes.new", &routes.to_string());
        fs::rename(new, self.scratch.path().join("routes.json")).expect("a file below target/");
    }

    fn bootstrap(&self, document: &Value) -> Value {
        let filters = self.filters(document);
        let format = log_format();
        json!({
            "admin": {"address": address_of(0)},
            "node": {"id": "test", "cluster": "test"},
            "static_resources": {
                "listeners": [{
                    "name": "main",
                    "address": address_of(0),
                    "filter_chains": [{"filters": [{
                        "name": "envoy.filters.network.http_connection_manager",
                        "typed_config": {
                            "@type": "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
                            "stat_prefix": "main",
                            "normalize_path": self.strict_paths,
                            "merge_slashes": self.strict_paths,
                            "path_with_escaped_slashes_action": if self.strict_paths {
                                "REJECT_REQUEST"
                            } else {
                                "KEEP_UNCHANGED"
                            },
                            "http_protocol_options": {"enable_trailers": true},
                            "access_log": [{
                                "name": "envoy.access_loggers.file",
                                "typed_config": {
                                    "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
                                    "path": "{{access_log}}",
                                    "log_format": {"json_format": format},
                                },
                            }],
                            "http_filters": filters,
                            "rds": {
                                "route_config_name": "all",
                                "config_source": {"path_config_source": {
                                    "path": self.scratch.path().join("routes.json"),
                                }},
                            },
                        },
                    }]}],
                }],
                "clusters": [
                    cluster("upstream", self.upstream.address()),
                    cluster("issuer", self.issuer.address()),
                    cluster("second", self.second.address()),
                ],
            },
        })
    }

    fn filters(&self, document: &Value) -> Vec<Value> {
        let filter = json!({
            "name": "edge_authz",
            "typed_config": {
                "@type": "type.googleapis.com/envoy.extensions.filters.http.dynamic_modules.v3.DynamicModuleFilter",
                "dynamic_module_config": {"name": "edge_authz", "do_not_close": true},
                "filter_name": "edge_authz",
                "filter_config": {"@type": "type.googleapis.com/google.protobuf.Struct", "value": document},
            },
        });
        let router = json!({
            "name": "envoy.filters.http.router",
            "typed_config": {"@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router"},
        });
        self.filters_before
            .iter()
            .chain([&filter])
            .chain(&self.filters_after)
            .chain([&router])
            .cloned()
            .collect()
    }
}

/// One virtual host for all names.
pub(super) fn all_hosts(routes: &[Value]) -> Value {
    json!([{"name": "all", "domains": ["*"], "routes": routes}])
}

fn log_format() -> Value {
    let format = tools::log_format(
        &json!({
            "path": "%REQ(:PATH)%",
            "status": "%RESPONSE_CODE%",
            "details": "%RESPONSE_CODE_DETAILS%",
            "subject": "%FILTER_STATE(wasm.edge_authz.subject:PLAIN)%",
            "provider": "%DYNAMIC_METADATA(edge_authz:provider)%",
        })
        .to_string(),
    );
    serde_json::from_str(&format).expect("JSON")
}

fn address_of(port: u16) -> Value {
    json!({"socket_address": {"address": "127.0.0.1", "port_value": port}})
}

fn cluster(name: &str, at: SocketAddr) -> Value {
    let endpoint = json!({"endpoint": {"address": address_of(at.port())}});
    json!({
        "name": name,
        "type": "STATIC",
        "connect_timeout": "1s",
        "typed_extension_protocol_options": {"envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
            "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
            "explicit_http_config": {"http_protocol_options": {"enable_trailers": true}},
        }},
        "load_assignment": {"cluster_name": name, "endpoints": [{"lb_endpoints": [endpoint]}]},
    })
}
