//! Proxies with the files of `examples/forward-auth`, changed only in what a user changes:
//! addresses, and the names of headers.

mod caddy;
mod haproxy;
mod nginx;

use std::fs;
use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use edge_authz_server::forward_auth::Preset;

use crate::support::process::{Process, Scratch, wait_until};
use crate::support::program::unused_host;
use crate::support::tools;

/// A proxy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Nginx,
    Haproxy,
    Caddy,
}

/// A site of a proxy, with an authorizer of its own.
#[derive(Clone, Debug)]
pub(crate) struct Site {
    /// The authorizer.
    pub(crate) authorizer: SocketAddr,
    /// The names of the identity headers.
    pub(crate) identity: Vec<String>,
    /// The names of further headers from which tokens are read.
    pub(crate) tokens: Vec<String>,
    /// Whether the configuration has CORS policies.
    pub(crate) cors: bool,
}

impl Site {
    /// A site as in the files.
    pub(crate) fn new(authorizer: SocketAddr) -> Self {
        Self {
            authorizer,
            identity: vec!["X-User-Id".to_owned()],
            tokens: Vec::new(),
            cors: true,
        }
    }
}

/// The addresses of a site: HTTP/1.1 and HTTP/2.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Addresses {
    pub(crate) http1: SocketAddr,
    pub(crate) http2: SocketAddr,
}

/// A running proxy.
pub(crate) struct Proxy {
    pub(crate) kind: Kind,
    process: Process,
    _scratch: Scratch,
    sites: Vec<Addresses>,
}

impl Kind {
    pub(crate) const ALL: [Self; 3] = [Self::Nginx, Self::Haproxy, Self::Caddy];

    /// Those that `PROXY` selects: all, or one.
    pub(crate) fn chosen() -> Vec<Self> {
        let wanted = std::env::var("PROXY").unwrap_or_default();
        let all = Self::ALL.into_iter();
        all.filter(|kind| wanted.is_empty() || kind.name() == wanted)
            .collect()
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Nginx => "nginx",
            Self::Haproxy => "haproxy",
            Self::Caddy => "caddy",
        }
    }

    pub(crate) const fn preset(self) -> Preset {
        match self {
            Self::Nginx => Preset::Nginx,
            Self::Haproxy => Preset::Haproxy,
            Self::Caddy => Preset::Caddy,
        }
    }

    /// The program.
    fn program(self) -> PathBuf {
        let remedy = "run `make setup-proxies`";
        match self {
            Self::Caddy => tools::found(tools::root().join(".tools/proxies/bin/caddy"), remedy),
            Self::Nginx | Self::Haproxy => {
                let paths = ["/usr/sbin", "/usr/bin", "/usr/local/sbin", "/usr/local/bin"];
                let named = |folder: &str| Path::new(folder).join(self.name());
                let found = paths.iter().map(|folder| named(folder));
                let found = found.into_iter().find(|path| path.exists());
                found.unwrap_or_else(|| panic!("{} is missing: {remedy}", self.name()))
            }
        }
    }
}

impl Proxy {
    /// Starts a proxy with these sites in front of an upstream.
    #[track_caller]
    pub(crate) fn start(kind: Kind, sites: &[Site], upstream: SocketAddr) -> Self {
        let scratch = Scratch::new(kind.name());
        let host = unused_host();
        let addresses: Vec<Addresses> = (0..sites.len())
            .map(|index| {
                let port = u16::try_from(10_000 + 2 * index).expect("a port");
                Addresses {
                    http1: SocketAddr::new(host, port),
                    // Caddy serves both versions at one address.
                    http2: SocketAddr::new(host, port + u16::from(kind != Kind::Caddy)),
                }
            })
            .collect();
        let both: Vec<(&Site, Addresses)> = sites.iter().zip(addresses.iter().copied()).collect();
        let mut command = Command::new(kind.program());
        match kind {
            Kind::Nginx => nginx::prepare(&scratch, &both, upstream, &mut command),
            Kind::Haproxy => haproxy::prepare(&scratch, &both, upstream, &mut command),
            Kind::Caddy => caddy::prepare(&scratch, &both, upstream, &mut command),
        }
        let log = scratch.path().join("log");
        let process = Process::start(&command, &log).expect("the proxy runs");
        let proxy = Self {
            kind,
            process,
            _scratch: scratch,
            sites: addresses,
        };
        let listens = || {
            let mut all = proxy.sites.iter().flat_map(|site| [site.http1, site.http2]);
            all.all(|address| TcpStream::connect(address).is_ok())
                .then_some(())
        };
        wait_until(Duration::from_mins(2), listens)
            .unwrap_or_else(|| panic!("{}:\n{}", kind.name(), proxy.log()));
        proxy
    }

    /// The addresses of a site.
    pub(crate) fn site(&self, index: usize) -> Addresses {
        self.sites[index]
    }

    /// The address of the first site.
    pub(crate) fn address(&self) -> SocketAddr {
        self.site(0).http1
    }

    /// The output of the proxy.
    pub(crate) fn log(&self) -> String {
        self.process.log()
    }
}

/// A file of `examples/forward-auth`.
fn file(name: &str) -> String {
    let path = tools::root().join("examples/forward-auth").join(name);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Replaces a text that must occur.
#[track_caller]
fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "`{from}` is missing in:\n{text}");
    text.replace(from, to)
}

/// A text of a file that stands for the name of a header, and that name's form there.
type Form = (&'static str, fn(&str) -> String);

/// Repeats each line that has one of these texts for every name, with the name in the form of
/// each text.
fn repeated(text: &str, forms: &[Form], names: &[String]) -> String {
    let mut lines = Vec::new();
    for line in text.lines() {
        let is_comment = line.trim_start().starts_with('#');
        if is_comment || !forms.iter().any(|(form, _)| line.contains(form)) {
            lines.push(line.to_owned());
            continue;
        }
        for name in names {
            let of_name = |line: String, (form, make): &Form| line.replace(form, &make(name));
            lines.push(forms.iter().fold(line.to_owned(), of_name));
        }
    }
    lines.join("\n") + "\n"
}
