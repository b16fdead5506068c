//! The server in a process of its own.

use std::fs;
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use super::http::Request;
use super::http1;
use super::process::{Process, Scratch, wait_until};
use super::tools;

/// How long the server may take to start.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that can be started again.
pub(crate) struct Program {
    path: PathBuf,
    options: Vec<String>,
    environment: Vec<(String, PathBuf)>,
    scratch: Scratch,
    process: Option<Process>,
    /// The address for proxies.
    pub(crate) address: SocketAddr,
    /// The address for probes and metrics.
    pub(crate) admin: SocketAddr,
}

impl Program {
    /// The program that is shipped, for these options and this configuration. `ADDRESS` among
    /// the options stands for its own. It does not run yet.
    pub(crate) fn new(options: &[&str], configuration: &str) -> Self {
        let host = unused_host();
        let address = SocketAddr::new(host, 9191);
        let options = options.iter();
        let program = Self {
            path: tools::server(),
            options: options
                .map(|option| option.replace("ADDRESS", &address.to_string()))
                .collect(),
            environment: Vec::new(),
            scratch: Scratch::new("server"),
            process: None,
            address,
            admin: SocketAddr::new(host, 9192),
        };
        program.configure(configuration);
        program
    }

    /// Its configuration.
    pub(crate) fn configuration(&self) -> String {
        fs::read_to_string(self.file("edge-authz.yaml")).expect("a file")
    }

    /// Runs another program.
    pub(crate) fn program(mut self, path: PathBuf) -> Self {
        self.path = path;
        self
    }

    /// Sets a variable of its environment.
    pub(crate) fn environment(mut self, name: &str, value: impl AsRef<Path>) -> Self {
        let value = value.as_ref().to_owned();
        self.environment.push((name.to_owned(), value));
        self
    }

    /// Starts it, and waits until it listens.
    pub(crate) fn started(mut self) -> Self {
        self.restart();
        self
    }

    /// A file of the test.
    pub(crate) fn file(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Replaces the configuration, as editors and Kubernetes do: a new file takes the place of
    /// the old one.
    pub(crate) fn configure(&self, configuration: &str) {
        let new = self.scratch.write("new.yaml", configuration);
        fs::rename(new, self.file("edge-authz.yaml")).expect("a rename");
    }

    /// Ends it at once, if it runs, and starts it.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(&self.path);
        command
            .arg("--config")
            .arg(self.file("edge-authz.yaml"))
            .args(["--admin", &self.admin.to_string()])
            .args(&self.options)
            .envs(self.environment.iter().map(|(name, value)| (name, value)));
        let process = Process::start(&command, &self.file("log")).expect("the server runs");
        let listens = || {
            let both = [self.address, self.admin];
            let mut both = both.iter().map(TcpStream::connect);
            both.all(|connected| connected.is_ok()).then_some(())
        };
        wait_until(PATIENCE, listens).unwrap_or_else(|| panic!("{}", process.log()));
        self.process = Some(process);
    }

    /// Ends it at once.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Sends a signal such as `HUP`.
    pub(crate) fn signal(&self, name: &str) {
        self.process.as_ref().expect("it runs").signal(name);
    }

    /// Whether it has ended by itself within this time, and with success.
    pub(crate) fn ends(&mut self, limit: Duration) -> bool {
        let process = self.process.as_mut().expect("it runs");
        process.wait(limit).is_some_and(|status| status.success())
    }

    /// Waits until its probe says that it is ready.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        let ready = || self.is_ready().then_some(());
        wait_until(PATIENCE, ready).unwrap_or_else(|| panic!("{}", self.log()));
    }

    /// Whether its probe says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        let answer = http1::exchange(self.admin, &Request::get("/ready"));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// The value of a metric without labels, or the sum over all labels; 0 if there is none.
    pub(crate) fn metric(&self, name: &str) -> u64 {
        let answer = http1::exchange(self.admin, &Request::get("/metrics")).expect("metrics");
        let values = answer.text_lines().filter_map(|line| {
            let rest = line.strip_prefix(name)?;
            let is_it = rest.starts_with([' ', '{']);
            let (_, value) = rest.rsplit_once(' ').filter(|_| is_it)?;
            value.parse::<u64>().ok()
        });
        values.sum()
    }

    /// What it has written so far.
    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}

/// A loopback address that only this value uses: these programs cannot report a port that the
/// system chose.
pub(crate) fn unused_host() -> IpAddr {
    static NUMBER: AtomicU32 = AtomicU32::new(1);
    let number = NUMBER.fetch_add(1, Ordering::Relaxed);
    let [.., high, low] = std::process::id().to_be_bytes();
    let last = u8::try_from(number).expect("fewer than 256 programs");
    IpAddr::V4(Ipv4Addr::new(127, high.max(1), low, last))
}
