//! The server's arguments.

use std::net::SocketAddr;
use std::path::PathBuf;

use clap::Parser;

/// Decides requests for proxies: `ext_authz` over gRPC, and forward authentication over HTTP.
#[derive(Debug, Parser)]
#[command(name = "edge-authz-server", version, arg_required_else_help = true)]
pub struct Arguments {
    /// The configuration, YAML or JSON. The server watches the file.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The address for Envoy's `ext_authz` over gRPC.
    #[arg(long, value_name = "ADDRESS")]
    pub grpc: Option<SocketAddr>,
    /// The address for forward authentication over HTTP.
    #[arg(long, value_name = "ADDRESS")]
    pub http: Option<SocketAddr>,
    /// The address for probes and metrics.
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// The number of threads that decide; by default one for each processor.
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<usize>,
}
