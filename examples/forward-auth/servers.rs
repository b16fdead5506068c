//! The issuer, the upstream, the server and the proxy.

use std::net::SocketAddr;

use crate::program::authorizer;
use crate::proxies::{Kind, Proxy, Site};
use crate::support::echo::Echo;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::program::Program;
use crate::support::template::replace;
use crate::support::tools;
use crate::users::{ISSUER, Users};

/// Everything that runs.
pub(crate) struct Servers {
    pub(crate) issuer: Issuer,
    pub(crate) authorizer: Program,
    proxy: Proxy,
    _upstream: Echo,
}

impl Servers {
    pub(crate) fn start(kind: Kind, users: &Users) -> Self {
        let issuer = Issuer::named(ISSUER);
        issuer.publish(&[&users.first]);
        println!("the issuer listens on http://{}", issuer.address());
        let upstream = Echo::start();
        println!("the upstream listens on http://{}", upstream.address());
        let authorizer = authorizer(kind, &configuration(issuer.address()));
        authorizer.wait_until_ready();
        println!("edge-authz-server listens on http://{}", authorizer.address);
        let proxy = Proxy::start(kind, &[Site::new(authorizer.address)], upstream.address());
        println!("{} listens on http://{}\n", kind.name(), proxy.address());
        Self {
            issuer,
            authorizer,
            proxy,
            _upstream: upstream,
        }
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.proxy.address()
    }

    /// Sends a request to the proxy.
    pub(crate) fn send(&self, request: &Request) -> Response {
        http1::exchange(self.address(), request).expect("an answer")
    }

    pub(crate) fn logs(&self) -> String {
        format!(
            "The log of edge-authz-server:\n{}\nThe log of {}:\n{}",
            self.authorizer.log(),
            self.proxy.kind.name(),
            self.proxy.log()
        )
    }
}

/// The `edge-authz.yaml` of this folder, with the keys at this address.
fn configuration(keys: SocketAddr) -> String {
    let path = tools::root().join("examples/forward-auth/edge-authz.yaml");
    let text = std::fs::read_to_string(&path).expect("the example's edge-authz.yaml");
    let keys = format!("uri: http://{keys}{JWKS_PATH}");
    replace(&text, &format!("uri: {ISSUER}{JWKS_PATH}"), &keys)
}
