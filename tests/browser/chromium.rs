//! A headless Chromium, driven over the W3C's `WebDriver` protocol.
//!
//! The protocol is JSON over HTTP, one request for each action, so the tests' own client
//! can speak it; the crates for it need an asynchronous runtime. The test starts the
//! browser itself rather than through the driver, so that it can end the process.

use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::Command;
use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use crate::support::http::Request;
use crate::support::http1;
use crate::support::process::{Process, Scratch, wait_until};
use crate::support::tools;

/// How long browser and driver may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(3);

/// `WebDriver`'s name for the reference to an element.
const ELEMENT: &str = "element-6066-11e4-a52e-4f735466cecf";

/// A browser with one tab and an empty profile.
pub(crate) struct Chromium {
    driver: SocketAddr,
    session: String,
    _driver_process: Process,
    browser: Process,
    scratch: Scratch,
}

impl Chromium {
    /// Starts it. The browser resolves every name below `.test` to this machine.
    pub(crate) fn start() -> Self {
        let scratch = Scratch::new("chromium");
        let (browser, port) = start_browser(&scratch);
        let (process, driver) = start_driver(&scratch);
        let capabilities = json!({"capabilities": {"alwaysMatch": {
            "browserName": "chrome",
            "timeouts": {"script": 120_000, "pageLoad": 60_000},
            "goog:chromeOptions": {"debuggerAddress": format!("127.0.0.1:{port}")},
            "goog:loggingPrefs": {"browser": "ALL"},
        }}});
        let answer = exchange(driver, "POST", "/session", Some(&capabilities));
        let session = answer["sessionId"].as_str().expect("a session").to_owned();
        Self {
            driver,
            session,
            _driver_process: process,
            browser,
            scratch,
        }
    }

    /// Opens a page and waits until it is loaded.
    pub(crate) fn open(&self, url: &str) {
        self.command("POST", "/url", &json!({"url": url}));
    }

    /// Runs the body of an `async` function in the page with `argument`, and returns its
    /// result.
    pub(crate) fn run(&self, body: &str, argument: &Value) -> Value {
        let script = format!(
            "const [argument, done] = arguments;
             (async () => {{ {body} }})().then(
                 (value) => done({{value}}),
                 (error) => done({{thrown: String(error.stack || error)}}));"
        );
        let result = self.command(
            "POST",
            "/execute/async",
            &json!({"script": script, "args": [argument]}),
        );
        assert!(result["thrown"].is_null(), "{}", result["thrown"]);
        result["value"].clone()
    }

    /// The console messages since the last call.
    pub(crate) fn console(&self) -> Vec<String> {
        let entries = self.command("POST", "/se/log", &json!({"type": "browser"}));
        let entries = entries.as_array().expect("a list").iter();
        let messages = entries.map(|entry| entry["message"].as_str().expect("text").to_owned());
        messages.collect()
    }

    /// From now on scripts run in the frame that a selector finds.
    pub(crate) fn enter_frame(&self, selector: &str) {
        let frame = self.find(selector);
        self.command("POST", "/frame", &json!({"id": {ELEMENT: frame}}));
    }

    /// Clicks with the mouse: the element has to be visible.
    pub(crate) fn click(&self, selector: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("/element/{element}/click"), &json!({}));
    }

    /// Types into a field.
    pub(crate) fn write(&self, selector: &str, text: &str) {
        let element = self.find(selector);
        self.command("POST", &format!("/element/{element}/clear"), &json!({}));
        self.command(
            "POST",
            &format!("/element/{element}/value"),
            &json!({"text": text}),
        );
    }

    /// The visible text of an element.
    pub(crate) fn text(&self, selector: &str) -> String {
        let element = self.find(selector);
        let path = self.path(&format!("/element/{element}/text"));
        let text = exchange(self.driver, "GET", &path, None);
        text.as_str().expect("text").to_owned()
    }

    /// Waits until the visible text of an element satisfies a condition, also while the
    /// browser opens another page.
    #[track_caller]
    pub(crate) fn wait_for(&self, selector: &str, expected: impl Fn(&str) -> bool) -> String {
        let mut last = String::new();
        wait_until(PATIENCE, || {
            last = self.text_now(selector)?;
            expected(&last).then(|| last.clone())
        })
        .unwrap_or_else(|| panic!("{selector} has come no further than {last:?}"))
    }

    /// Waits until an element exists, also while the browser opens another page.
    #[track_caller]
    pub(crate) fn wait_until_there(&self, selector: &str) {
        let body = json!({"using": "css selector", "value": selector});
        let found = wait_until(PATIENCE, || self.attempt("/element", &body));
        assert!(found.is_some(), "{selector} does not appear");
    }

    /// Sends a command of the browser's own protocol.
    #[track_caller]
    pub(crate) fn configure(&self, command: &str, parameters: &Value) {
        let answer = self.devtools(command, parameters);
        assert_eq!(answer, Some(json!({})), "{command}");
    }

    /// Grants a permission that the browser would ask its user for.
    pub(crate) fn permit(&self, permission: &str) {
        let granted = json!({"permission": {"name": permission}, "setting": "granted"});
        self.configure("Browser.setPermission", &granted);
    }

    /// Sends a command of the browser's own protocol; `None` if that fails.
    fn devtools(&self, command: &str, parameters: &Value) -> Option<Value> {
        let command = json!({"cmd": command, "params": parameters});
        self.attempt("/goog/cdp/execute", &command)
    }

    /// Sends a command of `WebDriver`; `None` if that fails.
    fn attempt(&self, path: &str, body: &Value) -> Option<Value> {
        try_exchange(self.driver, "POST", &self.path(path), Some(body)).ok()
    }

    /// The visible text of an element. `None` if the element does not exist, or if another
    /// page replaces it before its text is read.
    fn text_now(&self, selector: &str) -> Option<String> {
        let selector = json!({"using": "css selector", "value": selector});
        let found = self.attempt("/element", &selector)?;
        let path = self.path(&format!("/element/{}/text", found[ELEMENT].as_str()?));
        let text = try_exchange(self.driver, "GET", &path, None).ok()?;
        text.as_str().map(str::to_owned)
    }

    /// Saves a screenshot next to the logs.
    fn keep_picture(&self) -> Option<()> {
        let whole = json!({"captureBeyondViewport": true});
        let shown = self.devtools("Page.captureScreenshot", &whole)?;
        let png = STANDARD.decode(shown["data"].as_str()?).ok()?;
        let path = self.scratch.path().join("page.png");
        fs::write(&path, png).ok()?;
        eprintln!("--- the page as it was: {}", path.display());
        Some(())
    }

    fn find(&self, selector: &str) -> String {
        let found = self.command(
            "POST",
            "/element",
            &json!({"using": "css selector", "value": selector}),
        );
        found[ELEMENT].as_str().expect("an element").to_owned()
    }

    #[track_caller]
    fn command(&self, method: &str, path: &str, body: &Value) -> Value {
        exchange(self.driver, method, &self.path(path), Some(body))
    }

    fn path(&self, path: &str) -> String {
        format!("/session/{}{path}", self.session)
    }
}

impl Drop for Chromium {
    fn drop(&mut self) {
        if std::thread::panicking() {
            self.keep_picture();
        }
        // A clean shutdown, so that nothing writes to the profile when it is removed. If
        // it fails, the processes are ended below.
        self.devtools("Browser.close", &json!({}));
        let _ = self.browser.wait(Duration::from_secs(10));
    }
}

/// Starts the browser; returns its debugging port.
fn start_browser(scratch: &Scratch) -> (Process, u16) {
    let profile = scratch.path().join("profile");
    let mut command = Command::new(chromium());
    command
        .arg("--headless=new")
        .arg("--remote-debugging-port=0")
        .arg(format!("--user-data-dir={}", profile.display()))
        .arg("--host-resolver-rules=MAP *.test 127.0.0.1")
        .args(["--no-proxy-server", "--no-first-run", "--disable-gpu"])
        .args(["--disable-dev-shm-usage", "--disable-background-networking"])
        .args(["--window-size=1200,1000", "--hide-scrollbars", "--lang=en"])
        .args(["--disable-component-update", "--password-store=basic"]);
    if is_root() {
        // Chromium has no sandbox when it runs as root. It only opens the tests' own
        // pages.
        command.arg("--no-sandbox");
    }
    command.arg("about:blank");
    let log = scratch.path().join("chromium.log");
    let mut process = Process::start(&command, &log).expect("Chromium runs");
    let port_file = profile.join("DevToolsActivePort");
    let port = wait_until(PATIENCE, || {
        if let Some(status) = process.ended() {
            panic!("Chromium has ended ({status}):\n{}", process.log());
        }
        let told = fs::read_to_string(&port_file).ok()?;
        told.lines().next()?.parse().ok()
    });
    let port = port.unwrap_or_else(|| panic!("Chromium is not ready:\n{}", process.log()));
    (process, port)
}

/// Starts the driver; returns its address.
fn start_driver(scratch: &Scratch) -> (Process, SocketAddr) {
    let mut command = Command::new(driver());
    command.arg("--port=0");
    let log = scratch.path().join("chromedriver.log");
    // The driver takes a free IPv6 port and then the same IPv4 port. If another server
    // uses that one, the driver ends and is started again.
    for _ in 0..10 {
        let mut process = Process::start(&command, &log).expect("ChromeDriver runs");
        let ready = wait_until(PATIENCE, || {
            let ended = process.ended().map(|_| None);
            ended.or_else(|| driver_port(&process.log()).map(Some))
        });
        match ready {
            Some(Some(port)) => return (process, SocketAddr::from(([127, 0, 0, 1], port))),
            Some(None) if process.log().contains("port not available") => {}
            _ => panic!("ChromeDriver is not ready:\n{}", process.log()),
        }
    }
    panic!("ChromeDriver finds no free port");
}

fn driver_port(log: &str) -> Option<u16> {
    let (_, rest) = log.split_once("started successfully on port ")?;
    rest.split_once('.')?.0.parse().ok()
}

#[track_caller]
fn exchange(driver: SocketAddr, method: &str, path: &str, body: Option<&Value>) -> Value {
    try_exchange(driver, method, path, body).unwrap_or_else(|error| panic!("{error}"))
}

/// The value that the driver answers with, or its error.
fn try_exchange(
    driver: SocketAddr,
    method: &str,
    path: &str,
    body: Option<&Value>,
) -> Result<Value, String> {
    // The driver refuses requests with another host name.
    let mut request = Request::new(method, path).authority(driver.to_string());
    if let Some(body) = body {
        request = request
            .header("content-type", "application/json")
            .body(body.to_string());
    }
    let answer = http1::exchange(driver, &request)
        .map_err(|error| format!("{method} {path}: no answer of the driver: {error}"))?;
    let answered: Value = serde_json::from_slice(&answer.body)
        .map_err(|error| format!("{method} {path}: {error}"))?;
    let value = answered["value"].clone();
    match answer.status {
        200 => Ok(value),
        _ => Err(format!("{method} {path}: {value}")),
    }
}

fn is_root() -> bool {
    let id = Command::new("id").arg("-u").output().expect("id runs");
    id.stdout.trim_ascii() == b"0"
}

fn chromium() -> PathBuf {
    program("CHROMIUM", "chromium")
}

fn driver() -> PathBuf {
    program("CHROMEDRIVER", "chromedriver")
}

/// The program that a variable names, or one on the path.
fn program(variable: &str, name: &str) -> PathBuf {
    let named = std::env::var_os(variable).filter(|path| !path.is_empty());
    if let Some(path) = named {
        return tools::found(path.into(), &format!("set {variable} to a program"));
    }
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path)
        .map(|folder| folder.join(name))
        .find(|program| program.is_file())
        .unwrap_or_else(|| panic!("{name} is missing: run `make setup-browser`, or set {variable}"))
}
