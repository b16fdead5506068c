//! What happens over time: an authorizer that is down or not there, rotations and outages of
//! the issuer, new configurations, crowds. With the program that is shipped.

use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::json;

use crate::program::authorizer;
use crate::proxies::{Kind, Proxy, Site};
use crate::support::echo::Echo;
use crate::support::http::{Request, Response};
use crate::support::http1;
use crate::support::issuer::{Issuer, JWKS_PATH};
use crate::support::process::wait_until;
use crate::support::program::Program;
use crate::support::server::{Answer, Pace, Server};
use crate::support::tokens::{TokenMaker, claims_with};

pub(crate) const ISSUER: &str = "https://issuer.example.com";

/// A configuration with keys at this address. The fetch is not the subject here, so it is
/// without TLS.
pub(crate) fn configuration(keys: SocketAddr, me: &str) -> String {
    let document = json!({
        "providers": [{
            "name": "main", "issuer": ISSUER, "audiences": ["api"],
            "jwks": {"uri": format!("http://{keys}{JWKS_PATH}"), "refresh": "1s"},
        }],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [
            {"match": "GET /public", "access": "public"},
            {"match": "GET /me", "access": me},
        ],
        "cors": {"allow_origins": ["https://app.example.com"]},
    });
    document.to_string()
}

/// An issuer, an authorizer, a proxy and an upstream.
struct World {
    issuer: Issuer,
    authorizer: Program,
    proxy: Proxy,
    upstream: Echo,
    key: TokenMaker,
}

impl World {
    fn start(kind: Kind) -> Self {
        let key = TokenMaker::generate("RS256", "first");
        let issuer = Issuer::with_keys(&[&key]);
        let authorizer = authorizer(kind, &configuration(issuer.address(), "required"));
        let upstream = Echo::start();
        let proxy = Proxy::start(kind, &[Site::new(authorizer.address)], upstream.address());
        authorizer.wait_until_ready();
        Self {
            issuer,
            authorizer,
            proxy,
            upstream,
            key,
        }
    }

    fn send(&self, request: &Request) -> Response {
        send(self.proxy.address(), request)
    }

    #[track_caller]
    fn expect(&self, request: &Request, status: u16) -> Response {
        let answer = self.send(request);
        assert!(
            answer.status == status,
            "{}: {status} was expected:\n{answer}\n{}\n{}",
            self.proxy.kind.name(),
            self.authorizer.log(),
            self.proxy.log()
        );
        answer
    }
}

pub(crate) fn send(to: SocketAddr, request: &Request) -> Response {
    http1::exchange(to, request).expect("an answer")
}

fn token(key: &TokenMaker) -> String {
    key.token(&claims_with(ISSUER, "api", json!({})))
}

fn me(key: &TokenMaker) -> Request {
    Request::get("/me").bearer(&token(key))
}

pub(crate) fn for_each(test: impl Fn(Kind) + Sync) {
    thread::scope(|scope| {
        for kind in Kind::chosen() {
            let test = &test;
            scope.spawn(move || test(kind));
        }
    });
}

#[test]
fn while_the_authorizer_is_down_every_request_is_503() {
    for_each(|kind| {
        let mut world = World::start(kind);
        world.expect(&me(&world.key), 200);
        world.expect(&Request::get("/public"), 200);
        world.authorizer.stop();
        let before = world.upstream.count();
        for request in [Request::get("/public"), me(&world.key), Request::get("/me")] {
            world.expect(&request, 503);
        }
        let preflight = Request::preflight("/me", "https://app.example.com", "GET");
        world.expect(&preflight, 503);
        assert_eq!(world.upstream.count(), before, "{}", kind.name());
        world.authorizer.restart();
        world.expect(&me(&world.key), 200);
    });
}

/// Another server at the authorizer's address.
#[test]
fn an_answer_that_is_not_the_authorizers_lets_nothing_pass() {
    let answers = || {
        let plain = |status| Answer::new(status, "x");
        let statuses = [
            200, 201, 204, 206, 226, 299, 301, 302, 304, 400, 401, 403, 404, 418, 429, 500, 502,
            503,
        ];
        let mut all: Vec<Answer> = statuses.map(plain).to_vec();
        all.push(plain(401).header("www-authenticate", "Basic"));
        all.push(plain(200).header("x-user-id", "root"));
        all.push(plain(200).header("x-edge-authz", "reply"));
        all.push(plain(200).header("x-edge-authz", "allow, reply"));
        all.push(plain(302).header("location", "http://127.0.0.1/public"));
        all.push(plain(200).header("x-accel-redirect", "/public"));
        all.push(plain(200).header("x-edge-authz-uri", "/public"));
        all.push(plain(200).pace(Pace::CutAfter(0)));
        all
    };
    for_each(|kind| {
        let upstream = Echo::start();
        for answer in answers() {
            let shown = format!("{}: {answer:?}", kind.name());
            let other = Server::start(Arc::new(move |_, stream| {
                answer.clone().write(stream, false)
            }));
            let proxy = Proxy::start(kind, &[Site::new(other.address())], upstream.address());
            let answer = send(proxy.address(), &Request::get("/public"));
            // Only nginx's 502 of its second lock is not 503.
            let refused = matches!(answer.status, 502 | 503);
            let is_reply = shown.contains("reply") && !shown.contains("allow");
            assert!(refused || is_reply, "{shown}\n{answer}");
            assert_eq!(upstream.count(), 0, "{shown}");
        }
    });
}

#[test]
fn a_rotated_key_is_never_refused() {
    for_each(|kind| {
        let world = World::start(kind);
        world.expect(&me(&world.key), 200);
        let next = TokenMaker::generate("RS256", "second");
        world.issuer.publish(&[&world.key, &next]);
        let answer = world.expect(&me(&next), 200);
        assert!(answer.text().contains("user-1"));
        world.issuer.publish(&[&next]);
        let gone = || (world.send(&me(&world.key)).status == 401).then_some(());
        wait_until(Duration::from_secs(20), gone).expect("the withdrawn key");
    });
}

#[test]
fn an_outage_of_the_issuer_is_bridged_and_without_keys_it_is_503() {
    for_each(|kind| {
        let mut world = World::start(kind);
        world.issuer.stop();
        thread::sleep(Duration::from_secs(2));
        world.expect(&me(&world.key), 200);
        world.authorizer.restart();
        assert!(!world.authorizer.is_ready());
        let answer = world.expect(&me(&world.key), 503);
        assert!(answer.header("retry-after").is_some(), "{answer}");
        world.expect(&Request::get("/public"), 200);
        world.issuer.restart();
        let back = || (world.send(&me(&world.key)).status == 200).then_some(());
        wait_until(Duration::from_secs(20), back).expect("the issuer is back");
    });
}

#[test]
fn a_new_configuration_is_used_and_loses_no_request() {
    for_each(|kind| {
        let world = World::start(kind);
        let ends = AtomicBool::new(false);
        let at = world.proxy.address();
        let request = me(&world.key);
        thread::scope(|scope| {
            let crowd: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        let mut sent = 0;
                        while !ends.load(Ordering::SeqCst) {
                            let answer = send(at, &request);
                            assert_eq!(answer.status, 200, "{}: {answer}", kind.name());
                            sent += 1;
                        }
                        sent
                    })
                })
                .collect();
            assert_eq!(world.send(&Request::get("/me")).status, 401);
            world
                .authorizer
                .configure(&configuration(world.issuer.address(), "optional"));
            let used = || (world.send(&Request::get("/me")).status == 200).then_some(());
            wait_until(Duration::from_secs(20), used).expect("the new configuration");
            // A bad one is refused, and the current one stays.
            world
                .authorizer
                .configure(r#"{"routes": [{"match": "get /x"}]}"#);
            thread::sleep(Duration::from_secs(2));
            assert_eq!(world.send(&Request::get("/me")).status, 200);
            ends.store(true, Ordering::SeqCst);
            for thread in crowd {
                assert!(thread.join().expect("no lost request") > 10);
            }
        });
    });
}

#[test]
fn a_crowd_that_arrives_before_the_keys_waits_for_them() {
    for_each(|kind| {
        let mut world = World::start(kind);
        world.issuer.change(JWKS_PATH, |answer| {
            answer.delay(Duration::from_millis(1500))
        });
        world.authorizer.stop();
        let before = world.issuer.gets(JWKS_PATH);
        // Otherwise a slow machine would fetch again meanwhile because the keys are old.
        let seldom = configuration(world.issuer.address(), "required").replace("1s", "10m");
        world.authorizer.configure(&seldom);
        world.authorizer.restart();
        let at = world.proxy.address();
        let request = me(&world.key);
        let answers: Vec<Response> = thread::scope(|scope| {
            let crowd: Vec<_> = (0..200)
                .map(|_| scope.spawn(|| send(at, &request)))
                .collect();
            crowd
                .into_iter()
                .map(|one| one.join().expect("an answer"))
                .collect()
        });
        for answer in &answers {
            assert_eq!(answer.status, 200, "{}: {answer}", kind.name());
        }
        assert!(world.issuer.gets(JWKS_PATH) - before <= 2);
    });
}

#[test]
fn bodies_reach_the_upstream_only_if_the_request_is_allowed() {
    for_each(|kind| {
        let world = World::start(kind);
        let body = vec![b'a'; 300_000];
        let mut allowed = me(&world.key).body(&body);
        allowed.method = b"GET".to_vec();
        let answer = world.expect(&allowed, 200);
        assert_eq!(answer.json()["body_bytes"], 300_000);
        let before = world.upstream.count();
        let refused = Request::get("/me").body(&body);
        world.expect(&refused, 401);
        assert_eq!(world.upstream.count(), before);
    });
}

#[test]
fn a_long_token_is_judged() {
    for_each(|kind| {
        let world = World::start(kind);
        let long = "a".repeat(11_000);
        let claims = claims_with(ISSUER, "api", json!({"long": long}));
        let request = Request::get("/me").bearer(&world.key.token(&claims));
        world.expect(&request, 200);
    });
}

/// Identity values reach the upstream as they are, whatever a proxy's own syntax is.
#[test]
fn values_are_not_interpreted_by_the_proxy() {
    let values = [
        "$host",
        "${host}",
        "{env.HOME}",
        "{http.request.host}",
        "%[src]",
        "%{+Q}o",
        "a\"b\\c",
        "caf\u{e9}",
        "a, b; c=d",
        "$edge_authz_body",
        "{vars.x}",
        "{rp.header.X}",
        "%ci",
    ];
    for_each(|kind| {
        let world = World::start(kind);
        for value in values {
            let claims = claims_with(ISSUER, "api", json!({"sub": value}));
            let request = Request::get("/me").bearer(&world.key.token(&claims));
            world.expect(&request, 200);
            let seen = world.upstream.seen();
            let user: Vec<&[u8]> = seen.last().unwrap().all("x-user-id").collect();
            assert_eq!(user, [value.as_bytes()], "{}", kind.name());
        }
    });
}
