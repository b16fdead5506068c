//! How the containers answer requests, as they are shipped.

use std::net::SocketAddr;
use std::time::Duration;

use crate::compose::{ENVOY, Services, address};
use crate::support::echo::received;
use crate::support::http::{Request, Response};
use crate::support::process::wait_until;
use crate::support::{http1, http2};
use crate::tokens::{
    ORIGIN, Tokens, forged, me, nothing_passes, readable, sign_in, tampered, unsigned,
};

/// One request with its expected status.
pub(crate) struct Asked {
    pub(crate) name: &'static str,
    pub(crate) request: Request,
    pub(crate) status: u16,
}

/// All cases that the routes of `envoy.yaml` distinguish.
pub(crate) fn requests(tokens: &Tokens) -> Vec<Asked> {
    let mut all = Vec::new();
    let mut ask = |name, status, request| {
        all.push(Asked {
            name,
            request,
            status,
        });
    };
    let access = |target: &str| Request::get(target).bearer(&tokens.access);
    let mine = format!("/users/{}", tokens.sub);
    ask("public", 200, Request::get("/public"));
    ask("no route", 404, Request::get("/elsewhere"));
    ask("no token", 401, Request::get("/me"));
    ask(
        "other scheme",
        401,
        Request::get("/me").header("authorization", "Basic YTpi"),
    );
    ask(
        "two words",
        400,
        Request::get("/me").header("authorization", "Bearer a b"),
    );
    ask("access token", 200, access("/me"));
    ask("ID token", 200, me(&tokens.id));
    ask("scope", 200, access("/account"));
    ask("no scope", 403, Request::get("/account").bearer(&tokens.id));
    ask("own user", 200, access(&mine));
    ask("other user", 403, access("/users/somebody-else"));
    ask("tampered", 401, me(&tampered(&tokens.access)));
    ask("unsigned", 401, me(&unsigned(&tokens.access)));
    ask("two tokens", 400, me(&tokens.id).bearer(&tokens.access));
    ask(
        "body",
        200,
        Request::post("/me", vec![7; 200_000]).bearer(&tokens.id),
    );
    ask(
        "body without token",
        401,
        Request::post("/me", vec![7; 1000]),
    );
    ask("two paths in one", 400, access("/me;x"));
    ask("preflight", 204, Request::preflight("/me", ORIGIN, "GET"));
    ask(
        "preflight from elsewhere",
        403,
        Request::preflight("/me", "https://evil.example", "GET"),
    );
    // 204 with the lists: then the browser reports the refused method.
    ask(
        "preflight for another method",
        204,
        Request::preflight("/me", ORIGIN, "DELETE"),
    );
    all
}

/// The answer over HTTP/1.1, after the same request over HTTP/2.
#[track_caller]
pub(crate) fn ask(at: SocketAddr, asked: &Asked) -> Response {
    let name = asked.name;
    let second = http2::exchange(at, &asked.request).unwrap_or_else(|e| panic!("{name}: {e:?}"));
    let first = http1::exchange(at, &asked.request).unwrap_or_else(|e| panic!("{name}: {e}"));
    for answer in [&first, &second] {
        assert_eq!(answer.status, asked.status, "{name}: {answer}");
    }
    first
}

/// An unknown `kid` causes a refresh first. The second worker may have to wait for its
/// turn, and answers 503 until then.
#[track_caller]
pub(crate) fn a_forged_token_is_refused(at: SocketAddr) {
    let forged = me(&forged());
    let refused = wait_until(Duration::from_secs(30), || {
        let answer = http1::exchange(at, &forged).expect("an answer");
        assert!(matches!(answer.status, 401 | 503), "{answer}");
        (answer.status == 401).then_some(())
    });
    assert!(refused.is_some(), "the key is never reported as unknown");
}

#[test]
fn the_routes_allow_and_refuse_what_envoy_yaml_says() {
    let services = Services::start();
    let tokens = sign_in(&services);
    let at = address(&services.container(ENVOY), 8080);
    for asked in requests(&tokens) {
        let answer = ask(at, &asked);
        let vary = answer.all("vary").concat();
        assert!(vary.starts_with("Origin"), "{answer}");
    }
    a_forged_token_is_refused(at);
    nothing_passes(&services, &tokens);

    // The identity of the token and no other: the client's own identity headers are
    // removed.
    let spoofed = me(&tokens.access).header("x-user-id", "root");
    let answer = services.send(&spoofed).expect(200);
    readable(&answer);
    let account = answer.json();
    assert_eq!(received(&account, "x-user-id"), [tokens.sub.as_str()]);
    assert!(received(&account, "authorization").is_empty(), "{account}");
    let spoofed = Request::get("/public").header("x-user-id", "root");
    let account = services.send(&spoofed).expect(200).json();
    assert!(received(&account, "x-user-id").is_empty(), "{account}");

    let answer = services.send(&Request::get("/account").bearer(&tokens.id));
    let challenge = answer.header("www-authenticate").unwrap_or_default();
    assert!(
        challenge.contains(r#"scope="aws.cognito.signin.user.admin""#),
        "{answer}"
    );
    let preflight = services.send(&Request::preflight("/me", ORIGIN, "GET"));
    readable(&preflight);
    assert_eq!(
        preflight.header("access-control-max-age").as_deref(),
        Some("7200")
    );
    for line in [
        format!("GET /me 200 via_upstream {}", tokens.sub),
        "GET /me 401 edge_authz_no_token -".to_owned(),
    ] {
        let logged = wait_until(Duration::from_secs(5), || {
            services.log(ENVOY).contains(&line).then_some(())
        });
        assert!(logged.is_some(), "not logged: {line}");
    }
    services.assert_no_trap();
}
