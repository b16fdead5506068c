//! The server as a process, over real connections: hostile bytes, slow clients, thousands of
//! connections, and requests that wait for keys at a cold start.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    clippy::disallowed_methods,
    reason = "a test ends at the first unexpected result"
)]

use std::fs;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How long an answer may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);

/// A server that runs, with its configuration. It ends with this value.
struct Server {
    process: Child,
    http: SocketAddr,
    admin: SocketAddr,
    folder: PathBuf,
}

impl Server {
    fn start(name: &str, issuer: SocketAddr, options: &[&str]) -> Self {
        let folder = std::env::temp_dir().join(format!("edge-authz-{name}-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        let file = folder.join("edge-authz.yaml");
        let document = format!(
            "providers:\n  - name: idp\n    issuer: https://idp.example\n    audiences: [api]\n    \
             algorithms: [RS256]\n    jwks: {{uri: \"http://{issuer}/jwks\", timeout: 30s}}\n\
             routes:\n  - {{match: GET /public, access: public}}\n  - match: GET /private\n"
        );
        fs::write(&file, document).unwrap();
        let [http, admin] = [free(), free()];
        let process = Command::new(env!("CARGO_BIN_EXE_edge-authz-server"))
            .args(["--config", file.to_str().unwrap(), "--preset", "nginx"])
            .args(["--http", &http.to_string(), "--admin", &admin.to_string()])
            .args(["--drain", "0", "--threads", "2"])
            .args(options)
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let server = Self {
            process,
            http,
            admin,
            folder,
        };
        let began = Instant::now();
        while TcpStream::connect(admin).is_err() || TcpStream::connect(http).is_err() {
            assert!(began.elapsed() < PATIENCE, "the server does not start");
            thread::sleep(Duration::from_millis(20));
        }
        server
    }

    fn connect(&self) -> TcpStream {
        let stream = TcpStream::connect(self.http).unwrap();
        stream.set_read_timeout(Some(PATIENCE)).unwrap();
        stream
    }

    /// The status of the answer to a good request, on a connection of its own.
    fn ask(&self, path: &str, more: &str) -> u16 {
        let mut stream = self.connect();
        stream.write_all(request(path, more).as_bytes()).unwrap();
        status(&mut stream).unwrap()
    }

    fn metric(&self, line: &str) -> u64 {
        let mut stream = TcpStream::connect(self.admin).unwrap();
        let request = "GET /metrics HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n";
        stream.write_all(request.as_bytes()).unwrap();
        let mut text = String::new();
        stream.read_to_string(&mut text).unwrap();
        let value = text.lines().find_map(|found| found.strip_prefix(line));
        value.map_or(0, |value| value.trim().parse().unwrap())
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let _ = self.process.kill();
        let _ = self.process.wait();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Lets this process have thousands of open files, as the server does for itself.
fn allow_files() {
    use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
    let Rlimit { maximum, .. } = getrlimit(Resource::Nofile);
    let raised = Rlimit {
        current: maximum,
        maximum,
    };
    setrlimit(Resource::Nofile, raised).unwrap();
}

fn free() -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap()
}

fn request(path: &str, more: &str) -> String {
    format!(
        "GET /authorize HTTP/1.1\r\nhost: a\r\nx-original-method: GET\r\n\
         x-original-uri: {path}\r\nx-original-host: api.example\r\n{more}\r\n"
    )
}

/// The status of an answer; `None` if the connection ended without one.
fn status(stream: &mut TcpStream) -> Option<u16> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        read.extend(byte);
    }
    let text = String::from_utf8_lossy(&read);
    let status = text.split(' ').nth(1)?.parse().ok()?;
    let length = text
        .lines()
        .find_map(|line| line.strip_prefix("content-length: "));
    let length: usize = length.map_or(0, |length| length.parse().unwrap());
    stream.read_exact(&mut vec![0; length]).ok()?;
    Some(status)
}

/// A token whose key is not known.
fn authorization() -> String {
    use base64::Engine;
    use base64::prelude::BASE64_URL_SAFE_NO_PAD;
    let part = |text: &str| BASE64_URL_SAFE_NO_PAD.encode(text);
    let header = part(r#"{"alg":"RS256","kid":"k"}"#);
    let claims = part(r#"{"iss":"https://idp.example","aud":"api","sub":"a","exp":9999999999}"#);
    let signature = part(&"s".repeat(256));
    format!("authorization: Bearer {header}.{claims}.{signature}\r\n")
}

#[test]
fn hostile_bytes_get_no_permission_and_harm_nobody() {
    let server = Server::start("bytes", free(), &[]);
    let good = request("/public", "");
    let large = "x".repeat(1024 * 1024);
    let many = "x: y\r\n".repeat(10_000);
    let mut hostile: Vec<Vec<u8>> = vec![
        b"\0\0\0\0".to_vec(),
        b"GET\r\n\r\n".to_vec(),
        b"GET /authorize HTTP/9.9\r\n\r\n".to_vec(),
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\xff\xff\xff\xff\xff".to_vec(),
        [
            b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n".to_vec(),
            vec![0xff; 100_000],
        ]
        .concat(),
        request("/public", &format!("x: {large}\r\n")).into_bytes(),
        request("/public", &many).into_bytes(),
        request(&format!("/{large}"), "").into_bytes(),
        request("/public", "x-original-uri: /public\r\n").into_bytes(),
        request("/public", "x-original-method : GET\r\n").into_bytes(),
        request("/public", "content-length: 1\r\ncontent-length: 2\r\n").into_bytes(),
        request("/public", "transfer-encoding: gzip, chunked, x\r\n").into_bytes(),
        request("/public\0", "").into_bytes(),
        request(
            "/private",
            "x_original_uri: /public\r\nx-original-url: /public\r\n",
        )
        .into_bytes(),
        vec![b'\n'; 100_000],
        vec![0x16, 0x03, 0x01, 0x02, 0x00, 0x01, 0x00],
    ];
    // Every incomplete prefix of a good request, with rubbish behind it. Behind the last colon,
    // the rubbish would be a host, and no route of this configuration names hosts.
    let last = good.find(": api.example").unwrap();
    hostile.extend((1..=last).map(|end| {
        let mut bytes = good.as_bytes()[..end].to_vec();
        bytes.extend(b"\xff\xfe\r\n\r\n");
        bytes
    }));
    for bytes in &hostile {
        let mut stream = server.connect();
        stream
            .set_read_timeout(Some(Duration::from_secs(5)))
            .unwrap();
        let _ = stream.write_all(bytes);
        let _ = stream.shutdown(std::net::Shutdown::Write);
        let found = status(&mut stream);
        let shown = String::from_utf8_lossy(&bytes[..bytes.len().min(200)]).into_owned();
        assert_ne!(found, Some(200), "{shown:?}");
    }
    assert_eq!(server.ask("/public", ""), 200);
    assert_eq!(server.metric("edge_authz_panics"), 0);
}

#[test]
fn slow_clients_are_closed_and_others_are_served() {
    let server = Server::start("slow", free(), &["--idle-timeout", "2"]);
    let began = Instant::now();
    let mut slow: Vec<TcpStream> = ["", "G", "PRI * HT", "GET /authorize HTTP/1.1\r\nhost:"]
        .into_iter()
        .cycle()
        .take(400)
        .map(|first| {
            let mut stream = server.connect();
            stream.write_all(first.as_bytes()).unwrap();
            stream
        })
        .collect();
    assert_eq!(server.ask("/public", ""), 200);
    for stream in &mut slow {
        // An answer such as 408 may come first.
        let mut rest = Vec::new();
        let _ = stream.read_to_end(&mut rest);
        assert!(!rest.starts_with(b"HTTP/1.1 200"));
    }
    assert!(began.elapsed() < PATIENCE);
    assert_eq!(server.ask("/public", ""), 200);
}

#[test]
fn thousands_of_connections_are_served_and_further_ones_wait() {
    allow_files();
    let server = Server::start("many", free(), &["--max-connections", "1500"]);
    let mut open: Vec<TcpStream> = (0..1500).map(|_| server.connect()).collect();
    let good = request("/public", "");
    for stream in &mut open {
        stream.write_all(good.as_bytes()).unwrap();
    }
    for stream in &mut open {
        assert_eq!(status(stream), Some(200));
    }
    // These wait in the system's queue until others end.
    let mut waiting: Vec<TcpStream> = (0..100).map(|_| server.connect()).collect();
    for stream in &mut waiting {
        stream.write_all(good.as_bytes()).unwrap();
    }
    drop(open);
    for stream in &mut waiting {
        assert_eq!(status(stream), Some(200));
    }
}

#[test]
fn waiting_requests_are_bounded_end_with_their_clients_and_get_the_keys() {
    allow_files();
    // An issuer that answers when the test says so.
    let issuer = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = issuer.local_addr().unwrap();
    let server = Server::start("waiting", address, &["--max-connections", "20000"]);
    let token = request("/private", &authorization());
    // The fetch has begun, and is not answered.
    let (mut fetch, _) = issuer.accept().unwrap();
    let mut open: Vec<TcpStream> = (0..3000).map(|_| server.connect()).collect();
    for stream in &mut open {
        stream.write_all(token.as_bytes()).unwrap();
    }
    let began = Instant::now();
    while server.metric("edge_authz_waiting_requests") < 1000 {
        assert!(began.elapsed() < PATIENCE, "no requests wait");
        thread::sleep(Duration::from_millis(50));
    }
    // Others are decided meanwhile.
    assert_eq!(server.ask("/public", ""), 200);
    // Clients that leave free their places.
    let before = server.metric("edge_authz_waiting_requests");
    open.truncate(2000);
    while server.metric("edge_authz_waiting_requests") >= before && before > 2000 {
        assert!(began.elapsed() < PATIENCE, "places are not free");
        thread::sleep(Duration::from_millis(50));
    }
    let body = r#"{"keys":[]}"#;
    let answer = format!(
        "HTTP/1.1 200 OK\r\ncontent-length: {}\r\n\r\n{body}",
        body.len()
    );
    let mut head = [0; 4096];
    let _ = fetch.read(&mut head).unwrap();
    fetch.write_all(answer.as_bytes()).unwrap();
    drop(issuer);
    for stream in &mut open {
        // A key set without a usable key is a failed fetch, so nobody may pass.
        let status = status(stream).expect("an answer");
        assert!([401, 503].contains(&status), "{status}");
    }
    assert_eq!(server.metric("edge_authz_waiting_requests"), 0);
    assert_eq!(server.metric("edge_authz_panics"), 0);
}

/// A frame of HTTP/2 (RFC 9113 section 4.1).
fn frame(kind: u8, flags: u8, stream: u32, payload: &[u8]) -> Vec<u8> {
    let length = u32::try_from(payload.len()).unwrap().to_be_bytes();
    let head = [&length[1..], &[kind, flags], &stream.to_be_bytes()].concat();
    [&head, payload].concat()
}

/// A whole request without fields. The server refuses it.
fn headers(stream: u32, path: &str) -> Vec<u8> {
    let length = u8::try_from(path.len()).unwrap();
    let fields = [&[0x82, 0x86, 0x01, 1, b'a', 0x04, length], path.as_bytes()].concat();
    frame(1, 5, stream, &fields)
}

/// Whether a good request is answered behind these bytes. `last` is its stream.
fn is_answered_behind(server: &Server, bytes: &[u8], last: u32) -> bool {
    let mut stream = server.connect();
    let preface = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frame(4, 0, 0, b"")[..],
    ];
    stream.write_all(&preface.concat()).unwrap();
    let (mut reading, bytes) = (stream.try_clone().unwrap(), bytes.to_vec());
    let writing = thread::spawn(move || {
        let _ = stream.write_all(&[bytes, headers(last, "/authorize")].concat());
        stream
    });
    loop {
        let mut head = [0; 9];
        if reading.read_exact(&mut head).is_err() {
            return false;
        }
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        reading.read_exact(&mut vec![0; length]).unwrap();
        match (head[3], u32::from_be_bytes(head[5..].try_into().unwrap())) {
            (1, stream) if stream == last => break,
            (7, _) => return false,
            _ => {}
        }
    }
    drop(writing.join().unwrap());
    true
}

#[test]
fn a_client_of_the_proxy_cannot_end_the_requests_of_others() {
    let server = Server::start("resets", free(), &[]);
    let ids = |number: u32| (0..number).map(|index| 2 * index + 1);
    let cancel = |stream| frame(3, 0, stream, &8_u32.to_be_bytes());
    let reset = ids(2000).flat_map(|id| [headers(id, "/authorize"), cancel(id)].concat());
    assert!(is_answered_behind(
        &server,
        &reset.collect::<Vec<_>>(),
        4001
    ));
    // Envoy passes on such a query, and h2 takes it for malformed.
    let malformed = ids(20_000).flat_map(|id| headers(id, "/authorize?<"));
    assert!(is_answered_behind(
        &server,
        &malformed.collect::<Vec<_>>(),
        40_001
    ));
    assert_eq!(server.metric("edge_authz_panics"), 0);
}

#[test]
fn an_answer_to_head_over_http2_has_no_body() {
    let server = Server::start("head", free(), &[]);
    let fields = [
        &[0x02, 4][..],
        b"HEAD",
        &[0x86, 0x01, 1, b'a', 0x04, 1, b'/'],
    ]
    .concat();
    let mut stream = server.connect();
    let sent = [
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        &frame(4, 0, 0, b"")[..],
        &frame(1, 5, 1, &fields),
    ];
    stream.write_all(&sent.concat()).unwrap();
    // The flags of the answer's fields: the stream ends with them.
    let flags = loop {
        let mut head = [0; 9];
        stream.read_exact(&mut head).unwrap();
        let length = usize::from(head[0]) << 16 | usize::from(head[1]) << 8 | usize::from(head[2]);
        stream.read_exact(&mut vec![0; length]).unwrap();
        if head[3] == 1 {
            break head[4];
        }
    };
    assert_eq!(flags & 1, 1);
}
