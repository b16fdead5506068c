//! `edge-authz-server`: the edge-authz filter as a service, for proxies that load no code.
//!
//! * `service` decides requests. It has one key service for the process and a judge in each
//!   thread. All front ends use [`service::Service::decide`];
//! * `fetch` sends requests to issuers;
//! * `connections` accepts the connections of proxies and serves them in the threads;
//! * `forward_auth` is the front end for proxies that ask with a request of their own;
//! * `ext_authz` is the front end for Envoy's external authorization over gRPC, and
//!   `ext_authz_http` over HTTP;
//! * `front_ends` contains those that the arguments select;
//! * `reload` watches the configuration;
//! * `admin` serves probes and metrics;
//! * `observation` contains the metrics and log lines of the process, and `access` its access
//!   log;
//! * `run` puts all of this together.
//!
//! `tests/trapdoor-server` compiles these sources with a clock that panics on demand.

mod access;
pub mod admin;
mod answers;
pub mod arguments;
#[cfg_attr(trapdoor, path = "../../../tests/trapdoor-server/src/clock.rs")]
mod clock;
pub mod connections;
mod edits;
pub mod ext_authz;
pub mod ext_authz_http;
pub mod fetch;
mod fields;
mod files;
pub mod forward_auth;
pub mod front_ends;
pub mod observation;
pub mod reload;
mod run;
pub mod service;
mod signals;

use std::io::{self, Write};
use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;
pub use run::run;

/// Runs the server with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    match run(Arguments::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(why) => {
            let _ = writeln!(io::stderr(), "edge-authz-server: {why}");
            ExitCode::FAILURE
        }
    }
}
