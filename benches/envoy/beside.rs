//! The processes that Envoy asks. They run on the core of the load.

use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::time::Duration;

use crate::authorizer;
use crate::contender::{Build, Contender, Task};
use crate::filters::configuration;
use crate::machine::{LOAD_CORE, pinned};
use crate::support::process::{Process, Scratch, wait_until};
use crate::tokens::Issuers;
use crate::workload::Workload;

/// A process that Envoy asks.
pub(crate) struct Beside {
    pub(crate) process: Process,
    pub(crate) address: SocketAddr,
}

impl Beside {
    /// Starts the process of a contender, if it has one and can check the tokens of the
    /// workload.
    pub(crate) fn start(
        contender: Contender,
        workload: &Workload,
        issuers: &Issuers,
        keys: SocketAddr,
        scratch: &Scratch,
    ) -> Option<Self> {
        match contender {
            Contender::ExternalAuthorizer => {
                authorizer::start(workload.algorithm, issuers, scratch)
            }
            Contender::EdgeAuthz(Build::Server, _) | Contender::ServerOverHttp => {
                let task = if let Contender::EdgeAuthz(_, task) = contender {
                    task
                } else {
                    Task::Everything
                };
                let mut document = configuration(workload, issuers, task);
                let providers = document["providers"].as_array_mut().expect("a list");
                for (number, provider) in providers.iter_mut().enumerate() {
                    provider["jwks"]["uri"] =
                        format!("http://{keys}{}", crate::filters::key_set_path(number)).into();
                }
                Some(server(&document.to_string(), contender, scratch))
            }
            Contender::Nothing
            | Contender::JwtAuthn
            | Contender::JwtAuthnCached
            | Contender::NativeStack
            | Contender::NativeStackCached
            | Contender::EmptyModule
            | Contender::EdgeAuthz(Build::DynamicModule | Build::Wasm | Build::Other, _) => None,
        }
    }
}

/// Starts `edge-authz-server` with one thread, because all of it shares one core.
fn server(configuration: &str, contender: Contender, scratch: &Scratch) -> Beside {
    let address = free_address();
    let name = format!("server-{}", address.port());
    let file = scratch.write(&format!("{name}.json"), configuration);
    let program = Build::Server.path().expect("the server");
    let mut command = pinned(LOAD_CORE, &program);
    command.arg("--config").arg(file);
    command.args(["--threads", "1"]);
    if contender == Contender::ServerOverHttp {
        command.args(["--preset", "envoy", "--http", &address.to_string()]);
    } else {
        command.args(["--grpc", &address.to_string()]);
    }
    let log = scratch.path().join(format!("{name}.log"));
    let process = Process::start(&command, &log).expect("the server runs");
    let listens = || TcpStream::connect(address).ok();
    wait_until(Duration::from_secs(10), listens).unwrap_or_else(|| panic!("{}", process.log()));
    Beside { process, address }
}

/// An address that was free a moment ago.
fn free_address() -> SocketAddr {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    listener.local_addr().expect("an address")
}
