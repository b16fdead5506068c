//! The program of the server behind Envoy, with the files of `deploy/ext-authz`, over gRPC and
//! over HTTP.
//!
//! These tests run it as operators do: signals, replaced files, two servers behind one name, an
//! issuer with TLS, and thousands of clients. `make server` and `make trapdoor` build the
//! programs.

mod hostile;
mod issuers;
mod load;
mod nonces;
mod panics;
mod requests;
mod stops;
mod updates;

use std::fs;
use std::net::SocketAddr;
use std::thread;

use serde_json::{Value, json};

use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::program::Program;
use crate::support::template::replace;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

const ISSUER: &str = "https://issuer.example.com";
const APP: &str = "https://app.example.com";

/// How Envoy asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Grpc,
    Http,
}

impl By {
    const ALL: [Self; 2] = [Self::Grpc, Self::Http];

    const fn options(self) -> &'static [&'static str] {
        match self {
            Self::Grpc => &["--grpc", "ADDRESS"],
            Self::Http => &["--http", "ADDRESS", "--preset", "envoy"],
        }
    }

    const fn file(self) -> &'static str {
        match self {
            Self::Grpc => "deploy/ext-authz/envoy.yaml",
            Self::Http => "deploy/ext-authz/envoy-http.yaml",
        }
    }
}

/// Runs a test for both at the same time.
fn for_both(test: impl Fn(By) + Sync) {
    thread::scope(|scope| {
        for by in By::ALL {
            let test = &test;
            scope.spawn(move || test(by));
        }
    });
}

/// A configuration whose keys are at this address. How they are fetched is not the subject of
/// most tests, so it is without TLS.
fn configuration(keys: SocketAddr) -> Value {
    json!({
        "providers": [{
            "name": "main", "issuer": ISSUER, "audiences": ["api"],
            "jwks": {"uri": format!("http://{keys}{JWKS_PATH}"), "refresh": "1s"},
        }],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "token_from": [{"header": "authorization", "scheme": "Bearer"}, {"cookie": "session"}],
        "routes": [
            {"match": "GET /public", "access": "public"},
            {"match": ["GET /me", "POST /me"]},
            {"match": "GET /later", "access": "denied"},
        ],
        "resources": [{"resource": "https://api.example.com/me"}],
        "cors": {"allow_origins": [APP], "allow_headers": ["Authorization"]},
    })
}

/// An issuer, servers, an Envoy that asks them, and an upstream.
struct World {
    by: By,
    key: TokenMaker,
    issuer: Issuer,
    servers: Vec<Program>,
    envoy: Envoy,
    upstream: Echo,
}

impl World {
    fn start(by: By) -> Self {
        Self::with(by, |configuration| configuration, |server| vec![server])
    }

    /// With a changed configuration, and with servers that are made from one that does not
    /// run yet.
    fn with(
        by: By,
        configure: impl FnOnce(Value) -> Value,
        servers: impl FnOnce(Program) -> Vec<Program>,
    ) -> Self {
        let key = TokenMaker::generate("RS256", "first");
        let issuer = Issuer::with_keys(&[&key]);
        let configuration = configure(configuration(issuer.address()));
        let servers = servers(Program::new(by.options(), &configuration.to_string()));
        let servers: Vec<_> = servers.into_iter().map(Program::started).collect();
        let upstream = Echo::start();
        let addresses: Vec<_> = servers.iter().collect();
        let envoy = bootstrap(by, &addresses, upstream.address()).start();
        Self {
            by,
            key,
            issuer,
            servers,
            envoy,
            upstream,
        }
    }

    /// Waits until the servers have keys.
    fn ready(self) -> Self {
        self.servers.iter().for_each(Program::wait_until_ready);
        self
    }

    fn me(&self) -> Request {
        me(&self.key)
    }

    /// The log lines of the servers, for messages.
    fn logs(&self) -> String {
        let logs = self.servers.iter().map(Program::log);
        format!("{:?}\n{}", self.by, logs.collect::<String>())
    }
}

/// A request of a user with a token of this key.
fn me(key: &TokenMaker) -> Request {
    let claims = claims_with(ISSUER, "api", json!({}));
    Request::get("/me").bearer(&key.token(&claims))
}

/// The file of `deploy`, changed only in what an operator changes: addresses.
fn bootstrap(by: By, servers: &[&Program], upstream: SocketAddr) -> Builder {
    let path = tools::root().join(by.file());
    let text = fs::read_to_string(path).expect("a file");
    let text = replace(&text, "port_value: 9901", "port_value: 0");
    let public = "{address: 0.0.0.0, port_value: 8080}";
    let text = replace(&text, public, "{address: 127.0.0.1, port_value: 0}");
    let text = replace(&text, "path: /dev/stdout", "path: \"{{access_log}}\"");
    let api = format!("port_value: {}", upstream.port());
    let text = replace(&text, "port_value: 8000", &api);
    let endpoint = |server: &&Program| {
        let (address, admin) = (server.address, server.admin);
        let of = |at: SocketAddr| {
            format!(
                "{{socket_address: {{address: {}, port_value: {}}}}}",
                at.ip(),
                at.port()
            )
        };
        let checked = match by {
            By::Grpc => String::new(),
            By::Http => format!(", health_check_config: {{port_value: {}}}", admin.port()),
        };
        format!("{{endpoint: {{address: {}{checked}}}}}", of(address))
    };
    let endpoints: Vec<String> = servers.iter().map(endpoint).collect();
    let endpoints = format!("[{{lb_endpoints: [{}]}}]", endpoints.join(", "));
    let documented = match by {
        By::Grpc => {
            "[{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, \
             port_value: 9001}}}}]}]"
        }
        By::Http => {
            "[{lb_endpoints: [{endpoint: {address: {socket_address: {address: 127.0.0.1, \
             port_value: 9191}}, health_check_config: {port_value: 9192}}}]}]"
        }
    };
    Builder::from_bootstrap(replace(&text, documented, &endpoints))
}
