//! The three origins of the example: the page, the API behind Envoy, the issuer.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Map, Value, json};

use crate::issuer::Issuer;
use crate::sign_in::Form;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::example::{Example, folder};
use crate::support::http::Request;
use crate::support::http1;
use crate::support::server::{Answer, Server};
use crate::support::template::replace;

const NAME: &str = "browser-app";

/// All running servers, on free ports.
pub(crate) struct Servers {
    pub(crate) envoy: Envoy,
    pub(crate) upstream: Echo,
    issuer: Issuer,
    page: Server,
}

impl Servers {
    /// Starts all servers.
    pub(crate) fn start() -> Self {
        let issuer = Issuer::start();
        let upstream = Echo::start();
        // The API and the page need each other's address. So the port of the page is
        // reserved first, and its content is set later.
        let api = Arc::new(OnceLock::new());
        let page = serve_page(Arc::clone(&api), issuer.address());
        let addresses = [
            ("127.0.0.1:8000", &*page.address().to_string()),
            ("127.0.0.1:8082", &*issuer.address().to_string()),
        ];
        let envoy = Example::read(&folder(NAME), &addresses)
            .api(upstream.address())
            .issuers(issuer.address())
            .start();
        api.set(envoy.address()).expect("one API, set once");
        issuer.allow(&format!("http://{}", page.address()));
        Self {
            envoy,
            upstream,
            issuer,
            page,
        }
    }

    /// The URL of the issuer.
    pub(crate) fn issuer(&self) -> String {
        format!("http://{}", self.issuer.address())
    }

    /// The URL of the page.
    pub(crate) fn page(&self) -> String {
        format!("http://{}", self.page.address())
    }
}

/// Serves the current files of `page/`, with the addresses of this run.
fn serve_page(api: Arc<OnceLock<SocketAddr>>, issuer: SocketAddr) -> Server {
    Server::start(Arc::new(move |received, stream| {
        let target = String::from_utf8_lossy(&received.target);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        let answer = match api.get() {
            Some(api) if path == "/seen" => {
                let page = format!("http://{}", stream.local_addr()?);
                seen(&Form::read(query.as_bytes()), *api, &page)
            }
            Some(api) => file(path, *api, issuer),
            None => Answer::new(503, "not yet"),
        };
        answer.write(stream, received.method == b"HEAD")
    }))
}

/// What the API answers to a request of the page, or to its preflight. CORS does not bind
/// this server, so it sees what the browser keeps from the page. Only requests without
/// effects are sent, without a token and without cookies.
fn seen(question: &Form, api: SocketAddr, page: &str) -> Answer {
    let [method, path, names] = ["method", "path", "headers"].map(|name| question.one(name));
    let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic());
    if !path.starts_with('/') || ![method, path, names].into_iter().all(is_plain) {
        return Answer::new(400, "no request of the page");
    }
    let mut request = if question.one("preflight") == "true" {
        let request = Request::new("OPTIONS", path).header("access-control-request-method", method);
        if names.is_empty() {
            request
        } else {
            request.header("access-control-request-headers", names.to_ascii_lowercase())
        }
    } else if matches!(method, "GET" | "HEAD") {
        Request::new("GET", path)
    } else {
        return Answer::new(400, "it may have effects");
    };
    request = request.header("origin", page).authority(api.to_string());
    let Ok(answer) = http1::exchange(api, &request) else {
        return Answer::new(502, "");
    };
    let headers: Map<String, Value> = answer
        .headers
        .iter()
        .map(|(name, value)| {
            let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            (text(name), text(value).into())
        })
        .collect();
    Answer::json(&json!({"status": answer.status, "headers": headers}))
        .header("cache-control", "no-store")
}

fn file(path: &str, api: SocketAddr, issuer: SocketAddr) -> Answer {
    let (name, kind) = match path {
        "/" => ("index.html", "text/html"),
        "/style.css" => ("style.css", "text/css"),
        "/app.js" => ("app.js", "text/javascript"),
        "/cors.js" => ("cors.js", "text/javascript"),
        "/oauth.js" => ("oauth.js", "text/javascript"),
        "/places.json" => ("places.json", "application/json"),
        _ => return Answer::new(404, ""),
    };
    let path = folder(NAME).join("page").join(name);
    let mut text = fs::read_to_string(path).expect("a file of the page");
    if name == "places.json" {
        text = replace(&text, "127.0.0.1:8080", &api.to_string());
        text = replace(&text, "127.0.0.1:8082", &issuer.to_string());
    }
    let policy = format!(
        "default-src 'self'; img-src data:; connect-src 'self' http://{api} http://{issuer}; \
         frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    );
    Answer::new(200, text)
        .header("content-type", &format!("{kind}; charset=utf-8"))
        .header("content-security-policy", &policy)
        .header("referrer-policy", "no-referrer")
        .header("cache-control", "no-store")
}
