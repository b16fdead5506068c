//! The server's arguments.

use std::net::SocketAddr;
use std::num::NonZero;
use std::path::PathBuf;
use std::sync::Arc;

use clap::{Parser, ValueEnum};
use edge_authz::telemetry::Level;
use http::HeaderName;
use ipnet::IpNet;

use crate::admin;
use crate::ext_authz::{ExtAuthz, Limits, Readiness};
use crate::forward_auth::{ForwardAuth, Preset};
use crate::front_ends::{FrontEnds, Kind};

/// Decides requests for proxies that load no code: the authorizers of API Gateway as a
/// service.
#[derive(Debug, Parser)]
#[command(
    name = "edge-authz-server",
    version,
    arg_required_else_help = true,
    after_help = "Examples:\n  \
        edge-authz-server --config edge-authz.yaml --http 127.0.0.1:9191 --preset nginx\n  \
        edge-authz-server --config edge-authz.yaml --http 0.0.0.0:9191 --preset traefik \\\n    \
        --trusted-peers 10.0.0.0/8 --admin 0.0.0.0:9192\n\n\
        `edge-authz check --host server FILE` checks a configuration.\n\
        Proxies for requests to issuers are taken from HTTPS_PROXY, HTTP_PROXY and NO_PROXY."
)]
pub struct Arguments {
    /// The configuration, YAML or JSON. The server watches the file; SIGHUP reads it at once.
    #[arg(long, value_name = "FILE")]
    pub config: PathBuf,
    /// The address for Envoy's `ext_authz` over gRPC without TLS.
    #[arg(long, value_name = "ADDRESS")]
    pub grpc: Option<SocketAddr>,
    /// The address for forward authentication, and for Envoy's `ext_authz` over HTTP, without TLS.
    #[arg(long, value_name = "ADDRESS", requires = "preset")]
    pub http: Option<SocketAddr>,
    /// The proxy that asks over HTTP.
    #[arg(long, value_name = "PROXY", requires = "http")]
    pub preset: Option<Proxy>,
    /// The header in which the proxy writes the SHA-256 of the client's verified certificate in
    /// hexadecimal digits, empty or absent if there is none. The proxy must always replace a
    /// client's header of this name. Without this option, tokens that are bound to a
    /// certificate are refused.
    #[arg(long, value_name = "HEADER", requires = "http")]
    pub client_certificate_header: Option<HeaderName>,
    /// The networks of the proxies. Other connections are closed. [default: this machine]
    #[arg(long, value_name = "NETWORK", value_delimiter = ',')]
    pub trusted_peers: Vec<IpNet>,
    /// The address for /live, /ready and /metrics.
    #[arg(long, value_name = "ADDRESS")]
    pub admin: Option<SocketAddr>,
    /// Be ready before the keys of all providers are there.
    #[arg(long)]
    pub ready_without_keys: bool,
    /// The number of threads that decide. [default: one for each processor]
    #[arg(long, value_name = "NUMBER")]
    pub threads: Option<NonZero<usize>>,
    /// The maximum number of connections. Further ones wait.
    #[arg(long, value_name = "NUMBER", default_value = "10000")]
    pub max_connections: usize,
    /// How many seconds a connection may take until the header of its next request is
    /// complete. It should be longer than the proxy keeps idle connections.
    #[arg(long, value_name = "SECONDS", default_value = "75", value_parser = clap::value_parser!(u64).range(1..=86_400))]
    pub idle_timeout: u64,
    /// How many seconds the server still accepts connections after SIGTERM, while /ready is 503.
    #[arg(long, value_name = "SECONDS", default_value = "5", value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub drain: u64,
    /// How many seconds requests may then take until they are answered.
    #[arg(long, value_name = "SECONDS", default_value = "10", value_parser = clap::value_parser!(u64).range(0..=3600))]
    pub grace: u64,
    /// The lowest level of the log on the standard error. `debug` shows each refusal.
    #[arg(long, value_name = "LEVEL", default_value = "info")]
    pub log_level: LogLevel,
    /// Write one line of JSON for each decision to the standard output.
    #[arg(long)]
    pub access_log: bool,
}

/// A proxy that asks over HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Proxy {
    /// nginx, `auth_request`: its configuration sets `X-Original-Method`, `X-Original-URI` and
    /// `X-Original-Host`.
    Nginx,
    /// Traefik, `ForwardAuth`: it sets `X-Forwarded-Method`, `X-Forwarded-Uri` and
    /// `X-Forwarded-Host` itself.
    Traefik,
    /// Caddy, `forward_auth`: as Traefik.
    Caddy,
    /// haproxy: its configuration sets `X-Original-Method`, `X-Original-URI` and
    /// `X-Original-Host`.
    Haproxy,
    /// Envoy, `ext_authz` with `http_service`. Prefer `--grpc`.
    Envoy,
}

impl Proxy {
    /// The front end, if the proxy asks by forward authentication.
    const fn forward_auth(self) -> Option<Preset> {
        match self {
            Self::Nginx => Some(Preset::Nginx),
            Self::Traefik => Some(Preset::Traefik),
            Self::Caddy => Some(Preset::Caddy),
            Self::Haproxy => Some(Preset::Haproxy),
            Self::Envoy => None,
        }
    }
}

/// A level of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum LogLevel {
    /// Each refusal.
    Debug,
    /// Expected events.
    Info,
    /// What the operator should check.
    Warning,
    /// Requests are refused that should be accepted.
    Error,
    /// Nothing.
    Off,
}

impl From<LogLevel> for Option<Level> {
    fn from(level: LogLevel) -> Self {
        match level {
            LogLevel::Debug => Some(Level::Debug),
            LogLevel::Info => Some(Level::Info),
            LogLevel::Warning => Some(Level::Warn),
            LogLevel::Error => Some(Level::Error),
            LogLevel::Off => None,
        }
    }
}

impl Arguments {
    /// The front ends.
    ///
    /// # Errors
    ///
    /// There are none; for people.
    pub fn front_ends(&self, readiness: &Arc<admin::Readiness>) -> Result<FrontEnds, String> {
        let mut all = Vec::new();
        if let Some(address) = self.grpc {
            let readiness = Arc::clone(readiness);
            let front_end = ExtAuthz {
                readiness: Readiness::new(move || readiness.check().is_ok()),
                limits: Limits::default(),
            };
            all.push((address, Kind::ExtAuthz(front_end)));
        }
        if let (Some(address), Some(proxy)) = (self.http, self.preset) {
            all.push((address, self.over_http(proxy)?));
        }
        if all.is_empty() {
            return Err(
                "give an address: `--grpc ADDRESS`, or `--http ADDRESS --preset PROXY`".to_owned(),
            );
        }
        Ok(FrontEnds::new(all))
    }

    /// The front end for a proxy that asks over HTTP.
    fn over_http(&self, proxy: Proxy) -> Result<Kind, String> {
        let certificate = self.client_certificate_header.clone();
        match proxy.forward_auth() {
            Some(preset) => Ok(Kind::ForwardAuth(ForwardAuth {
                preset,
                certificate,
            })),
            None if certificate.is_none() => Ok(Kind::ExtAuthzHttp),
            None => Err(
                "with `--preset envoy`, the client certificate is always in the header \
                 `edge-authz`; remove `--client-certificate-header`"
                    .to_owned(),
            ),
        }
    }
}
