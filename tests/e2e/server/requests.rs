//! Single requests.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde_json::json;

use super::{APP, By, World, bootstrap, configuration, for_both};
use crate::support::echo::{Echo, received};
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::issuer::Issuer;
use crate::support::program::Program;
use crate::support::server::{Answer, Pace, Server};
use crate::support::tokens::TokenMaker;

#[test]
#[ignore = "of the server"]
fn the_files_and_the_program_decide_together() {
    for_both(|by| {
        let world = World::start(by).ready();
        let send = |request: &Request| world.envoy.send(request);
        send(&Request::get("/public")).expect(200);
        let refused = send(&Request::get("/me").header("origin", APP)).expect(401);
        assert!(refused.header("www-authenticate").is_some());
        assert_eq!(
            refused.header("access-control-allow-origin").as_deref(),
            Some(APP)
        );
        assert_eq!(refused.text(), r#"{"message":"Unauthorized"}"#);
        for name in ["x-edge-authz", "x-edge-authz-reason", "edge-authz"] {
            assert_eq!(refused.header(name), None, "{name}");
        }
        let allowed = send(&world.me().header("origin", APP)).expect(200);
        assert_eq!(allowed.all("access-control-allow-origin"), [APP]);
        let account = allowed.json();
        assert_eq!(received(&account, "x-user-id"), ["user-1"]);
        for name in ["authorization", "edge-authz", "x-edge-authz"] {
            assert!(received(&account, name).is_empty(), "{name}");
        }
        let mut post = world.me().body("a body");
        post.method = b"POST".to_vec();
        assert_eq!(send(&post).expect(200).json()["body_bytes"], 6);
        let before = world.upstream.count();
        send(&Request::get("/me/../later")).expect(403);
        send(&Request::get("/public%2f..%2fme")).expect(400);
        send(&Request::get("/elsewhere")).expect(404);
        let preflight = send(&Request::preflight("/me", APP, "GET")).expect(204);
        assert!(preflight.header("access-control-allow-methods").is_some());
        let metadata = send(&Request::get("/.well-known/oauth-protected-resource/me")).expect(200);
        assert_eq!(
            metadata.json()["authorization_servers"],
            json!([super::ISSUER])
        );
        assert_eq!(metadata.header("x-edge-authz"), None);
        assert_eq!(metadata.all("access-control-allow-origin"), ["*"]);
        assert_eq!(world.upstream.count(), before);
        let log = world.envoy.access_log(9);
        let reasons: Vec<_> = log.iter().map(|entry| entry["reason"].clone()).collect();
        assert_eq!(reasons[..3], ["public", "no_token", "allowed"]);
    });
}

#[test]
#[ignore = "of the server"]
fn an_identity_that_a_client_claims_never_reaches_the_upstream() {
    for_both(|by| {
        let world = World::start(by).ready();
        let public = Request::get("/public").header("X-User-Id", "root");
        for name in ["x-user-id", "x.user.id", "X~User~Id"] {
            let request = public.clone().header(name, "root");
            let account = world.envoy.send(&request).expect(200).json();
            for name in ["x-user-id", "x.user.id", "x~user~id"] {
                assert!(received(&account, name).is_empty(), "{by:?}: {account}");
            }
        }
        let answer = world.envoy.send(&world.me().header("x-user-id", "root"));
        match by {
            By::Grpc => {
                let account = answer.expect(200).json();
                assert_eq!(received(&account, "x-user-id"), ["user-1"]);
            }
            // Whether Envoy would replace it depends on a list that the server does not see.
            By::Http => drop(answer.expect(400)),
        }
        // The remaining cookies are kept, and the token is removed.
        let token = world.me().headers[0].1.clone();
        let token = token.strip_prefix(b"Bearer ").expect("a token");
        let cookie = [b"a=1; session=", token, b"; b=2"].concat();
        let account = world
            .envoy
            .send(&Request::get("/me").header("cookie", cookie));
        assert_eq!(
            received(&account.expect(200).json(), "cookie"),
            ["a=1; b=2"]
        );
    });
}

#[test]
#[ignore = "of the server"]
fn while_the_server_is_down_every_request_is_503() {
    for_both(|by| {
        let mut world = World::start(by).ready();
        world.envoy.send(&world.me()).expect(200);
        world.servers[0].stop();
        let before = world.upstream.count();
        for request in [Request::get("/public"), world.me(), Request::get("/me")] {
            world.envoy.send(&request).expect(503);
        }
        assert_eq!(world.upstream.count(), before);
        world.servers[0].restart();
        world.servers[0].wait_until_ready();
        world.envoy.send(&world.me()).expect(200);
    });
}

/// Another server at the address of the server, over HTTP.
#[test]
#[ignore = "of the server"]
fn an_answer_that_is_not_the_servers_lets_nothing_pass() {
    let plain = |status| Answer::new(status, "x");
    let statuses = [
        200, 201, 204, 206, 226, 299, 301, 302, 304, 401, 403, 404, 429, 500, 503,
    ];
    let mut answers: Vec<Answer> = statuses.map(plain).to_vec();
    answers.push(plain(200).header("x-user-id", "root"));
    answers.push(plain(200).header("x-edge-authz", "reply"));
    answers.push(plain(200).header("x-edge-authz", "allow, reply"));
    answers.push(plain(200).header("x-envoy-auth-headers-to-remove", "x-edge-authz"));
    answers.push(plain(200).header("edge-authz", "allow"));
    answers.push(plain(200).pace(Pace::CutAfter(0)));
    // It repeats the header of the client.
    let issuer = Issuer::start();
    let program = Program::new(
        By::Http.options(),
        &configuration(issuer.address()).to_string(),
    );
    let upstream = Echo::start();
    let request = Request::get("/public").header("x-edge-authz", "allow");
    let mut statuses = BTreeMap::<u16, usize>::new();
    for answer in answers {
        let shown = format!("{answer:?}");
        let handler = move |_: &_, stream: &mut _| answer.clone().write(stream, false);
        let other = Server::start_at(Arc::new(handler), program.address);
        // The other one speaks HTTP/1.1.
        let envoy = bootstrap(By::Http, &[&program], upstream.address())
            .changed("http2_protocol_options: {}", "http_protocol_options: {}")
            .start();
        let answer: Response = http1::exchange(envoy.address(), &request).expect("an answer");
        *statuses.entry(answer.status).or_default() += 1;
        assert_eq!(upstream.count(), 0, "{shown}: {answer}");
        drop(other);
    }
    assert!(statuses[&403] >= 5 && statuses[&503] >= 3, "{statuses:?}");
}

/// A server whose configuration the file does not fit, or the other way round.
#[test]
#[ignore = "of the server"]
fn a_configuration_of_envoy_that_hides_something_lets_nothing_pass() {
    let key = TokenMaker::generate("RS256", "first");
    let issuer = Issuer::with_keys(&[&key]);
    let configuration = configuration(issuer.address()).to_string();
    let server = Program::new(By::Http.options(), &configuration).started();
    server.wait_until_ready();
    let upstream = Echo::start();
    let whole = || bootstrap(By::Http, &[&server], upstream.address());
    whole().start().send(&super::me(&key)).expect(200);
    let before = upstream.count();
    for (documented, changed) in [
        (
            "allowed_headers: {patterns: [{safe_regex: {regex: \".*\"}}]}",
            "",
        ),
        ("regex: \".*\"", "regex: \"x-.*\""),
        ("encode_raw_headers: true", ""),
        ("path_prefix: /authorize", ""),
        ("path_prefix: /authorize", "path_prefix: /reply"),
        (
            "%REQ(:METHOD)% %REQ(:AUTHORITY)% %REQ(:PATH)%",
            "%REQ(:METHOD)%",
        ),
        (
            "certificate=%DOWNSTREAM_PEER_FINGERPRINT_256%",
            "%DOWNSTREAM_PEER_FINGERPRINT_256%",
        ),
        (
            "append_action: APPEND_IF_EXISTS_OR_ADD",
            "append_action: OVERWRITE_IF_EXISTS_OR_ADD",
        ),
        (
            "append_action: OVERWRITE_IF_EXISTS_OR_ADD",
            "append_action: ADD_IF_ABSENT",
        ),
        ("connection=%REQ(CONNECTION)%", "%REQ(CONNECTION)%"),
        (
            "explicit_http_config: {http2_protocol_options: {}}",
            "explicit_http_config: {http_protocol_options: {}}",
        ),
    ] {
        let envoy = whole().changed(documented, changed).start();
        for request in [Request::get("/public"), super::me(&key)] {
            let request = request
                .header("edge-authz", "GET / /public")
                .header("edge-authz", "certificate=");
            let answer = envoy.send(&request);
            assert_eq!(answer.status, 503, "{documented} {changed}: {answer}");
        }
    }
    assert_eq!(upstream.count(), before);
    assert!(server.metric("edge_authz_misuses") > 10);
}

/// Envoy may hide fields from the server. The client's identity headers are no less forged.
#[test]
#[ignore = "of the server"]
fn a_hidden_identity_header_does_not_reach_the_upstream() {
    for_both(|by| {
        let key = TokenMaker::generate("RS256", "first");
        let issuer = Issuer::with_keys(&[&key]);
        let configuration = configuration(issuer.address()).to_string();
        let server = Program::new(by.options(), &configuration).started();
        server.wait_until_ready();
        let upstream = Echo::start();
        let hidden = "patterns: [{exact: upgrade}, {exact: x-user-id}]}";
        let raw = "encode_raw_headers: true";
        let (documented, changed) = match by {
            By::Grpc => (
                raw,
                format!("{raw}\n{:22}disallowed_headers: {{{hidden}", ""),
            ),
            By::Http => ("patterns: [{exact: connection}, {exact: upgrade}]}", {
                hidden.replace("patterns: [", "patterns: [{exact: connection}, ")
            }),
        };
        let envoy = bootstrap(by, &[&server], upstream.address())
            .changed(documented, &changed)
            .start();
        for (request, ids) in [
            (Request::get("/public"), &[][..]),
            (super::me(&key), &["user-1"]),
        ] {
            let answer = envoy.send(&request.header("x-user-id", "root"));
            let account = answer.expect(200).json();
            assert_eq!(received(&account, "x-user-id"), ids, "{by:?}");
        }
    });
}
