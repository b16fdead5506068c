//! The program that is shipped, in its own process.

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::process::Command;
use std::time::Duration;

use crate::proxies::{Kind, unused_host};
use crate::support::http::Request;
use crate::support::http1;
use crate::support::process::{Process, Scratch, wait_until};
use crate::support::tools;

/// A running server for one kind of proxy.
pub(crate) struct Authorizer {
    process: Option<Process>,
    scratch: Scratch,
    kind: Kind,
    pub(crate) address: SocketAddr,
    pub(crate) admin: SocketAddr,
}

impl Authorizer {
    /// Starts the server with a configuration, and waits until it listens.
    pub(crate) fn start(kind: Kind, configuration: &str) -> Self {
        let host = unused_host();
        let mut authorizer = Self {
            process: None,
            scratch: Scratch::new("server"),
            kind,
            address: SocketAddr::new(host, 9191),
            admin: SocketAddr::new(host, 9192),
        };
        authorizer.configure(configuration);
        authorizer.restart();
        authorizer
    }

    /// Replaces the file of the configuration.
    pub(crate) fn configure(&self, configuration: &str) {
        // As editors and Kubernetes do: the new file replaces the old one.
        let new = self.scratch.write("new.yaml", configuration);
        fs::rename(new, self.scratch.path().join("edge-authz.yaml")).expect("a rename");
    }

    /// Ends the server, and starts it again.
    pub(crate) fn restart(&mut self) {
        self.stop();
        let mut command = Command::new(tools::server());
        command
            .arg("--config")
            .arg(self.scratch.path().join("edge-authz.yaml"))
            .args(["--preset", self.kind.name(), "--drain", "0"])
            .args(["--http", &self.address.to_string()])
            .args(["--admin", &self.admin.to_string()]);
        let log = self.scratch.path().join("log");
        let process = Process::start(&command, &log).expect("the server runs");
        let listens = || TcpStream::connect(self.address).ok();
        wait_until(Duration::from_secs(20), listens).unwrap_or_else(|| panic!("{}", process.log()));
        self.process = Some(process);
    }

    /// Ends the server.
    pub(crate) fn stop(&mut self) {
        self.process = None;
    }

    /// Whether its probe says that it is ready.
    pub(crate) fn is_ready(&self) -> bool {
        let answer = http1::exchange(self.admin, &Request::get("/ready"));
        answer.is_ok_and(|answer| answer.status == 200)
    }

    /// Waits until its probe says that it is ready.
    #[track_caller]
    pub(crate) fn wait_until_ready(&self) {
        let ready = || self.is_ready().then_some(());
        wait_until(Duration::from_secs(20), ready).unwrap_or_else(|| panic!("{}", self.log()));
    }

    /// The output of the server.
    pub(crate) fn log(&self) -> String {
        self.process.as_ref().map(Process::log).unwrap_or_default()
    }
}
