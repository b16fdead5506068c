//! The services of `envoy/docker-compose.yaml`, in containers and networks that belong to
//! one test.

use std::fs;
use std::net::SocketAddr;
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::engine::{compose, docker, output};
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::process::{Scratch, wait_until};
use crate::support::template::replace;
use crate::support::tools;

/// How long the containers may take to start, on a busy machine.
const PATIENCE: Duration = Duration::from_mins(5);

/// The names of services.
pub(crate) const ENVOY: &str = "envoy";
pub(crate) const ISSUER: &str = "issuer";
pub(crate) const UPSTREAM: &str = "upstream";

/// Running containers, which end when this is dropped.
pub(crate) struct Services {
    project: String,
    scratch: Scratch,
}

impl Services {
    /// Starts the services in `envoy/`, unchanged.
    pub(crate) fn start() -> Self {
        Self::with(&[], 1)
    }

    /// Starts them with replaced texts in `envoy/docker/envoy.yaml`, and with this many
    /// Envoys.
    pub(crate) fn with(replacements: &[(&str, &str)], envoys: usize) -> Self {
        static NUMBER: AtomicU32 = AtomicU32::new(0);
        let run = std::env::var("EDGE_AUTHZ_RUN");
        let run = run.unwrap_or_else(|_| std::process::id().to_string());
        let number = NUMBER.fetch_add(1, Ordering::Relaxed);
        let scratch = Scratch::new("docker");
        let shipped = fs::read_to_string(tools::root().join("envoy/docker/envoy.yaml"));
        let configuration = replacements
            .iter()
            .fold(shipped.expect("envoy.yaml"), |text, (from, to)| {
                replace(&text, from, to)
            });
        scratch.write("envoy.yaml", &configuration);
        let services = Self {
            project: format!("edge-authz-test-{run}-{number}"),
            scratch,
        };
        services.compose(&[
            "up",
            "--detach",
            "--no-build",
            "--scale",
            &format!("envoy={envoys}"),
        ]);
        services.ready();
        services
    }

    /// Waits until the issuer and each Envoy with its upstream answer.
    pub(crate) fn ready(&self) {
        let jwks = Request::get("/us-east-1_EdgeAuthz/.well-known/jwks.json")
            .authority("cognito-idp.us-east-1.amazonaws.com");
        answers(&self.container(ISSUER), 5000, &jwks);
        for envoy in self.containers(ENVOY) {
            answers(&envoy, 8080, &Request::get("/public"));
        }
    }

    /// The command `compose …` for these services.
    pub(crate) fn command(&self) -> Command {
        let folder = tools::root().join("envoy");
        let mut command = compose();
        command
            .arg("--project-name")
            .arg(&self.project)
            .arg("--env-file")
            .arg(folder.join("docker/local.env"))
            .arg("--file")
            .arg(folder.join("docker-compose.yaml"));
        for (name, value) in self.environment() {
            command.env(name, value);
        }
        command
    }

    /// The settings that separate these services from others.
    pub(crate) fn environment(&self) -> [(&'static str, String); 4] {
        let path = |path: std::path::PathBuf| path.display().to_string();
        [
            ("EDGE_AUTHZ_PORT", "0".to_owned()),
            ("EDGE_AUTHZ_ISSUER_PORT", "0".to_owned()),
            ("EDGE_AUTHZ_WASM", path(tools::module())),
            (
                "EDGE_AUTHZ_ENVOY_YAML",
                path(self.scratch.path().join("envoy.yaml")),
            ),
        ]
    }

    /// Runs `compose …`.
    #[track_caller]
    pub(crate) fn compose(&self, arguments: &[&str]) -> String {
        output(self.command().args(arguments))
    }

    /// The project name, which is the prefix of Compose's other names.
    pub(crate) fn project(&self) -> &str {
        &self.project
    }

    /// The containers of a service.
    pub(crate) fn containers(&self, service: &str) -> Vec<String> {
        let project = format!("label=com.docker.compose.project={}", self.project);
        let service = format!("label=com.docker.compose.service={service}");
        let listed = docker(&[
            "ps", "--all", "--quiet", "--filter", &project, "--filter", &service,
        ]);
        listed.lines().map(str::to_owned).collect()
    }

    /// The only container of a service.
    #[track_caller]
    pub(crate) fn container(&self, service: &str) -> String {
        let mut containers = self.containers(service);
        assert_eq!(containers.len(), 1, "{service}");
        containers.remove(0)
    }

    /// The network that the services share.
    pub(crate) fn private_network(&self) -> String {
        format!("{}_private", self.project)
    }

    /// Kills the process of a service; `docker start` starts it again.
    pub(crate) fn stop(&self, service: &str) {
        docker(&["stop", "--time", "0", &self.container(service)]);
    }

    /// Starts a stopped container.
    pub(crate) fn resume(&self, service: &str) {
        docker(&["start", &self.container(service)]);
    }

    /// The issuer's address from outside.
    pub(crate) fn issuer(&self) -> SocketAddr {
        address(&self.container(ISSUER), 5000)
    }

    /// The address of the only Envoy.
    pub(crate) fn envoy(&self) -> SocketAddr {
        address(&self.container(ENVOY), 8080)
    }

    /// Sends a request to the only Envoy.
    #[track_caller]
    pub(crate) fn send(&self, request: &Request) -> Response {
        http1::exchange(self.envoy(), request).expect("an answer")
    }

    /// The output of a service's containers.
    pub(crate) fn log(&self, service: &str) -> String {
        let logs = self.containers(service).into_iter().map(|container| {
            let output = Command::new("docker").args(["logs", &container]).output();
            output.map_or_else(
                |error| error.to_string(),
                |output| {
                    let [out, error] = [output.stdout, output.stderr];
                    String::from_utf8_lossy(&[out, error].concat()).into_owned()
                },
            )
        });
        logs.collect()
    }

    /// The addresses that have fetched the key set, one entry for each fetch.
    pub(crate) fn key_fetches(&self) -> Vec<String> {
        let log = self.log(ISSUER);
        // The test itself uses another network.
        let envoys: Vec<String> = self
            .containers(ENVOY)
            .iter()
            .map(|envoy| self.private_address(envoy))
            .collect();
        log.lines()
            .filter(|line| line.contains("/jwks.json"))
            .filter_map(|line| line.split_whitespace().next())
            .filter(|address| envoys.iter().any(|envoy| envoy == address))
            .map(str::to_owned)
            .collect()
    }

    /// A container's address on the private network.
    pub(crate) fn private_address(&self, container: &str) -> String {
        let network = self.private_network();
        let format = format!("{{{{(index .NetworkSettings.Networks {network:?}).IPAddress}}}}");
        docker(&["inspect", "--format", &format, container])
    }

    /// Fails the test if a callback of the module has trapped.
    #[track_caller]
    pub(crate) fn assert_no_trap(&self) {
        let log = self.log(ENVOY);
        let trap = log
            .lines()
            .find(|line| line.contains("Function: ") || line.contains("panicked at"));
        assert!(trap.is_none(), "the module trapped: {trap:?}");
    }
}

impl Drop for Services {
    fn drop(&mut self) {
        if std::thread::panicking() {
            for service in [ENVOY, ISSUER, UPSTREAM] {
                let log = self.log(service);
                let lines: Vec<_> = log.lines().collect();
                let last = &lines[lines.len().saturating_sub(40)..];
                eprintln!("--- the end of {service}'s log:\n{}\n---", last.join("\n"));
            }
        }
        // A paused container would not end.
        let paused = self.containers(ISSUER).into_iter().filter(|container| {
            let format = "{{.State.Paused}}";
            docker(&["inspect", "--format", format, container]) == "true"
        });
        for container in paused {
            docker(&["unpause", &container]);
        }
        let down = ["down", "--volumes", "--remove-orphans", "--timeout", "0"];
        let ended = self.command().args(down).output();
        if !ended.is_ok_and(|ended| ended.status.success()) {
            eprintln!("the containers of {} did not end", self.project);
        }
    }
}

/// Waits until a container answers 200.
#[track_caller]
fn answers(container: &str, port: u16, request: &Request) {
    let start = Instant::now();
    let answered = wait_until(PATIENCE, || {
        std::thread::sleep(Duration::from_millis(100));
        let answer = http1::exchange(address(container, port), request).ok()?;
        (answer.status == 200).then_some(())
    });
    assert!(answered.is_some(), "no answer in {:?}", start.elapsed());
}

/// The address that Docker has assigned to a port of a container: it changes at each
/// start.
pub(crate) fn address(container: &str, port: u16) -> SocketAddr {
    let published = Command::new("docker")
        .args(["port", container, &format!("{port}/tcp")])
        .output()
        .expect("docker runs");
    String::from_utf8_lossy(&published.stdout)
        .lines()
        .next()
        .and_then(|line| line.parse().ok())
        // Not running: no server listens on port 0.
        .unwrap_or_else(|| SocketAddr::from(([127, 0, 0, 1], 0)))
}
