//! The site on a server of its own, and the playground open in a browser.

use std::fs;
use std::path::{Component, Path, PathBuf};
use std::sync::{Arc, Mutex};

use serde_json::{Value, json};

use crate::chromium::Chromium;
use crate::site;
use crate::support::server::{Answer, Server};

/// The page, open.
pub(super) struct Playground {
    pub(super) browser: Chromium,
    server: Server,
    /// The targets of all requests so far.
    asked: Arc<Mutex<Vec<String>>>,
}

/// Waits until the page has decided what is written in it now. Every change starts a turn
/// after 150 ms at most.
const SETTLED: &str = "
    const settled = async (before) => {
        const pause = (time) => new Promise((resolve) => setTimeout(resolve, time));
        for (let tries = 0; document.body.dataset.turn === before; tries++) {
            if (tries > 6000) throw new Error('the page does not decide');
            await pause(10);
        }
        for (let last; last !== document.body.dataset.turn;) {
            last = document.body.dataset.turn;
            await pause(300);
        }
    };";

/// Writes into fields as a person would, from `{id: value}`, and waits for the decision.
const FILL: &str = "
    const before = document.body.dataset.turn;
    for (const [id, value] of Object.entries(argument)) {
        const field = document.getElementById(id);
        field.value = value;
        field.dispatchEvent(new Event('input', {bubbles: true}));
        field.dispatchEvent(new Event('change', {bubbles: true}));
    }
    await settled(before);";

impl Playground {
    /// Opens the page with its first example.
    pub(super) fn open() -> Self {
        Self::open_at("")
    }

    /// Opens the page with a fragment.
    pub(super) fn open_at(fragment: &str) -> Self {
        let asked = Arc::new(Mutex::new(Vec::new()));
        let log = Arc::clone(&asked);
        let server = Server::start(Arc::new(move |received, stream| {
            let target = String::from_utf8_lossy(&received.target).into_owned();
            let answer = file(target.split('?').next().unwrap_or_default());
            log.lock().expect("the list").push(target);
            answer.write(stream, received.method == b"HEAD")
        }));
        let page = Self {
            browser: Chromium::start(),
            server,
            asked,
        };
        page.go(fragment);
        page
    }

    /// Loads the page with a fragment, in the same browser.
    pub(super) fn go(&self, fragment: &str) {
        // A change of the fragment alone would load nothing.
        self.browser.open("about:blank");
        self.browser.open(&format!("{}{fragment}", self.url()));
        self.browser.wait_until_there("body[data-ready]");
        self.browser.wait_until_there("body[data-turn]");
    }

    pub(super) fn url(&self) -> String {
        format!("http://{}/playground/index.html", self.server.address())
    }

    /// The targets of the requests since the last call.
    pub(super) fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.asked.lock().expect("the list"))
    }

    /// Runs a script that may wait with `await settled(document.body.dataset.turn)`.
    pub(super) fn run(&self, body: &str, argument: &Value) -> Value {
        self.browser.run(&format!("{SETTLED}{body}"), argument)
    }

    /// Writes into fields, and waits for the decision.
    pub(super) fn fill(&self, fields: &Value) {
        self.run(FILL, fields);
    }

    /// Writes a document, and waits for the decision.
    pub(super) fn write(&self, document: &str) {
        self.fill(&json!({"text": document}));
    }

    pub(super) fn text(&self, selector: &str) -> String {
        self.browser.text(selector)
    }

    /// The value of a field.
    pub(super) fn value(&self, id: &str) -> String {
        let script = format!("return document.getElementById('{id}').value");
        let value = self.browser.run(&script, &Value::Null);
        value.as_str().expect("a value").to_owned()
    }
}

/// A file of the site.
fn file(target: &str) -> Answer {
    let inner = Path::new(target.trim_start_matches('/'));
    let is_plain = inner
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    let path: PathBuf = site::site().join(inner);
    let Ok(bytes) = fs::read(&path) else {
        return Answer::new(404, "");
    };
    assert!(is_plain, "{target}");
    let kind = match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("js") => "text/javascript",
        Some("css") => "text/css",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("wasm") => "application/wasm",
        _ => "application/octet-stream",
    };
    Answer::new(200, bytes).header("content-type", kind)
}
