//! `edge-authz-server`: the edge-authz filter as a service, for proxies that load no code.
//!
//! * `service` decides requests. It has one key service for the process and a judge in each
//!   thread. All front ends use [`service::Service::decide`];
//! * `fetch` sends requests to issuers;
//! * `ext_authz` is the front end for Envoy's external authorization;
//! * `forward_auth` is the front end for proxies that ask with a request of their own;
//! * `admin` serves probes and metrics;
//! * `observation` contains the metrics and log lines of the process.

pub mod arguments;
pub mod ext_authz;
pub mod observation;
pub mod service;

use std::process::ExitCode;

use clap::Parser;

use arguments::Arguments;

/// Runs the server with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    match load(&arguments) {
        Ok(_) => ExitCode::SUCCESS,
        Err(why) => {
            use std::io::Write;
            let _ = writeln!(std::io::stderr(), "edge-authz-server: {why}");
            ExitCode::FAILURE
        }
    }
}

fn load(arguments: &Arguments) -> Result<edge_authz::policy::Policy, String> {
    let name = arguments.config.display().to_string();
    let text = std::fs::read(&arguments.config).map_err(|error| format!("{name}: {error}"))?;
    edge_authz_cli::compiled(&name, text)
}
