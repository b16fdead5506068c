//! Issuers: rotations under load, TLS with a certificate of an own authority, a cold start with
//! thousands of clients.

use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::RwLock;
use std::thread;
use std::time::Duration;

use serde_json::json;

use super::load::under_load;
use super::{ISSUER, World, configuration, for_both, me};
use crate::keys::reporting::tls_front;
use crate::support::http::Request;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::program::Program;
use crate::support::server::Gate;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;
use crate::surges::{STREAMS, Sent};

/// How long each step may take on a busy machine.
const PATIENCE: Duration = Duration::from_mins(1);
/// The number of clients at a cold start.
const CLIENTS: usize = 3000;

#[test]
#[ignore = "of the server"]
fn rotations_under_load_refuse_no_good_token() {
    for_both(|by| {
        let world = World::start(by).ready();
        let claims = claims_with(ISSUER, "api", json!({}));
        let tokens = RwLock::new(vec![world.key.token(&claims)]);
        let next = |number: usize| {
            let tokens = tokens.read().unwrap();
            Request::get("/me").bearer(&tokens[number % tokens.len()])
        };
        let statuses = under_load(world.envoy.address(), next, || {
            let mut former = TokenMaker::generate("RS256", "unused");
            for number in 0..4 {
                let algorithm = ["ES256", "RS256"][number % 2];
                let key = TokenMaker::generate(algorithm, &format!("rotated-{number}"));
                world.issuer.publish(&[&world.key, &former, &key]);
                // Clients have tokens of the new key at once.
                tokens.write().unwrap().push(key.token(&claims));
                thread::sleep(Duration::from_secs(3));
                tokens.write().unwrap().remove(0);
                // The last requests with it are answered.
                thread::sleep(Duration::from_millis(500));
                former = key;
            }
        });
        assert_eq!(statuses.len(), 1, "{statuses:?}\n{}", world.logs());
        assert!(statuses[&200] > 500, "{statuses:?}");
    });
}

#[test]
#[ignore = "of the server"]
fn thousands_of_clients_at_a_cold_start_get_the_keys_or_a_clear_refusal() {
    for_both(|by| {
        let gate = Gate::default();
        let key = TokenMaker::generate("RS256", "first");
        let issuer = Issuer::with_keys(&[&key]);
        issuer.change(JWKS_PATH, |keys| keys.behind(&gate));
        let mut document = configuration(issuer.address());
        document["providers"][0]["jwks"]["timeout"] = json!("60s");
        document["providers"][0]["jwks"]["refresh"] = json!("10m");
        // Each of the threads lets 1,000 requests wait.
        let mut options = by.options().to_vec();
        options.extend(["--threads", "2"]);
        let server = Program::new(&options, &document.to_string()).started();
        let upstream = crate::support::echo::Echo::start();
        let bootstrap = super::bootstrap(by, &[&server], upstream.address());
        // The requests of one connection are asked about by one worker.
        let patient = bootstrap
            .changed("timeout: 6s", "timeout: 60s")
            .concurrency(4);
        let envoy = patient.start();
        let requests = vec![me(&key); CLIENTS];
        let sent = Sent::over_http2(envoy.address(), &requests, STREAMS);
        let waiting = || server.metric("edge_authz_waiting_requests");
        let many = || (waiting() >= 1000).then_some(());
        wait_until(PATIENCE, many).unwrap_or_else(|| panic!("{}", waiting()));
        // Others are decided meanwhile.
        envoy.send(&Request::get("/public")).expect(200);
        thread::sleep(Duration::from_secs(1));
        gate.open();
        let (mut passed, mut refused) = (0, 0);
        for answer in sent.answers() {
            match answer.status {
                200 => passed += 1,
                503 => refused += 1,
                _ => panic!("{answer}"),
            }
        }
        assert!(passed >= 1000, "{by:?}: {passed} passed, {refused} did not");
        assert_eq!(upstream.count(), passed + 1);
        assert_eq!(issuer.gets(JWKS_PATH), 1);
        envoy.send(&me(&key)).expect(200);
        assert_eq!(server.metric("edge_authz_waiting_requests"), 0);
        assert_eq!(server.metric("edge_authz_panics"), 0);
    });
}

/// A proxy for `CONNECT`: whatever the name, it connects to this address.
fn tunnel(to: SocketAddr) -> SocketAddr {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || {
        for client in listener.incoming() {
            let Ok(client) = client else { return };
            thread::spawn(move || forward(client, to));
        }
    });
    address
}

fn forward(mut client: TcpStream, to: SocketAddr) {
    let mut head = Vec::new();
    while !head.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if client.read(&mut byte).unwrap_or(0) == 0 {
            return;
        }
        head.extend(byte);
    }
    assert!(head.starts_with(b"CONNECT api.example.com:443 "));
    let Ok(server) = TcpStream::connect(to) else {
        return;
    };
    client
        .write_all(b"HTTP/1.1 200 OK\r\n\r\n")
        .expect("it writes");
    let copy = |mut from: TcpStream, mut to: TcpStream| {
        move || {
            let _ = std::io::copy(&mut from, &mut to);
            let _ = to.shutdown(Shutdown::Write);
        }
    };
    let clone = |stream: &TcpStream| stream.try_clone().expect("a copy");
    thread::spawn(copy(clone(&client), clone(&server)));
    copy(server, client)();
}

#[test]
#[ignore = "of the server"]
fn an_issuer_with_tls_needs_a_certificate_that_the_server_trusts() {
    let by = super::By::Grpc;
    let key = TokenMaker::generate("RS256", "first");
    let issuer = Issuer::with_keys(&[&key]);
    let tls = tools::root().join("tests/e2e/against/tls");
    let front = tls_front(issuer.address(), &tls);
    let proxy = tunnel(front.listener("tls"));
    let mut document = configuration(issuer.address());
    document["providers"][0]["jwks"]["uri"] = json!(format!("https://api.example.com{JWKS_PATH}"));
    let server = |authority: &str, name: &str| {
        let mut document = document.clone();
        let uri = format!("https://{name}{JWKS_PATH}");
        document["providers"][0]["jwks"]["uri"] = json!(uri);
        Program::new(by.options(), &document.to_string())
            .environment("HTTPS_PROXY", format!("http://{proxy}"))
            .environment("SSL_CERT_FILE", tls.join(authority))
            .started()
    };
    let upstream = crate::support::echo::Echo::start();
    let trusting = server("ca.pem", "api.example.com");
    trusting.wait_until_ready();
    let envoy = super::bootstrap(by, &[&trusting], upstream.address()).start();
    envoy.send(&me(&key)).expect(200);
    // The certificate of the issuer itself is no authority, and another name is not in it.
    let others = [server("key.pem", "api.example.com")];
    thread::sleep(Duration::from_secs(4));
    for other in &others {
        assert!(!other.is_ready());
        let envoy = super::bootstrap(by, &[other], upstream.address()).start();
        envoy.send(&Request::get("/public")).expect(200);
        let answer = envoy.send(&me(&key)).expect(503);
        assert!(answer.header("retry-after").is_some());
        assert!(other.log().contains("certificate"), "{}", other.log());
    }
}
