//! The three origins of the example: the page, the API behind Envoy, the issuer.

use std::fs;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use crate::issuer::Issuer;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::example::{Example, folder};
use crate::support::server::{Answer, Received, Server};
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
        let answer = match api.get() {
            Some(api) => file(received, *api, issuer),
            None => Answer::new(503, "not yet"),
        };
        answer.write(stream, received.method == b"HEAD")
    }))
}

fn file(received: &Received, api: SocketAddr, issuer: SocketAddr) -> Answer {
    let (name, kind) = match received.target.as_slice() {
        b"/" => ("index.html", "text/html"),
        b"/style.css" => ("style.css", "text/css"),
        b"/app.js" => ("app.js", "text/javascript"),
        b"/places.json" => ("places.json", "application/json"),
        _ => return Answer::new(404, ""),
    };
    let path = folder(NAME).join("page").join(name);
    let mut text = fs::read_to_string(path).expect("a file of the page");
    if name == "places.json" {
        text = replace(&text, "127.0.0.1:8080", &api.to_string());
        text = replace(&text, "127.0.0.1:8082", &issuer.to_string());
    }
    let policy = format!(
        "default-src 'self'; img-src data:; connect-src 'self' http://{api} http://{issuer}"
    );
    Answer::new(200, text)
        .header("content-type", &format!("{kind}; charset=utf-8"))
        .header("content-security-policy", &policy)
        .header("cache-control", "no-store")
}
