//! A module with restricted capabilities: whichever one is missing, no request passes
//! unchecked.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use serde_json::json;

use super::only_here;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::http::Request;
use crate::support::http1;
use crate::support::issuer::Issuer;
use crate::support::tokens::{TokenMaker, claims};
use crate::support::tools;
use crate::world::{AUDIENCE, configuration};

/// The host functions that the module calls.
const CALLS: &[&str] = &[
    "proxy_add_header_map_value",
    "proxy_call_foreign_function",
    "proxy_close_stream",
    "proxy_continue_stream",
    "proxy_define_metric",
    "proxy_get_buffer_bytes",
    "proxy_get_current_time_nanoseconds",
    "proxy_get_header_map_pairs",
    "proxy_get_log_level",
    "proxy_get_property",
    "proxy_get_shared_data",
    "proxy_http_call",
    "proxy_increment_metric",
    "proxy_log",
    "proxy_record_metric",
    "proxy_remove_header_map_value",
    "proxy_replace_header_map_value",
    "proxy_send_local_response",
    "proxy_set_effective_context",
    "proxy_set_property",
    "proxy_set_shared_data",
    "proxy_set_tick_period_milliseconds",
    "environ_get",
    "environ_sizes_get",
    "fd_write",
    "proc_exit",
    "random_get",
];

/// The callbacks of the module.
const CALLBACKS: &[&str] = &[
    "proxy_on_configure",
    "proxy_on_context_create",
    "proxy_on_delete",
    "proxy_on_http_call_response",
    "proxy_on_request_body",
    "proxy_on_request_headers",
    "proxy_on_request_trailers",
    "proxy_on_response_headers",
    "proxy_on_tick",
    "proxy_on_vm_start",
];

/// Without it Envoy never calls the module, as if there were no filter.
const QUESTION: &str = "proxy_on_request_headers";

/// Without it, clients' copies of identity headers pass in trailers.
const TRAILERS: &str = "proxy_on_request_trailers";

/// Without it Envoy does not start.
const BEGINNING: &str = "proxy_on_context_create";

fn needed() -> impl Iterator<Item = &'static str> {
    CALLS.iter().chain(CALLBACKS).copied()
}

struct Stage {
    key: TokenMaker,
    issuer: Issuer,
    upstream: Echo,
}

impl Stage {
    fn new() -> Self {
        only_here();
        let key = TokenMaker::generate("RS256", "key-1");
        Self {
            issuer: Issuer::with_keys(&[&key]),
            key,
            upstream: Echo::start(),
        }
    }

    fn token(&self) -> String {
        self.key.token(&claims(self.issuer.name(), AUDIENCE))
    }

    /// A filter without one capability, in a VM of its own.
    fn without(&self, name: &str) -> EdgeAuthz {
        let mut configuration = configuration(&self.issuer);
        configuration["providers"][0]["jwks"]["timeout"] = json!("1s");
        EdgeAuthz::new(configuration)
            .vm_id(name)
            .capabilities(needed().filter(move |needed| *needed != name))
    }

    fn builder(&self) -> Builder {
        Builder::new(self.upstream.address()).cluster("issuer", self.issuer.address())
    }
}

/// The status of an answer, if one arrives within a few seconds.
fn status(to: SocketAddr, request: &Request) -> Option<u16> {
    let mut stream = TcpStream::connect(to).expect("a connection");
    let limit = Some(Duration::from_secs(4));
    stream.set_read_timeout(limit).expect("a limit");
    stream
        .write_all(&http1::encode(request))
        .expect("it writes");
    let mut start = [0; 12];
    stream.read_exact(&mut start).ok()?;
    std::str::from_utf8(&start[9..]).ok()?.parse().ok()
}

#[test]
fn these_capabilities_are_all_that_it_needs_and_the_documentation_lists_them() {
    let stage = Stage::new();
    let envoy = stage
        .builder()
        .listener(Listener::new("main", stage.without("nothing")))
        .start();
    let private = Request::get("/private/a");
    envoy
        .send(&private.clone().bearer(&stage.token()))
        .expect(200);
    let refused = envoy.send(&private).expect(401);
    assert!(refused.header("www-authenticate").is_some());
    assert!(!envoy.log().contains("restricted"), "{}", envoy.log());
    let counted = envoy.stats_once("edge_authz.requests", |counted| !counted.is_empty());
    assert!(!counted.is_empty());
    let page = tools::root().join("docs/deployment.md");
    let page = std::fs::read_to_string(page).expect("the documentation");
    for name in needed() {
        assert!(page.contains(&format!("{name}: {{}}")), "{name}");
    }
}

#[test]
fn without_any_one_of_them_nothing_passes_unchecked() {
    let stage = Stage::new();
    let names: Vec<_> = needed()
        .filter(|name| ![QUESTION, BEGINNING].contains(name))
        .collect();
    let mut builder = stage.builder();
    for name in &names {
        builder = builder.listener(Listener::new(name, stage.without(name)));
    }
    let envoy = builder.start();
    let forged = TokenMaker::generate("RS256", "key-1").token(&json!({"sub": "root"}));
    let good = stage.token();
    std::thread::scope(|scope| {
        for name in &names {
            let (envoy, forged, good) = (&envoy, &forged, &good);
            scope.spawn(move || {
                let to = envoy.listener(name);
                for request in [
                    Request::get("/private/a"),
                    Request::get("/closed"),
                    Request::get("/private/a").bearer(forged),
                    Request::post("/private/a", "a body").trailer("x-end", "1"),
                ] {
                    let status = status(to, &request);
                    let closed = matches!(status, None | Some(401 | 403 | 503));
                    assert!(closed, "without {name}: {status:?}");
                }
                let welcome = |request: Request| {
                    let request = request.bearer(good).header("x-user-id", "root");
                    request.header("x-without", name)
                };
                let _ = status(to, &welcome(Request::get("/private/a")));
                let post = Request::post("/private/a", "a body").trailer("x-user-id", "root");
                let _ = status(to, &welcome(post));
            });
        }
    });
    // Only permitted requests have passed, with all required changes.
    let seen = stage.upstream.seen();
    assert!(seen.len() > 5, "{}", seen.len());
    for seen in seen {
        let without = seen.text("x-without").expect("a good token");
        let users: Vec<_> = seen.all("x-user-id").collect();
        assert_eq!(users, [b"user-1"], "without {without}");
        assert!(seen.all("authorization").next().is_none(), "{without}");
        // The module cannot change trailers that it does not receive.
        let in_trailers = seen.trailers.iter().any(|(name, _)| name == b"x-user-id");
        assert!(!in_trailers || without == TRAILERS, "without {without}");
    }
}

#[test]
fn without_context_creation_the_module_keeps_envoy_from_starting() {
    let stage = Stage::new();
    let listener = Listener::new("main", stage.without(BEGINNING));
    assert!(stage.builder().listener(listener).try_start().is_err());
}

#[test]
fn without_the_request_callback_nothing_is_checked() {
    let stage = Stage::new();
    let envoy = stage
        .builder()
        .listener(Listener::new("main", stage.without(QUESTION)))
        .start();
    envoy.send(&Request::get("/private/a")).expect(200);
}
