//! The answers to proxies, without connections.

use std::sync::Arc;

use edge_authz::config;
use edge_authz_native::clock;
use http::{HeaderMap, HeaderName, HeaderValue, Request, Response};
use http_body_util::{BodyExt, Full};
use tokio::runtime;
use tokio::task::LocalSet;

use super::*;
use crate::observation::Log;
use crate::service::{Active, Document};

const CONFIGURATION: &str = r#"{
    "providers": [{"name": "idp", "issuer": "https://idp.example", "audiences": ["api"],
        "jwks": {"cluster": "idp", "uri": "https://idp.example/jwks"}, "algorithms": ["RS256"]}],
    "upstream": {"claims": {"x-user-id": "sub"}},
    "cors": {"allow_origins": ["https://app.example"]},
    "routes": [
        {"match": "GET /public", "access": "public"},
        {"match": "GET /public", "hosts": ["admin.example"], "access": "denied"},
        {"match": "GET /private"}
    ]
}"#;

const ALL: [Preset; 4] = [
    Preset::Nginx,
    Preset::Traefik,
    Preset::Caddy,
    Preset::Haproxy,
];

/// The fields in which this proxy writes a client's request.
fn original(preset: Preset, method: &str, uri: &str, host: &str) -> Vec<(String, String)> {
    let names = preset.fields();
    [(names.method, method), (names.uri, uri), (names.host, host)]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .into()
}

/// What a proxy gets for its request.
struct Seen {
    status: u16,
    headers: HeaderMap,
    body: Vec<u8>,
}

fn asked(preset: Preset, path: &str, fields: &[(String, String)]) -> Seen {
    asked_with(
        &ForwardAuth {
            preset,
            certificate: None,
        },
        path,
        fields,
    )
}

fn asked_with(front_end: &ForwardAuth, path: &str, fields: &[(String, String)]) -> Seen {
    let runtime = runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    LocalSet::new().block_on(&runtime, async {
        let policy = config::compile(CONFIGURATION.as_bytes()).unwrap();
        let document = Document::new(Arc::new(policy), 1, clock::now().unwrap());
        let active = Arc::new(Active::new(document));
        let service = Service::new(&active, 0, &Arc::default(), &Arc::new(Log::none()));
        let mut request = Request::get(path).body(()).unwrap();
        for (name, value) in fields {
            let name = HeaderName::from_bytes(name.as_bytes()).unwrap();
            let value = HeaderValue::from_bytes(value.as_bytes()).unwrap();
            request.headers_mut().append(name, value);
        }
        seen(front_end.decide(&service, &request).await).await
    })
}

async fn seen(response: Response<Full<Bytes>>) -> Seen {
    let (parts, body) = response.into_parts();
    Seen {
        status: parts.status.as_u16(),
        headers: parts.headers,
        body: body.collect().await.unwrap().to_bytes().to_vec(),
    }
}

fn field(name: &str, value: &str) -> (String, String) {
    (name.to_owned(), value.to_owned())
}

#[test]
fn the_clients_request_is_decided_with_each_proxys_own_fields() {
    for preset in ALL {
        let of = |uri: &str, host: &str| {
            asked(preset, "/authorize", &original(preset, "GET", uri, host)).status
        };
        assert_eq!(of("/public", "api.example"), 200, "{preset:?}");
        assert_eq!(of("/public", "admin.example"), 403, "{preset:?}");
        assert_eq!(of("/private", "api.example"), 401, "{preset:?}");
        assert_eq!(of("/private/../public", "api.example"), 400, "{preset:?}");
        assert_eq!(of("//public", "api.example"), 400, "{preset:?}");
    }
}

#[test]
fn a_request_without_its_method_uri_or_host_is_refused() {
    for preset in ALL {
        let whole = original(preset, "GET", "/public", "api.example");
        for index in 0..whole.len() {
            let mut without = whole.clone();
            let (name, _) = without.remove(index);
            // Fields of other proxies, and the request's own target and host, do not count.
            without.push(field("host", "api.example"));
            for other in ALL {
                let fields = original(other, "GET", "/public", "api.example");
                without.extend(fields.into_iter().filter(|(other, _)| {
                    *other != name && !whole.iter().any(|(own, _)| own == other)
                }));
            }
            assert_eq!(asked(preset, "/authorize", &without).status, 503, "{name}");
            let mut empty = whole.clone();
            empty[index].1.clear();
            assert_eq!(asked(preset, "/authorize", &empty).status, 503, "{name}");
            let mut twice = whole.clone();
            twice.push(whole[index].clone());
            assert_eq!(asked(preset, "/authorize", &twice).status, 503, "{name}");
        }
    }
}

#[test]
fn a_clients_fields_of_other_names_change_nothing() {
    for preset in ALL {
        let mut fields = original(preset, "GET", "/private", "api.example");
        for other in ALL {
            for (name, value) in original(other, "GET", "/public", "api.example") {
                if !fields.iter().any(|(known, _)| *known == name) {
                    fields.push((name.replace('-', "_"), value.clone()));
                    fields.push((name, value));
                }
            }
        }
        fields.push(field("x-rewrite-url", "/public"));
        fields.push(field("x-http-method-override", "OPTIONS"));
        assert_eq!(
            asked(preset, "/authorize", &fields).status,
            401,
            "{preset:?}"
        );
    }
}

#[test]
fn a_refusal_is_complete_and_never_redirects() {
    for preset in ALL {
        for path in ["/authorize", "/reply"] {
            let mut fields = original(preset, "GET", "/private", "api.example");
            fields.push(field("origin", "https://app.example"));
            fields.push(field("accept", "text/html"));
            let seen = asked(preset, path, &fields);
            assert_eq!(seen.status, 401);
            assert!(seen.headers.contains_key("www-authenticate"));
            assert_eq!(
                seen.headers["access-control-allow-origin"],
                "https://app.example"
            );
            assert!(!seen.headers.contains_key("location"));
            assert_eq!(seen.body, br#"{"message":"Unauthorized"}"#);
        }
    }
}

#[test]
fn only_a_forwarded_request_is_answered_with_success() {
    for preset in ALL {
        let mut preflight = original(preset, "OPTIONS", "/private", "api.example");
        preflight.push(field("origin", "https://app.example"));
        preflight.push(field("access-control-request-method", "GET"));
        let seen = asked(preset, "/authorize", &preflight);
        assert_eq!(seen.status, 403);
        let (mark, value) = match preset {
            Preset::Nginx => ("x-edge-authz-status", "204"),
            Preset::Traefik | Preset::Caddy | Preset::Haproxy => ("x-edge-authz-reply", "1"),
        };
        assert_eq!(seen.headers[mark], value);
        let seen = asked(preset, "/reply", &preflight);
        assert_eq!(seen.status, 204);
        assert!(seen.headers.contains_key("access-control-allow-methods"));
        // What may be forwarded has no reply.
        let allowed = original(preset, "GET", "/public", "api.example");
        assert_eq!(asked(preset, "/reply", &allowed).status, 503);
    }
}

#[test]
fn an_allowed_answer_has_the_cors_headers_of_the_response() {
    let mut fields = original(Preset::Nginx, "GET", "/public", "api.example");
    fields.push(field("origin", "https://app.example"));
    let seen = asked(Preset::Nginx, "/authorize", &fields);
    assert_eq!(seen.status, 200);
    assert_eq!(
        seen.headers["access-control-allow-origin"],
        "https://app.example"
    );
    assert_eq!(seen.headers["vary"], "Origin");
}

#[test]
fn a_forged_identity_never_passes_where_the_proxy_would_keep_it() {
    for preset in ALL {
        let with = |name: &str| {
            let mut fields = original(preset, "GET", "/public", "api.example");
            fields.push(field(name, "root"));
            asked(preset, "/authorize", &fields).status
        };
        // Only the script of haproxy removes other spellings.
        let expected = if preset == Preset::Haproxy { 200 } else { 400 };
        assert_eq!(with("x_user_id"), expected, "{preset:?}");
        assert_eq!(with("x.user.id"), expected, "{preset:?}");
        let expected = if preset == Preset::Caddy { 400 } else { 200 };
        assert_eq!(with("x-user-id"), expected, "{preset:?}");
        // Others are the client's own.
        assert_eq!(with("x-user-ids"), 200, "{preset:?}");
    }
}

#[test]
fn other_paths_are_not_served() {
    let fields = original(Preset::Nginx, "GET", "/public", "api.example");
    for path in ["/", "/authorize/", "/authorized", "/public"] {
        assert_eq!(asked(Preset::Nginx, path, &fields).status, 404, "{path}");
    }
}

#[test]
fn a_certificate_is_one_digest_or_absent() {
    let front_end = ForwardAuth {
        preset: Preset::Nginx,
        certificate: Some(HeaderName::from_static("x-client-certificate")),
    };
    let digest = "0a".repeat(32);
    for (values, expected) in [
        (vec![], 200),
        (vec![""], 200),
        (vec![&*digest], 200),
        (vec!["0a"], 503),
        (vec![&*digest, &*digest], 503),
    ] {
        let mut fields = original(Preset::Nginx, "GET", "/public", "api.example");
        fields.extend(
            values
                .iter()
                .map(|value| field("x-client-certificate", value)),
        );
        let seen = asked_with(&front_end, "/authorize", &fields);
        assert_eq!(seen.status, expected, "{values:?}");
    }
}

#[test]
fn every_answer_has_a_mark() {
    for preset in ALL {
        let verdict = |uri: &str, path: &str| {
            let seen = asked(preset, path, &original(preset, "GET", uri, "api.example"));
            seen.headers["x-edge-authz"].to_str().unwrap().to_owned()
        };
        assert_eq!(verdict("/public", "/authorize"), "allow");
        assert_eq!(verdict("/private", "/authorize"), "reply");
        assert_eq!(verdict("/private", "/reply"), "reply");
        assert_eq!(verdict("/public", "/reply"), "reply");
        assert_eq!(verdict("/public", "/other"), "reply");
        let misuse = asked(preset, "/authorize", &[]);
        assert_eq!(misuse.headers["x-edge-authz"], "reply");
    }
}

#[test]
fn an_allowed_answer_has_what_the_upstream_gets() {
    for preset in ALL {
        let mut fields = original(preset, "GET", "/public?a=%41", "api.example");
        fields.push(field("authorization", "Basic x"));
        fields.push(field("cookie", "a=1"));
        fields.push(field("cookie", "b=2"));
        let seen = asked(preset, "/authorize", &fields);
        assert_eq!(seen.headers["x-edge-authz-uri"], "/public?a=%41");
        let value = |name: &str| seen.headers.get(name).map(|value| value.to_str().unwrap());
        // HAProxy changes only what the lists name.
        let kept = preset != Preset::Haproxy;
        assert_eq!(value("authorization"), kept.then_some("Basic x"));
        assert_eq!(value("cookie"), kept.then_some("a=1; b=2"));
        assert_eq!(value("x-edge-authz-remove"), None);
        fields.push(field("x-user-id", "root"));
        let seen = asked(preset, "/authorize", &fields);
        let removed = seen.headers.get("x-edge-authz-remove");
        let removed = removed.map(|value| value.to_str().unwrap());
        assert_eq!(removed, (!kept).then_some("x-user-id"));
        assert!(!seen.headers.contains_key("x-user-id"));
    }
}

#[test]
fn nginx_gets_all_of_a_reply_in_headers() {
    let of = |uri: &str| {
        let fields = original(Preset::Nginx, "GET", uri, "api.example");
        let seen = asked(Preset::Nginx, "/authorize", &fields);
        let mark = |name: &str| seen.headers[name].to_str().unwrap().to_owned();
        (mark("x-edge-authz-status"), mark("x-edge-authz-body"))
    };
    let reply = |status: &str, body: &str| (status.to_owned(), body.to_owned());
    assert_eq!(
        of("/private"),
        reply("401", r#"{"message":"Unauthorized"}"#)
    );
    assert_eq!(of("//"), reply("400", r#"{"message":"Bad Request"}"#));
    assert_eq!(of("/none"), reply("404", r#"{"message":"Not Found"}"#));
}
