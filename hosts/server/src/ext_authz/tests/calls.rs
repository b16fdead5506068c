//! The calls, and bytes that are no calls.

use std::sync::atomic::Ordering;
use std::time::Duration;

use edge_authz::telemetry::Metric;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::{task, time};
use tonic::Code;
use tonic_health::pb::HealthCheckRequest;

use super::{CONFIGURATION, World, raw};
use crate::ext_authz::Limits;
use crate::service::tests::token;

#[test]
fn waiting_requests_end_at_the_callers_deadline_or_when_it_leaves() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let waiting = || {
            world
                .registry
                .totals()
                .get(&Metric::WaitingRequests)
                .copied()
        };
        let request = || raw("GET", "/private", &[("authorization", bearer.as_bytes())]);
        let mut limited = tonic::Request::new(request());
        limited.set_timeout(Duration::from_millis(100));
        let answer = world.client().await.check(limited).await.unwrap_err();
        assert!(
            matches!(answer.code(), Code::DeadlineExceeded | Code::Cancelled),
            "{answer}"
        );
        let mut client = world.client().await;
        let left = time::timeout(Duration::from_millis(100), client.check(request())).await;
        assert!(left.is_err());
        drop(client);
        for _ in 0..100 {
            if waiting() == Some(0) {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{:?} requests wait", waiting());
    });
}

#[test]
fn messages_above_the_limit_and_unknown_methods_are_errors() {
    let limits = Limits {
        message_bytes: 2000,
        ..Limits::default()
    };
    World::run_with(CONFIGURATION, limits, |world| async move {
        world
            .allowed(raw("GET", "/public", &[("x", &[b'a'; 1000])]))
            .await;
        let large = raw("GET", "/public", &[("x", &[b'a'; 3000])]);
        let answer = world.client().await.check(large).await.unwrap_err();
        assert_eq!(answer.code(), Code::OutOfRange);
        let mut client = world.health().await;
        let list = client.check(HealthCheckRequest {
            service: "other".to_owned(),
        });
        assert_eq!(list.await.unwrap_err().code(), Code::NotFound);
    });
}

#[test]
fn the_health_is_the_readiness_and_its_changes_are_reported() {
    World::run(|world| async move {
        let mut client = world.health().await;
        let request = || HealthCheckRequest::default();
        let once = client.check(request()).await.unwrap().into_inner().status;
        assert_eq!(once, 2);
        let mut changes = client.watch(request()).await.unwrap().into_inner();
        assert_eq!(changes.message().await.unwrap().unwrap().status, 2);
        world.is_ready.store(true, Ordering::SeqCst);
        assert_eq!(changes.message().await.unwrap().unwrap().status, 1);
    });
}

#[test]
fn bytes_that_are_not_grpc_get_no_decision() {
    World::run(|world| async move {
        let address = world.address.trim_start_matches("http://").to_owned();
        for (bytes, expected) in [
            (
                &b"POST /envoy.service.auth.v3.Authorization/Check HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n"[..],
                "HTTP/1.1 505",
            ),
            (b"\x16\x03\x01\x02\x00\x01\r\n\r\n", "HTTP/1.1 400"),
            (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\xff\xff\xff\xff\xff\xff\xff\xff\xff", ""),
        ] {
            let mut stream = TcpStream::connect(&address).await.unwrap();
            stream.write_all(bytes).await.unwrap();
            let mut answer = Vec::new();
            let ended = time::timeout(Duration::from_secs(5), stream.read_to_end(&mut answer));
            ended.await.unwrap().unwrap();
            assert!(answer.starts_with(expected.as_bytes()), "{answer:?}");
        }
        world.allowed(raw("GET", "/public", &[])).await;
    });
}

#[test]
fn a_closing_connection_answers_its_calls_first() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let request = raw("GET", "/private", &[("authorization", bearer.as_bytes())]);
        let mut client = world.client().await;
        let call = task::spawn_local(async move { client.check(request).await });
        time::sleep(Duration::from_millis(100)).await;
        world.threads.close();
        // The keys never arrive.
        let answer = call.await.unwrap().unwrap().into_inner();
        assert_eq!(answer.status.unwrap().code, i32::from(Code::Unavailable));
        for _ in 0..200 {
            if world.threads.open() == 0 {
                return;
            }
            time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the connection is open");
    });
}
