//! Reads a check request.

use edge_authz::http::{HeaderMap, RequestHead};
use envoy_types::pb::envoy::service::auth::v3::CheckRequest;
use envoy_types::pb::envoy::service::auth::v3::attribute_context::HttpRequest;

use super::certificate;
use super::fields::{Fields, Form, Unreadable};
use crate::service::Question;

/// The question of a check request, and the form of its fields. Only the attributes of the
/// request and of the client's connection are read. `context_extensions` and metadata change
/// no decision.
///
/// # Errors
///
/// The request has no attributes, or they contradict each other.
pub fn read(request: CheckRequest) -> Result<(Question, Form), Unreadable> {
    let attributes = request.attributes.ok_or(Unreadable)?;
    let http = attributes.request.and_then(|request| request.http);
    let (head, form) = head(http.ok_or(Unreadable)?)?;
    let certificate = certificate::of_client(attributes.source.as_ref());
    Ok((Question { head, certificate }, form))
}

/// The head of the request. Pseudo-headers among the fields have the exact bytes. Without
/// them, which is so with `allowed_headers`, the attributes stand for them; these are always
/// sanitised.
fn head(http: HttpRequest) -> Result<(RequestHead, Form), Unreadable> {
    is_whole_path(&http).then_some(()).ok_or(Unreadable)?;
    let Fields { mut list, form } = Fields::read(http.headers, http.header_map)?;
    for (name, value) in [
        (":method", http.method),
        (":path", http.path),
        (":authority", http.host),
        (":scheme", http.scheme),
    ] {
        let mut known = list.iter().filter(|(known, _)| known == name);
        let value = Form::Merged.read(value);
        match (known.next(), known.next()) {
            // Envoy makes the attribute of the field.
            (Some((_, exact)), None) => {
                if form == Form::Merged && !value.is_empty() && *exact != value {
                    return Err(Unreadable);
                }
            }
            (None, _) if value.is_empty() => {}
            (None, _) => list.push((name.to_owned(), value)),
            (Some(_), Some(_)) => return Err(Unreadable),
        }
    }
    let pairs = list.iter().map(|(name, value)| (name, value));
    Ok((RequestHead::new(HeaderMap::from_pairs(pairs)), form))
}

/// Whether the path contains the query and the fragment. Envoy sends them nowhere else.
fn is_whole_path(http: &HttpRequest) -> bool {
    let query = http.path.split_once('?').map_or("", |(_, query)| query);
    http.fragment.is_empty() && (http.query.is_empty() || http.query == query)
}

#[cfg(test)]
mod tests {
    use envoy_types::pb::envoy::config::core::v3::{HeaderMap as RawFields, HeaderValue};
    use envoy_types::pb::envoy::service::auth::v3::AttributeContext;
    use envoy_types::pb::envoy::service::auth::v3::attribute_context::Request;

    use super::*;

    fn check(http: HttpRequest) -> CheckRequest {
        CheckRequest {
            attributes: Some(AttributeContext {
                request: Some(Request {
                    http: Some(http),
                    time: None,
                }),
                ..AttributeContext::default()
            }),
        }
    }

    fn http(path: &str, fields: &[(&str, &[u8])]) -> HttpRequest {
        let headers = fields.iter().map(|(key, value)| HeaderValue {
            key: (*key).to_owned(),
            raw_value: value.to_vec(),
            ..HeaderValue::default()
        });
        HttpRequest {
            method: "GET".to_owned(),
            path: path.to_owned(),
            host: "api.example".to_owned(),
            header_map: Some(RawFields {
                headers: headers.collect(),
            }),
            ..HttpRequest::default()
        }
    }

    #[test]
    fn fields_give_the_exact_bytes_and_attributes_stand_for_missing_ones() {
        let fields: [(&str, &[u8]); 2] = [(":path", b"/a\xff!"), ("x", b"1")];
        let (question, form) = read(check(http("/a!!", &fields))).unwrap();
        assert_eq!(question.head.path(), Some(&b"/a\xff!"[..]));
        assert_eq!(question.head.method(), Some(&b"GET"[..]));
        assert_eq!(question.head.authority(), Some(&b"api.example"[..]));
        assert_eq!(form, Form::Raw);
        assert!(question.certificate.is_err());
        let (question, form) = read(check(http("/a!", &[]))).unwrap();
        assert_eq!(question.head.path(), Some(&b"/a\xff"[..]));
        assert_eq!(form, Form::Merged);
    }

    #[test]
    fn a_request_without_attributes_or_with_contradictions_is_unreadable() {
        let twice: [(&str, &[u8]); 2] = [(":path", b"/a"), (":path", b"/b")];
        let mut query = http("/a?b", &[]);
        query.query = "c".to_owned();
        let mut fragment = http("/a", &[]);
        fragment.fragment = "f".to_owned();
        let mut path = http("/a", &[]);
        path.headers.insert(":path".to_owned(), "/b".to_owned());
        for bad in [
            CheckRequest::default(),
            CheckRequest {
                attributes: Some(AttributeContext::default()),
            },
            check(http("/a", &twice)),
            check(query),
            check(fragment),
            check(path),
        ] {
            assert_eq!(read(bad).unwrap_err(), Unreadable);
        }
        let mut query = http("/a?b", &[]);
        query.query = "b".to_owned();
        assert!(read(check(query)).is_ok());
    }
}
