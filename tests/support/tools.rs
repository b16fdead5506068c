//! The paths of the tools that `make setup` and `make wasm` install. A missing one ends
//! the test with the command that installs it.

use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Envoy to run: `ENVOY`, or the pinned one.
pub(crate) fn envoy() -> PathBuf {
    match std::env::var_os("ENVOY").filter(|path| !path.is_empty()) {
        Some(path) => found(PathBuf::from(path), "set ENVOY to an Envoy binary"),
        None => envoy_version(&pinned_envoy_version()),
    }
}

/// The version that the Makefile pins.
pub(crate) fn pinned_envoy_version() -> String {
    let makefile = std::fs::read_to_string(root().join("Makefile")).expect("the Makefile");
    makefile
        .lines()
        .find_map(|line| line.strip_prefix("ENVOY_VERSIONS ?="))
        .and_then(|versions| versions.split_whitespace().next())
        .expect("a pinned Envoy")
        .to_owned()
}

/// A pinned Envoy of another version, such as `1.36.4`.
pub(crate) fn envoy_version(version: &str) -> PathBuf {
    let path = format!(".tools/envoy/{version}/envoy/_bin/envoy");
    found(
        root().join(path),
        &format!("run `make setup ENVOY_VERSIONS={version}`, or set ENVOY=/path/to/envoy"),
    )
}

/// The host that runs the filter.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Host {
    /// Envoy's Wasm runtime.
    ProxyWasm,
    /// Envoy itself.
    DynamicModule,
    /// The server, which Envoy asks by `ext_authz` over gRPC.
    ExtAuthz,
    /// The same over HTTP.
    ExtAuthzHttp,
}

impl Host {
    /// Whether Envoy asks the server.
    pub(crate) const fn is_server(self) -> bool {
        matches!(self, Self::ExtAuthz | Self::ExtAuthzHttp)
    }
}

/// The host that `HOST` names: `proxy-wasm`, which is the default, `dynamic-module`,
/// `ext-authz` or `ext-authz-http`.
pub(crate) fn host() -> Host {
    let host = std::env::var("HOST").unwrap_or_default();
    match host.as_str() {
        "" | "proxy-wasm" => Host::ProxyWasm,
        "dynamic-module" => Host::DynamicModule,
        "ext-authz" => Host::ExtAuthz,
        "ext-authz-http" => Host::ExtAuthzHttp,
        _ => panic!("HOST is none of the hosts: {host}"),
    }
}

/// The directory of the dynamic module from `make dynamic-module`.
pub(crate) fn dynamic_modules() -> PathBuf {
    let path = root().join("dist");
    found(path.join("libedge_authz.so"), "run `make dynamic-module`");
    path
}

/// The directory of the dynamic module with deliberate panics.
pub(crate) fn trapdoor() -> PathBuf {
    let path = root().join("target/trapdoor");
    found(path.join("libedge_authz.so"), "run `make trapdoor`");
    path
}

/// The server with deliberate panics.
pub(crate) fn trapdoor_server() -> PathBuf {
    let path = root().join("target/trapdoor/edge-authz-server");
    found(path, "run `make trapdoor`")
}

/// Adapts an access log format to the host: Envoy adds `wasm.` before the names of
/// entries that a Wasm module sets, and keeps those of `ext_authz` in the dynamic metadata.
pub(crate) fn log_format(format: &str) -> String {
    match host() {
        Host::ProxyWasm => format.to_owned(),
        Host::DynamicModule => format.replace("wasm.edge_authz.", "edge_authz."),
        Host::ExtAuthz => {
            let metadata = "DYNAMIC_METADATA(envoy.filters.http.ext_authz:";
            let format = format.replace("FILTER_STATE(wasm.edge_authz.", metadata);
            format.replace(":PLAIN)%", ")%")
        }
        Host::ExtAuthzHttp => {
            let metadata = "DYNAMIC_METADATA(envoy.filters.http.ext_authz:x-edge-authz-";
            let format = format.replace("FILTER_STATE(wasm.edge_authz.", metadata);
            format.replace(":PLAIN)%", ")%")
        }
    }
}

/// The compiled filter: `EDGE_AUTHZ_WASM`, or what `make wasm` built.
pub(crate) fn module() -> PathBuf {
    let path = std::env::var_os("EDGE_AUTHZ_WASM")
        .map_or_else(|| root().join("dist/edge_authz.wasm"), PathBuf::from);
    found(path, "run `make wasm`")
}

/// The server: `EDGE_AUTHZ_SERVER`, or what `make server` built.
pub(crate) fn server() -> PathBuf {
    let path = std::env::var_os("EDGE_AUTHZ_SERVER")
        .map_or_else(|| root().join("dist/edge-authz-server"), PathBuf::from);
    found(path, "run `make server`")
}

/// A program of the Python environment: `moto_server`, `aws`, `python`.
pub(crate) fn python_tool(name: &str) -> PathBuf {
    found(
        root().join(".tools/venv/bin").join(name),
        "run `make setup`",
    )
}

/// The path, if it exists; otherwise the test ends with the command that creates it.
pub(crate) fn found(path: PathBuf, remedy: &str) -> PathBuf {
    assert!(path.exists(), "{} is missing: {remedy}", path.display());
    path
}
