//! The external authorizer: a small service in the usual style, with a common JWT
//! library, that answers Envoy's `ext_authz`. It is as fast as such a service can be:
//! threads, no framework, keys in memory.

use std::io::{self, BufRead, BufReader, Write};
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::path::Path;
use std::process::{Command, ExitCode};
use std::sync::Arc;
use std::time::Duration;

use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde::Deserialize;

use crate::beside::Beside;
use crate::filters::ORIGIN;
use crate::machine::{LOAD_CORE, pinned};
use crate::support::process::{Process, Scratch, wait_until};
use crate::tokens::{AUDIENCE, Issuers, SCOPE};

/// The argument that runs this program as an authorizer. The algorithm, the file with the
/// key set, and the file for the port follow it.
pub(crate) const SERVE: &str = "--authorizer";

/// Starts the authorizer in its own process, unless the library does not support the
/// algorithm.
pub(crate) fn start(algorithm: &str, issuers: &Issuers, scratch: &Scratch) -> Option<Beside> {
    algorithm.parse::<Algorithm>().ok()?;
    let keys = scratch.write("keys.json", &issuers.key_set(0).to_string());
    let port = scratch.path().join("authorizer-port");
    let program = std::env::current_exe().expect("this program");
    let mut command: Command = pinned(LOAD_CORE, &program);
    command.args([SERVE, algorithm]).arg(keys).arg(&port);
    let process = Process::start(&command, &scratch.path().join("authorizer.log"))
        .expect("the authorizer runs");
    let address = wait_until(Duration::from_secs(10), || {
        std::fs::read_to_string(&port).ok()?.parse().ok()
    });
    Some(Beside {
        process,
        address: address.expect("the authorizer listens"),
    })
}

#[derive(Deserialize)]
struct Claims {
    sub: String,
    scope: String,
}

struct Verifier {
    keys: JwkSet,
    validation: Validation,
}

/// Serves until the process is ended.
pub(crate) fn serve(arguments: &[String]) -> ExitCode {
    let [algorithm, keys, port] = arguments else {
        return ExitCode::from(2);
    };
    let algorithm: Algorithm = algorithm.parse().expect("an algorithm");
    let keys = std::fs::read_to_string(keys).expect("the key set");
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[Issuers::name(0)]);
    validation.validate_nbf = true;
    let verifier = Arc::new(Verifier {
        keys: serde_json::from_str(&keys).expect("a key set"),
        validation,
    });
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
    let address = listener.local_addr().expect("an address").to_string();
    let new = Path::new(port).with_extension("new");
    std::fs::write(&new, address).expect("a file");
    std::fs::rename(&new, port).expect("a file");
    for stream in listener.incoming().flatten() {
        let verifier = Arc::clone(&verifier);
        std::thread::spawn(move || verifier.answer_all(stream));
    }
    ExitCode::SUCCESS
}

impl Verifier {
    fn answer_all(&self, stream: TcpStream) -> io::Result<()> {
        stream.set_nodelay(true)?;
        let mut writer = stream.try_clone()?;
        let mut reader = BufReader::new(stream);
        let mut line = String::new();
        loop {
            let mut subject = None;
            loop {
                line.clear();
                if reader.read_line(&mut line)? == 0 {
                    return Ok(());
                }
                if line == "\r\n" {
                    break;
                }
                if let Some((name, value)) = line.split_once(':')
                    && name.eq_ignore_ascii_case("authorization")
                    && let Some(token) = value.trim().strip_prefix("Bearer ")
                {
                    subject = self.subject(token);
                }
            }
            let answer = match subject {
                Some(subject) => format!(
                    "HTTP/1.1 200 OK\r\ncontent-length: 0\r\nx-user-id: {subject}\r\naccess-control-allow-origin: {ORIGIN}\r\n\r\n"
                ),
                None => "HTTP/1.1 401 Unauthorized\r\ncontent-length: 0\r\n\r\n".to_owned(),
            };
            writer.write_all(answer.as_bytes())?;
        }
    }

    fn subject(&self, token: &str) -> Option<String> {
        let kid = decode_header(token).ok()?.kid?;
        let key = DecodingKey::from_jwk(self.keys.find(&kid)?).ok()?;
        let claims = decode::<Claims>(token, &key, &self.validation).ok()?.claims;
        let allowed = claims.scope.split(' ').any(|scope| scope == SCOPE);
        allowed.then_some(claims.sub)
    }
}
