//! Requests that may pass, and requests that must not, in every combination with the
//! configurations of routes.

use serde_json::json;

use super::issuer::{Issuer, configuration};
use super::proxy::{Config, body, configure_route, destroy_route, request_of, trailers};
use super::world::{START, Stream, fields};

/// The configurations of three routes, which narrow the listener's.
pub(super) struct Routes {
    /// With a document that permits the same requests.
    same: usize,
    /// With a document that requires a scope.
    scope: usize,
    denied: usize,
}

impl Routes {
    pub(super) fn new(issuer: &Issuer) -> Self {
        let mut document = configuration(&json!({"inline": issuer.jwks()}));
        let same = configure_route(&document.to_string());
        document["routes"][1]["scopes"] = json!(["admin"]);
        Self {
            same,
            scope: configure_route(&document.to_string()),
            denied: configure_route(r#"{"mode": "denied"}"#),
        }
    }

    pub(super) fn destroy(self) {
        for route in [self.same, self.scope, self.denied] {
            destroy_route(route);
        }
    }
}

/// Sends a request that carries a forged identity.
pub(super) fn post(config: Config, path: &str, token: &str) -> usize {
    let own = [("x-user-id", "mallory"), ("x_user_id", "mallory")];
    post_with(config, path, token, &own)
}

pub(super) fn post_with(config: Config, path: &str, token: &str, fields: &[(&str, &str)]) -> usize {
    post_by(config, (path, 0), token, fields)
}

/// The same by a route with the configuration of this address.
fn post_by(
    config: Config,
    (path, route): (&str, usize),
    token: &str,
    more: &[(&str, &str)],
) -> usize {
    let token = format!("Bearer {token}");
    let mut headers = vec![
        (":method", "POST"),
        (":path", path),
        (":authority", "api.example"),
        ("authorization", &*token),
        ("origin", "https://evil.example"),
    ];
    headers.extend(more);
    let stream = Stream {
        route,
        ..Stream::new(fields(&headers))
    };
    request_of(config, stream)
}

/// Sends a request that carries a forged identity by a route with this configuration.
fn narrowed(config: Config, route: usize, token: &str) -> usize {
    let own = [("x-user-id", "mallory"), ("x_user_id", "mallory")];
    post_by(config, ("/private", route), token, &own)
}

/// Requests that may pass, and requests that must not.
pub(super) struct Requests {
    pub(super) may_pass: Vec<usize>,
    pub(super) must_not: Vec<usize>,
}

impl Requests {
    /// Sends all kinds of requests before there are keys, so that some wait.
    pub(super) fn first(config: Config, routes: &Routes, good: &str, bad: &str) -> Self {
        let requests = Self {
            may_pass: vec![
                post(config, "/private", good),
                post_with(config, "/private", good, &[("x-other", "kept")]),
                narrowed(config, routes.same, good),
            ],
            must_not: vec![
                post(config, "/private", bad),
                post(config, "/private", ""),
                post(config, "/nowhere", ""),
                narrowed(config, routes.same, bad),
                narrowed(config, routes.scope, good),
                narrowed(config, routes.denied, good),
            ],
        };
        for id in requests.may_pass.iter().chain(&requests.must_not) {
            body(*id);
            trailers(*id, &[("x-user-id", "mallory")]);
        }
        requests
    }

    /// Sends more of them.
    pub(super) fn more(&mut self, config: Config, routes: &Routes, good: &str, bad: &str) {
        let unknown = Issuer::new("unknown").token(START);
        self.may_pass.push(post(config, "/private", good));
        self.may_pass.push(narrowed(config, routes.same, good));
        self.must_not.push(narrowed(config, routes.scope, good));
        self.must_not.push(post(config, "/private", bad));
        self.must_not.push(post(config, "/private", &unknown));
    }
}
