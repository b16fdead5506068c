//! What is in the answers.

use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use envoy_types::pb::google::protobuf::value::Kind;

use super::{CONFIGURATION, World, merged, raw, values};
use crate::ext_authz::Limits;
use crate::service::tests::token;

#[test]
fn an_allowed_request_loses_the_clients_identity_and_its_response_gets_cors() {
    World::run(|world| async move {
        let fields: [(&str, &[u8]); 3] = [
            ("x-user-id", b"root"),
            ("x_user_id", b"root"),
            ("origin", b"https://app.example"),
        ];
        for request in [
            raw("GET", "/public", &fields),
            merged("GET", "/public", &fields),
        ] {
            let allowed = world.allowed(request).await;
            let mut removed = allowed.headers_to_remove;
            removed.sort();
            assert_eq!(removed, ["x-user-id", "x_user_id"]);
            let added = allowed.response_headers_to_add;
            assert_eq!(
                values(&added, "access-control-allow-origin"),
                ["https://app.example"]
            );
            assert_eq!(values(&added, "vary"), ["Origin"]);
        }
    });
}

#[test]
fn an_identity_header_that_the_proxy_hides_is_removed() {
    World::run(|world| async move {
        let other: [(&str, &[u8]); 1] = [("accept", b"*/*")];
        for path in ["/public", "/optional"] {
            for fields in [&other[..], &[]] {
                for request in [raw("GET", path, fields), merged("GET", path, fields)] {
                    let allowed = world.allowed(request).await;
                    assert_eq!(allowed.headers_to_remove, ["x-user-id"], "{path}");
                }
            }
        }
    });
}

#[test]
fn a_refused_request_gets_the_complete_reply_and_the_reason() {
    World::run(|world| async move {
        let fields: [(&str, &[u8]); 1] = [("origin", b"https://app.example")];
        let answer = world.check(raw("GET", "/private", &fields)).await;
        let metadata = answer.dynamic_metadata.clone().unwrap().fields;
        let text = |name: &str| match &metadata[name].kind {
            Some(Kind::StringValue(text)) => text.clone(),
            other => panic!("{other:?}"),
        };
        assert_eq!(text("reason"), "no_token");
        assert_eq!(text("route"), "GET /private");
        assert_eq!(metadata.len(), 2);
        let (status, denied) = world.denied(raw("GET", "/private", &fields)).await;
        assert_eq!(status, 401);
        assert_eq!(denied.body, r#"{"message":"Unauthorized"}"#);
        let challenges = values(&denied.headers, "www-authenticate");
        assert!(challenges[0].starts_with("Bearer ") && challenges[1].starts_with("DPoP "));
        let origin = values(&denied.headers, "access-control-allow-origin");
        assert_eq!(origin, ["https://app.example"]);
    });
}

#[test]
fn a_reply_with_the_status_200_or_204_does_not_let_the_request_pass() {
    World::run(|world| async move {
        let path = "/.well-known/oauth-protected-resource/private";
        let (status, denied) = world.denied(raw("GET", path, &[])).await;
        assert_eq!(status, 200);
        assert!(denied.body.contains("https://idp.example"));
        let preflight: [(&str, &[u8]); 2] = [
            ("origin", b"https://app.example"),
            ("access-control-request-method", b"GET"),
        ];
        let (status, _) = world.denied(raw("OPTIONS", "/private", &preflight)).await;
        assert_eq!(status, 204);
    });
}

#[test]
fn a_message_without_a_request_is_refused_even_in_report_mode() {
    let reports = CONFIGURATION.replacen('{', r#"{"mode": "report","#, 1);
    World::run_with(&reports, Limits::default(), |world| async move {
        world.allowed(raw("GET", "/private", &[])).await;
        let mut contradicting = raw("GET", "/public", &[]);
        let attributes = contradicting.attributes.as_mut().unwrap();
        let http = attributes.request.as_mut().unwrap().http.as_mut().unwrap();
        http.headers.insert("a".to_owned(), "b".to_owned());
        for request in [
            CheckRequest::default(),
            CheckRequest {
                attributes: Some(AttributeContext::default()),
            },
            contradicting,
        ] {
            assert_eq!(world.denied(request).await.0, 503);
        }
    });
}

/// Requests that the filter refuses inside of the proxy, because they have doubled fields or
/// bytes that are not UTF-8. Joined and sanitised, they are refused too.
#[test]
fn what_is_refused_with_exact_fields_is_refused_with_joined_fields() {
    World::run(|world| async move {
        let bearer = format!("Bearer {}", token());
        let cookie = format!("session={}", token());
        let (bearer, cookie) = (bearer.as_bytes(), cookie.as_bytes());
        let more = [cookie, b"; a=1"].concat();
        let hostile: [Vec<(&str, &[u8])>; 9] = [
            vec![("authorization", bearer), ("authorization", bearer)],
            vec![("authorization", bearer), ("authorization", b"Basic x")],
            vec![("authorization", b"Bearer a\xff")],
            vec![("authorization", b"Bearer")],
            vec![("x-api-token", b"a.b.c"), ("x-api-token", b"a.b.c")],
            vec![("x-api-token", b"a.b.c"), ("x_api_token", b"a.b.d")],
            vec![("cookie", cookie), ("cookie", cookie)],
            vec![("cookie", &more), ("cookie", b"session=other")],
            vec![("cookie", b"a=1"), ("cookie", b"session=other\xff")],
        ];
        for fields in &hostile {
            for path in ["/optional", "/private"] {
                let exact = world.denied(raw("GET", path, fields)).await.0;
                let joined = world.denied(merged("GET", path, fields)).await.0;
                let is_client = |status| (400..500).contains(&status);
                assert!(
                    is_client(exact) && is_client(joined),
                    "{exact} {joined} {fields:?}"
                );
            }
        }
        let twice: [(&str, &[u8]); 4] = [
            ("mcp-protocol-version", b"2026-07-28"),
            ("mcp-method", b"ping"),
            ("mcp-method", b"ping"),
            ("x", b"1"),
        ];
        world.allowed(raw("POST", "/mcp", &twice[..2])).await;
        world.allowed(merged("POST", "/mcp", &twice[..2])).await;
        assert_eq!(world.denied(raw("POST", "/mcp", &twice)).await.0, 400);
        assert_eq!(world.denied(merged("POST", "/mcp", &twice)).await.0, 400);
    });
}

#[test]
fn a_path_that_may_have_been_sanitised_is_refused() {
    World::run(|world| async move {
        assert_eq!(world.denied(merged("GET", "/public!", &[])).await.0, 400);
        assert_eq!(world.denied(raw("GET", "/public!", &[])).await.0, 404);
        world.allowed(merged("GET", "/public?a=!", &[])).await;
    });
}
