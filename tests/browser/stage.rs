//! The environment of a page: an origin of its own, an API behind Envoy on another
//! origin, and a browser that treats both as sites on the network.

use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::support::bootstrap::Builder;
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::http::Request;
use crate::support::issuer::Issuer;
use crate::support::process::wait_until;
use crate::support::server::{Answer, Server};
use crate::support::tokens::{self, TokenMaker, claims_with};

/// The path of pages that the browser treats as pages of the internet.
const PUBLIC: &str = "/public";

/// An issuer whose keys are unavailable.
const DARK: &str = "https://dark.example.com";

/// Calls `fetch` for each element of `argument` and returns what the page can see. Six at
/// a time: a browser opens no more connections to one host.
const CALL: &str = "
    const outcomes = [];
    const calls = argument.map((call, index) => [index, call]);
    const work = async () => {
        for (let next; (next = calls.shift());) {
            const [index, {url, ...options}] = next;
            outcomes[index] = await fetch(url, options).then(
                async (answer) => ({
                    status: answer.status,
                    type: answer.type,
                    headers: Object.fromEntries(answer.headers),
                    body: await answer.text(),
                }),
                (error) => ({error: error.name}),
            );
        }
    };
    await Promise.all(Array.from({length: 6}, work));
    return outcomes;";

/// A page with a frame whose origin is opaque: `null`.
const PAGE: &str = "<!doctype html><title>A page</title>
    <iframe sandbox='allow-scripts' srcdoc='<!doctype html><title>A frame</title>'></iframe>";

/// A browser, pages of any origin below `.test`, and an API.
pub(crate) struct Stage {
    pub(crate) browser: Chromium,
    pub(crate) upstream: Echo,
    envoy: Envoy,
    issuer: Issuer,
    key: TokenMaker,
    pages: Server,
}

impl Stage {
    /// The routes and policies are made from the port of the pages. Tokens are issued by
    /// the provider `main`; the provider `dark` has an issuer without keys.
    pub(crate) fn start(document: impl FnOnce(u16) -> Value) -> Self {
        let pages = Server::start(Arc::new(|received, stream| {
            let mut answer =
                Answer::new(200, PAGE).header("content-type", "text/html; charset=utf-8");
            if received.target == PUBLIC.as_bytes() {
                // As if the page came from the internet.
                answer = answer.header("content-security-policy", "treat-as-public-address");
            }
            answer.write(stream, received.method == b"HEAD")
        }));
        let key = TokenMaker::generate("ES256", "key-1");
        let issuer = Issuer::with_keys(&[&key]);
        let upstream = Echo::start();
        let mut document = document(pages.address().port());
        document["providers"] = json!([
            provider("main", issuer.name(), &issuer.jwks_uri()),
            provider("dark", DARK, &format!("{DARK}/keys")),
        ]);
        let envoy = Builder::new(upstream.address())
            .cluster("issuer", issuer.address())
            .edge_authz(document)
            .start();
        Self {
            browser: Chromium::start(),
            upstream,
            envoy,
            issuer,
            key,
            pages,
        }
    }

    /// The origin of the pages of a host.
    pub(crate) fn origin(&self, host: &str) -> String {
        format!("http://{host}:{}", self.pages.address().port())
    }

    /// Opens a page of a host. With `null` it selects the frame in such a page, which has
    /// that origin.
    pub(crate) fn open_page(&self, host: &str) {
        if host == "null" {
            self.browser.open(&self.origin("app.example.test"));
            self.browser.enter_frame("iframe");
        } else {
            self.browser.open(&self.origin(host));
        }
        let origin = self.browser.run("return self.origin", &Value::Null);
        let expected = if host == "null" {
            host
        } else {
            &self.origin(host)
        };
        assert_eq!(origin, expected);
    }

    /// Opens a page of the public network.
    pub(crate) fn open_public_page(&self, host: &str) {
        self.browser.open(&format!("{}{PUBLIC}", self.origin(host)));
    }

    /// A URL of the API.
    pub(crate) fn api(&self, path: &str) -> String {
        let port = self.envoy.address().port();
        format!("http://api.example.test:{port}{path}")
    }

    /// Lets the open page call `fetch`, with a path of the API as `url`, and returns what
    /// it sees.
    pub(crate) fn calls(&self, calls: &[Value]) -> Vec<Value> {
        let mut outcomes = Vec::new();
        // The driver has a timeout for each answer.
        for some in calls.chunks(50) {
            let mut some = some.to_vec();
            for call in &mut some {
                call["url"] = self.api(call["url"].as_str().expect("a path")).into();
            }
            let seen = self.browser.run(CALL, &some.into());
            outcomes.extend(seen.as_array().expect("a list").iter().cloned());
        }
        outcomes
    }

    /// One such call.
    pub(crate) fn call(&self, path: &str, mut options: Value) -> Value {
        options["url"] = path.into();
        self.calls(&[options]).remove(0)
    }

    /// `Authorization` with a token that has these claims in addition or instead.
    pub(crate) fn bearer(&self, more: Value) -> String {
        let claims = claims_with(self.issuer.name(), "api", more);
        format!("Bearer {}", self.key.token(&claims))
    }

    /// `Authorization` with a token of the issuer that has no keys.
    pub(crate) fn dark_bearer(&self) -> String {
        let claims = tokens::claims(DARK, "api");
        format!("Bearer {}", self.key.token(&claims))
    }

    /// The methods and paths of all requests that Envoy has answered so far, in order.
    pub(crate) fn wire(&self) -> Vec<(String, String)> {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        // Entries are written in order: once this one appears, all earlier ones are
        // present.
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let marker = format!("/marker-{number}");
        self.envoy.send(&Request::get(&marker));
        let text = |entry: &Value, name: &str| entry[name].as_str().expect("text").to_owned();
        let entries = wait_until(Duration::from_secs(20), || {
            let log = self.envoy.access_log(1).into_iter();
            let log: Vec<_> = log
                .map(|entry| (text(&entry, "method"), text(&entry, "path")))
                .collect();
            log.iter().any(|(_, path)| *path == marker).then_some(log)
        });
        let mut entries = entries.expect("the marker is logged");
        entries.retain(|(_, path)| !path.starts_with("/marker-"));
        entries
    }
}

fn provider(name: &str, issuer: &str, uri: &str) -> Value {
    json!({
        "name": name,
        "issuer": issuer,
        "audiences": ["api"],
        "jwks": {"cluster": "issuer", "uri": uri, "timeout": "1s"},
    })
}
