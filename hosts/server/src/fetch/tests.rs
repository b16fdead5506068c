//! Requests to issuers on the loopback interface.

use std::io::{Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::Duration;

use edge_authz::engine::{FetchCall, FetchId};
use edge_authz::keys::answer::Ending;
use edge_authz::policy::FetchUri;
use hyper_util::client::proxy::matcher::Matcher;
use rustls::RootCertStore;
use tokio::runtime;

use super::client::Client;
use super::environment::tls;
use crate::observation::Log;
use crate::service::{Answered, Issuers};

/// A server that answers each connection's requests with these texts, in order, and reports
/// the requests.
fn server(answers: Vec<Vec<u8>>) -> (SocketAddr, Receiver<String>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    let (sender, requests) = channel();
    thread::spawn(move || {
        let mut answers = answers.into_iter();
        for (connection, stream) in listener.incoming().enumerate() {
            let mut stream = stream.unwrap();
            while let Some(request) = request(&mut stream) {
                let _ = sender.send(format!("{connection} {request}"));
                let Some(answer) = answers.next() else {
                    return;
                };
                if stream.write_all(&answer).is_err() {
                    break;
                }
            }
        }
    });
    (address, requests)
}

fn request(stream: &mut TcpStream) -> Option<String> {
    let mut read = Vec::new();
    while !read.ends_with(b"\r\n\r\n") {
        let mut byte = [0];
        if stream.read(&mut byte).ok()? == 0 {
            return None;
        }
        read.extend(byte);
    }
    Some(String::from_utf8(read).unwrap())
}

fn answer(head: &str, body: &[u8]) -> Vec<u8> {
    let mut answer = format!("HTTP/1.1 {head}\r\ncontent-length: {}\r\n\r\n", body.len());
    if head.starts_with("304") {
        answer = format!("HTTP/1.1 {head}\r\n\r\n");
    }
    let mut answer = answer.into_bytes();
    answer.extend(body);
    answer
}

fn call(uri: &str) -> FetchCall {
    FetchCall {
        id: FetchId(1),
        cluster: "".into(),
        uri: FetchUri::parse(uri).unwrap(),
        timeout: Duration::from_secs(5),
        fresh: false,
        etag: None,
    }
}

fn client(proxies: Matcher) -> Client {
    Client::new(tls(RootCertStore::empty()), proxies, Arc::new(Log::none()))
}

fn fetched(client: &Client, calls: &[FetchCall]) -> Vec<Answered> {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(async {
        let mut all = Vec::new();
        for call in calls {
            all.push(client.fetch(call).await);
        }
        all
    })
}

fn direct() -> Matcher {
    Matcher::builder().build()
}

#[test]
fn a_document_is_fetched_and_its_connection_is_used_again() {
    let (address, requests) = server(vec![
        answer("200 OK\r\netag: \"1\"\r\ncache-control: max-age=60", b"{}"),
        answer("304 Not Modified\r\netag: \"1\"", b""),
    ]);
    let first = call(&format!("http://{address}/jwks?a=b"));
    let second = FetchCall {
        etag: Some("\"1\"".into()),
        fresh: true,
        ..first.clone()
    };
    let all = fetched(&client(direct()), &[first, second]);
    assert_eq!(all[0].head.ending, Ending::Status(200));
    assert_eq!(all[0].head.max_age, Some(60));
    assert_eq!(all[0].head.etag.as_deref(), Some("\"1\""));
    assert!(!all[0].head.by_proxy);
    assert_eq!(all[0].body.as_deref(), Some(&b"{}"[..]));
    assert_eq!(all[1].head.ending, Ending::Status(304));
    let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
    assert!(first.starts_with("0 GET /jwks?a=b HTTP/1.1\r\n"), "{first}");
    assert!(first.contains("accept-encoding: identity\r\n"), "{first}");
    assert!(second.starts_with("0 GET"), "{second}");
    assert!(second.contains("if-none-match: \"1\"\r\n"), "{second}");
    assert!(second.contains("cache-control: no-cache\r\n"), "{second}");
}

#[test]
fn a_redirect_is_not_followed() {
    let (other, requests) = server(vec![answer("200 OK", b"{}")]);
    let location = format!("302 Found\r\nlocation: http://{other}/jwks");
    let (address, _requests) = server(vec![answer(&location, b"")]);
    let all = fetched(
        &client(direct()),
        &[call(&format!("http://{address}/jwks"))],
    );
    assert_eq!(all[0].head.ending, Ending::Status(302));
    assert!(all[0].body.is_none());
    assert!(requests.try_recv().is_err());
}

#[test]
fn a_body_is_read_up_to_the_limit_announced_or_not() {
    let most = edge_authz::revocation::MAX_LIST_BYTES;
    let chunked = |size: usize| {
        let mut answer = b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n".to_vec();
        for _ in 0..size.div_ceil(1024) {
            answer.extend(b"400\r\n");
            answer.extend([b' '; 1024]);
            answer.extend(b"\r\n");
        }
        answer.extend(b"0\r\n\r\n");
        answer
    };
    for (text, fits) in [
        (answer("200 OK", &vec![b' '; most]), true),
        (answer("200 OK", &vec![b' '; most + 1]), false),
        (chunked(most), true),
        (chunked(10 * most), false),
        // It announces more than any memory has.
        (
            b"HTTP/1.1 200 OK\r\ncontent-length: 9223372036854775807\r\n\r\n".to_vec(),
            false,
        ),
    ] {
        let (address, _requests) = server(vec![text]);
        let all = fetched(&client(direct()), &[call(&format!("http://{address}/"))]);
        assert_eq!(all[0].head.ending, Ending::Status(200));
        assert_eq!(all[0].body.is_some(), fits);
        assert_eq!(all[0].head.body_size > most, !fits);
    }
}

#[test]
fn hostile_answers_are_no_answers() {
    let many = "x: y\r\n".repeat(1000);
    let large = "y".repeat(1024 * 1024);
    for text in [
        String::new(),
        "HTTP/1.1 200 OK\r\ncontent-length: 5\r\n\r\n{}".to_owned(),
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\nffffffffffffffffff\r\n".to_owned(),
        format!("HTTP/1.1 200 OK\r\n{many}\r\n{{}}"),
        format!("HTTP/1.1 200 OK\r\nx: {large}\r\n\r\n{{}}"),
        "SSH-2.0-OpenSSH\r\n".to_owned(),
    ] {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let shown: String = text.chars().take(80).collect();
        thread::spawn(move || {
            // A client may try again.
            for stream in listener.incoming() {
                let mut stream = stream.unwrap();
                let _ = request(&mut stream);
                let _ = stream.write_all(text.as_bytes());
            }
        });
        let all = fetched(&client(direct()), &[call(&format!("http://{address}/"))]);
        assert_eq!(all[0].head.ending, Ending::NoAnswer, "{shown}");
        assert!(all[0].body.is_none(), "{shown}");
    }
}

#[test]
fn a_slow_answer_ends_at_the_time_limit() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = listener.local_addr().unwrap();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        let _ = request(&mut stream);
        let _ = stream.write_all(b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n");
        while stream.write_all(b" ").is_ok() {
            thread::sleep(Duration::from_millis(20));
        }
    });
    let slow = FetchCall {
        timeout: Duration::from_millis(300),
        ..call(&format!("http://{address}/"))
    };
    let all = fetched(&client(direct()), &[slow]);
    assert_eq!(all[0].head.ending, Ending::NoAnswer);
}

#[test]
fn proxies_are_used_except_for_excluded_hosts() {
    let (proxy, requests) = server(vec![answer("200 OK", b"{}")]);
    let matcher = |address: SocketAddr| {
        Matcher::builder()
            .all(format!("http://user:secret@{address}"))
            .no("excluded.example,127.0.0.1")
            .build()
    };
    // With credentials, http is tunnelled as well.
    let through = client(matcher(proxy));
    let all = fetched(&through, &[call("http://idp.example/jwks")]);
    let request = requests.recv().unwrap();
    assert!(
        request.starts_with("0 CONNECT idp.example:80 HTTP/1.1\r\n"),
        "{request}"
    );
    let credentials = "proxy-authorization: Basic dXNlcjpzZWNyZXQ=";
    assert!(
        request.to_lowercase().contains(&credentials.to_lowercase()),
        "{request}"
    );
    drop(all);
    let (address, _requests) = server(vec![answer("200 OK", b"{}")]);
    let all = fetched(&through, &[call(&format!("http://{address}/"))]);
    assert_eq!(all[0].head.ending, Ending::Status(200));
}

#[test]
fn a_proxy_without_credentials_gets_the_whole_uri_or_a_tunnel() {
    let (proxy, requests) = server(vec![
        answer("200 OK", b"{}"),
        b"HTTP/1.1 502 Bad Gateway\r\n\r\n".to_vec(),
    ]);
    let matcher = Matcher::builder().all(format!("http://{proxy}")).build();
    let client = client(matcher);
    let calls = ["http://idp.example/jwks", "https://idp.example/jwks"].map(call);
    let all = fetched(&client, &calls);
    assert_eq!(all[0].head.ending, Ending::Status(200));
    assert_eq!(all[1].head.ending, Ending::NoAnswer);
    let (first, second) = (requests.recv().unwrap(), requests.recv().unwrap());
    assert!(
        first.contains("GET http://idp.example/jwks HTTP/1.1\r\n"),
        "{first}"
    );
    assert!(
        second.contains("CONNECT idp.example:443 HTTP/1.1\r\n"),
        "{second}"
    );
}

#[test]
fn socks_is_refused() {
    let matcher = Matcher::builder().all("socks5://127.0.0.1:9").build();
    let all = fetched(&client(matcher), &[call("http://idp.example/jwks")]);
    assert_eq!(all[0].head.ending, Ending::NoAnswer);
}
