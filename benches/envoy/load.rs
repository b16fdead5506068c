//! The load generators: wrk for HTTP/1.1, h2load for HTTP/2.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use serde_json::Value;

use crate::filters::{API, ORIGIN};
use crate::machine::{LOAD_CORE, pinned};
use crate::sample::{Load, Pace};
use crate::support::client::Client;
use crate::support::process::Scratch;
use crate::support::tools;
use crate::tokens::signed;

const CONNECTIONS: &str = "16";
/// The number of proofs for one sample: more than any contender accepts in that time.
const PROOFS: usize = 40_000;

/// The requests of a workload, in a file.
pub(crate) struct Requests {
    file: PathBuf,
    count: usize,
    /// Whether all of them are answered with 200 or 204.
    good: bool,
}

impl Requests {
    /// Valid GETs of a path, with the tokens in turn.
    pub(crate) fn with_tokens(tokens: &[String], path: &str, scratch: &Scratch) -> Self {
        let requests = tokens.iter().map(|token| {
            format!(
                "GET {path} HTTP/1.1\r\nHost: api.example.com\r\nOrigin: {ORIGIN}\r\n\
                 Authorization: Bearer {token}\r\n\r\n"
            )
        });
        Self {
            file: scratch.write("requests", &requests.collect::<String>()),
            count: tokens.len(),
            good: true,
        }
    }

    /// GETs of a path, each with a new proof for one of the tokens in turn, from the one at
    /// `first` on. They can be sent once.
    pub(crate) fn with_proofs(
        client: &Client,
        tokens: &[String],
        first: usize,
        path: &str,
        scratch: &Scratch,
    ) -> Self {
        let uri = format!("{API}{path}");
        let requests = signed(PROOFS, |number| {
            let token = &tokens[(first + number) % tokens.len()];
            let proof = client.proof(&uri, token);
            format!(
                "GET {path} HTTP/1.1\r\nHost: api.example.com\r\nOrigin: {ORIGIN}\r\n\
                 Authorization: DPoP {token}\r\nDPoP: {proof}\r\n\r\n"
            )
        });
        Self {
            file: scratch.write("proofs", &requests.concat()),
            count: PROOFS,
            good: true,
        }
    }

    /// A request given byte by byte, which is answered with 200 or 204, or refused.
    pub(crate) fn one(request: &str, good: bool, scratch: &Scratch) -> Self {
        Self {
            file: scratch.write("requests", request),
            count: 1,
            good,
        }
    }

    /// Sends at least this many requests over HTTP/1.1.
    pub(crate) fn send_at_least(&self, to: SocketAddr, count: usize) {
        let (mut sent, mut offset) = (0, 0);
        while sent < count {
            sent += self.send(to, &mut offset, Pace::QUICK).requests as usize;
        }
    }

    /// Sends requests over HTTP/1.1, starting with the one at `offset`, which is
    /// advanced.
    pub(crate) fn send(&self, to: SocketAddr, offset: &mut usize, pace: Pace) -> Load {
        let mut command = pinned(LOAD_CORE, &program("wrk", "wrk"));
        command
            .args(["-t1", "-c", CONNECTIONS, "-d"])
            .arg(format!("{}s", pace.seconds))
            .arg("-s")
            .arg(tools::root().join("benches/envoy/load.lua"))
            .arg(format!("http://{to}"))
            .env("BENCH_REQUESTS", &self.file)
            .env("BENCH_OFFSET", offset.to_string());
        let text = output(command);
        let line = text.lines().find_map(|line| line.strip_prefix("BENCH "));
        let output: Value = line
            .and_then(|line| serde_json::from_str(line).ok())
            .unwrap_or_else(|| panic!("wrk reported:\n{text}"));
        let number = |name: &str| output[name].as_u64().expect("a number");
        let refused = if self.good { 0 } else { number("requests") };
        assert!(
            number("refused") == refused && number("broken") == 0,
            "not every request was answered as expected: {output}"
        );
        *offset = (*offset + number("requests") as usize) % self.count;
        Load {
            requests: number("requests"),
            elapsed: Duration::from_micros(number("micros")),
            p50: number("p50") as f64,
            p99: number("p99") as f64,
        }
    }
}

/// Sends GETs over HTTP/2, all with the same token.
pub(crate) fn send2(to: SocketAddr, path: &str, token: &str, pace: Pace) -> Load {
    let mut command = pinned(LOAD_CORE, &program("h2load", "nghttp2-client"));
    command
        .args(["-t1", "-c4", "-m4", "-D", &pace.seconds.to_string()])
        .arg("-H")
        .arg(format!("authorization: Bearer {token}"))
        .arg("-H")
        .arg(format!("origin: {ORIGIN}"))
        .arg(format!("http://{to}{path}"));
    let text = output(command);
    let number = |before: &str, after: &str| -> u64 {
        let part = text
            .split(before)
            .nth(1)
            .and_then(|rest| rest.split(after).next());
        part.and_then(|part| part.trim().parse().ok())
            .unwrap_or_else(|| panic!("h2load reported:\n{text}"))
    };
    let good = number("status codes: ", " 2xx");
    let failed = number(" succeeded, ", " failed");
    assert!(good > 0 && failed == 0, "h2load reported:\n{text}");
    Load {
        requests: good,
        elapsed: Duration::from_secs(pace.seconds),
        p50: 0.0,
        p99: 0.0,
    }
}

fn program(name: &str, package: &str) -> PathBuf {
    let found = std::env::var_os("PATH").and_then(|paths| {
        std::env::split_paths(&paths)
            .map(|directory| directory.join(name))
            .find(|path| path.is_file())
    });
    found.unwrap_or_else(|| panic!("{name} is missing: apt-get install {package}"))
}

fn output(mut command: Command) -> String {
    let program = Path::new(command.get_program()).display().to_string();
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{program}: {error}"));
    String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned()
}
