//! Requests as Envoy describes them to the server (`CheckRequest` of its API). With the
//! exact fields, the server judges the request that the client sent. With joined and
//! sanitised fields, it lets no request pass that it refuses otherwise. No message makes
//! the reader panic.
//!
//! The input is lines of header fields, as the module `request` reads them; an empty line;
//! and the client's certificate as Envoy writes it. The bytes are also read as a message.

use std::collections::HashMap;
use std::sync::Arc;

use edge_authz::engine::{Action, Answer, Engine};
use edge_authz::http::RequestHead;
use edge_authz_server::ext_authz::{Form, Unreadable, read};
use edge_authz_server::service::Question;
use envoy_types::pb::envoy::config::core::v3::{HeaderMap, HeaderValue};
use envoy_types::pb::envoy::service::auth::v3::attribute_context::{HttpRequest, Peer, Request};
use envoy_types::pb::envoy::service::auth::v3::{AttributeContext, CheckRequest};
use tonic_prost::prost::Message;

use super::{request, request_headers};
use crate::reference::credentials::{self, Headers};

pub(crate) fn target(data: &[u8]) {
    if let Ok(message) = CheckRequest::decode(data) {
        let _ = read(message);
    }
    let blank = data.windows(2).position(|window| window == b"\n\n");
    let (lines, certificate) = data.split_at(blank.unwrap_or(data.len()));
    let headers = request::headers(lines);
    let certificate = String::from_utf8_lossy(certificate);
    judge_certificate(certificate.trim_ascii());
    // The proxy has names of fields in lower case, and none without a name.
    let headers: Headers = headers
        .into_iter()
        .filter_map(|(name, value)| {
            let name = String::from_utf8(name).ok()?.to_ascii_lowercase();
            Some((name.into_bytes(), value))
        })
        .collect();
    let plain = ask(request::head(&headers));
    let (exact, form) = question(exact(&headers)).expect("Envoy writes such messages");
    assert_eq!(form, Form::Raw);
    let fields = |head: &RequestHead| -> Headers {
        let all = head.headers().iter();
        all.map(|(name, value)| (name.to_vec(), value.to_vec()))
            .collect()
    };
    assert_eq!(fields(&exact.head), headers, "the exact fields");
    let Ok((merged, form)) = question(merged(&headers)) else {
        return;
    };
    assert_eq!(form, Form::Merged);
    let merged = ask(merged.head);
    if let Action::Forward(forward) = &merged.action {
        assert_eq!(merged.reason, plain.reason, "joined fields open a request");
        let Action::Forward(plain) = &plain.action else {
            panic!("joined fields open a request");
        };
        assert_eq!(forward.subject, plain.subject);
    }
}

fn ask(head: RequestHead) -> Answer {
    let mut engine = Engine::new(Arc::new(request_headers::policy()), 1);
    request_headers::answer(&mut engine, 1, head)
}

fn question(http: HttpRequest) -> Result<(Question, Form), Unreadable> {
    read(check(http, None))
}

fn check(http: HttpRequest, source: Option<Peer>) -> CheckRequest {
    CheckRequest {
        attributes: Some(AttributeContext {
            source,
            request: Some(Request {
                time: None,
                http: Some(http),
            }),
            ..AttributeContext::default()
        }),
    }
}

/// The attributes that Envoy sends with both forms of the fields.
fn attributes(headers: &Headers) -> HttpRequest {
    let value = |name| {
        let value = credentials::values(headers, name).next();
        sanitised(value.unwrap_or_default())
    };
    HttpRequest {
        method: value(":method"),
        path: value(":path"),
        host: value(":authority"),
        scheme: value(":scheme"),
        protocol: "HTTP/1.1".to_owned(),
        ..HttpRequest::default()
    }
}

/// With `encode_raw_headers`.
fn exact(headers: &Headers) -> HttpRequest {
    let fields = headers.iter().map(|(name, value)| HeaderValue {
        key: sanitised(name),
        raw_value: value.clone(),
        ..HeaderValue::default()
    });
    HttpRequest {
        header_map: Some(HeaderMap {
            headers: fields.collect(),
        }),
        ..attributes(headers)
    }
}

/// Without it: Envoy joins the fields of a name.
fn merged(headers: &Headers) -> HttpRequest {
    let mut fields: HashMap<String, String> = HashMap::new();
    for (name, value) in headers {
        let value = sanitised(value);
        fields
            .entry(sanitised(name))
            .and_modify(|known| *known = format!("{known},{value}"))
            .or_insert(value);
    }
    HttpRequest {
        headers: fields,
        ..attributes(headers)
    }
}

/// Envoy writes `!` for each byte that is not UTF-8.
fn sanitised(value: &[u8]) -> String {
    let mut text = String::new();
    for chunk in value.utf8_chunks() {
        text.push_str(chunk.valid());
        text.extend(chunk.invalid().iter().map(|_| '!'));
    }
    text
}

/// A certificate is known only if the text has nothing else.
fn judge_certificate(text: &str) {
    let certificate = |text: &str| {
        let peer = Peer {
            certificate: text.to_owned(),
            ..Peer::default()
        };
        let (question, _) = read(check(HttpRequest::default(), Some(peer))).unwrap();
        question.certificate
    };
    let known = certificate(text);
    assert_eq!(matches!(known, Ok(None)), text.is_empty());
    if let Ok(Some(known)) = known {
        assert_eq!(certificate(&format!("{text}%0A")), Ok(Some(known)));
        for more in ["x", "%", "%ff", text] {
            assert!(certificate(&format!("{text}{more}")).is_err(), "{text}");
        }
    }
}
