//! Sends requests exactly as they are written, over HTTP/1.1. Redirects are not followed.

use std::io::{self, Read, Write};
use std::net::{TcpStream, ToSocketAddrs};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

use super::answer::{self, Received};
use super::target::Target;
use crate::cases::Request;

/// A client of one gateway. Each request has a connection of its own.
#[derive(Debug)]
pub(super) struct Client {
    target: Target,
    /// Where to connect, if not to the host of the URL.
    connect: Option<String>,
    timeout: Duration,
    tls: Option<Arc<ClientConfig>>,
}

impl Client {
    /// A client that trusts the certificates of the system, and those in the file `ca`.
    ///
    /// # Errors
    ///
    /// The file cannot be read, or there is no certificate to trust.
    pub(super) fn new(
        target: Target,
        connect: Option<String>,
        timeout: Duration,
        ca: Option<&str>,
    ) -> Result<Self, String> {
        let tls = target.is_tls.then(|| configuration(ca)).transpose()?;
        Ok(Self {
            target,
            connect,
            timeout,
            tls: tls.map(Arc::new),
        })
    }

    /// Sends a request and reads its answer. `host` is the content of its field `Host`.
    pub(super) fn exchange(&self, request: &Request, host: Option<&[u8]>) -> io::Result<Received> {
        let bytes = encoded(request, host);
        let deadline = now().checked_add(self.timeout);
        let stream = Timed {
            stream: self.connected(deadline)?,
            deadline,
        };
        let is_head = request.method == b"HEAD";
        match &self.tls {
            None => exchange(stream, &bytes, is_head),
            Some(tls) => {
                let name = ServerName::try_from(self.target.host.clone());
                let name = name.map_err(io::Error::other)?;
                let session = ClientConnection::new(Arc::clone(tls), name);
                let session = session.map_err(io::Error::other)?;
                exchange(StreamOwned::new(session, stream), &bytes, is_head)
            }
        }
    }

    fn connected(&self, deadline: Option<Instant>) -> io::Result<TcpStream> {
        let addresses: Vec<_> = match &self.connect {
            Some(address) => address.to_socket_addrs()?.collect(),
            None => (self.target.host.as_str(), self.target.port)
                .to_socket_addrs()?
                .collect(),
        };
        let mut last = io::Error::new(io::ErrorKind::NotFound, "the host has no address");
        for address in addresses {
            match TcpStream::connect_timeout(&address, left(deadline)?) {
                Ok(stream) => {
                    stream.set_nodelay(true)?;
                    return Ok(stream);
                }
                Err(error) => last = error,
            }
        }
        Err(last)
    }
}

fn configuration(ca: Option<&str>) -> Result<ClientConfig, String> {
    let mut roots = RootCertStore::empty();
    roots.add_parsable_certificates(rustls_native_certs::load_native_certs().certs);
    if let Some(path) = ca {
        let wrong = |error: &dyn std::fmt::Display| format!("--ca {path}: {error}");
        let certificates = CertificateDer::pem_file_iter(path).map_err(|error| wrong(&error))?;
        let mut count = 0_usize;
        for certificate in certificates {
            let certificate = certificate.map_err(|error| wrong(&error))?;
            roots.add(certificate).map_err(|error| wrong(&error))?;
            count = count.saturating_add(1);
        }
        if count == 0 {
            return Err(wrong(&"the file has no certificate in PEM form"));
        }
    }
    if roots.is_empty() {
        return Err("the system has no certificates to trust; name a file with `--ca`".to_owned());
    }
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| error.to_string())?;
    let mut configuration = builder.with_root_certificates(roots).with_no_client_auth();
    configuration.alpn_protocols = vec![b"http/1.1".to_vec()];
    Ok(configuration)
}

/// The bytes of a request.
fn encoded(request: &Request, host: Option<&[u8]>) -> Vec<u8> {
    let target = request.path.as_deref().unwrap_or_default();
    let mut bytes = [&*request.method, b" ", target, b" HTTP/1.1\r\n"].concat();
    let mut line = |name: &[u8], value: &[u8]| {
        bytes.extend([name, b": ", value, b"\r\n"].concat());
    };
    if let Some(host) = host {
        line(b"host", host);
    }
    let mut has = (false, false);
    for (name, value) in &request.headers {
        has.0 |= name.eq_ignore_ascii_case(b"connection");
        has.1 |= name.eq_ignore_ascii_case(b"content-length");
        line(name, value);
    }
    let (has_connection, has_length) = has;
    if !has_connection {
        line(b"connection", b"close");
    }
    if !has_length && !request.body.is_empty() {
        line(b"content-length", request.body.len().to_string().as_bytes());
    }
    bytes.extend(b"\r\n");
    bytes.extend(&request.body);
    bytes
}

fn exchange(mut stream: impl Read + Write, bytes: &[u8], is_head: bool) -> io::Result<Received> {
    let sent = stream.write_all(bytes).and_then(|()| stream.flush());
    // A server may answer and close before it has read everything.
    answer::read(&mut stream, is_head).or_else(|error| sent.and(Err(error)))
}

#[expect(
    clippy::disallowed_methods,
    reason = "the command is a host: it measures how long a gateway takes"
)]
fn now() -> Instant {
    Instant::now()
}

fn left(deadline: Option<Instant>) -> io::Result<Duration> {
    let now = now();
    let left = deadline.and_then(|deadline| deadline.checked_duration_since(now));
    left.filter(|left| !left.is_zero())
        .ok_or_else(|| io::Error::new(io::ErrorKind::TimedOut, "no answer in time"))
}

/// A connection with a deadline for everything.
struct Timed {
    stream: TcpStream,
    deadline: Option<Instant>,
}

impl Read for Timed {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        self.stream.set_read_timeout(Some(left(self.deadline)?))?;
        self.stream.read(into).map_err(in_time)
    }
}

impl Write for Timed {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.stream.set_write_timeout(Some(left(self.deadline)?))?;
        self.stream.write(bytes).map_err(in_time)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.stream.flush()
    }
}

/// A timeout of the system, in words.
fn in_time(error: io::Error) -> io::Error {
    if matches!(
        error.kind(),
        io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut
    ) {
        return io::Error::new(io::ErrorKind::TimedOut, "no answer in time");
    }
    error
}
