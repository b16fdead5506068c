//! Writes the answer to a check request.

use std::collections::HashMap;

use edge_authz::telemetry::FilterState;
use envoy_types::pb::envoy::config::core::v3::header_value_option::HeaderAppendAction;
use envoy_types::pb::envoy::config::core::v3::{HeaderValue, HeaderValueOption};
use envoy_types::pb::envoy::service::auth::v3::check_response::HttpResponse;
use envoy_types::pb::envoy::service::auth::v3::{
    CheckResponse, DeniedHttpResponse, OkHttpResponse,
};
use envoy_types::pb::envoy::r#type::v3::HttpStatus;
use envoy_types::pb::google::protobuf::value::Kind;
use envoy_types::pb::google::protobuf::{BoolValue, Struct, Value};
use envoy_types::pb::google::rpc::Status;
use tonic::Code;

use super::fields::Form;
use crate::edits::{Net, net, of_request};
use crate::service::{Decision, Forwarded, Outcome, Replied};

/// The decision contains bytes that the protocol cannot carry, for example the cookies of a
/// client beside its token that are not UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Unwritable;

/// The answer to a request whose fields had this form.
///
/// # Errors
///
/// The changes of a forwarded request cannot be written. The request must be refused.
pub(super) fn write(outcome: &Outcome, form: Form) -> Result<CheckResponse, Unwritable> {
    let (code, response) = match outcome {
        Outcome::Forward(forwarded) => {
            let response = allowed(forwarded, form)?;
            (Code::Ok, HttpResponse::OkResponse(response))
        }
        // Even a reply with the HTTP status 200 has another code: it must not let the
        // request pass.
        Outcome::Reply(replied) => {
            let response = denied(replied);
            (code(replied.status), HttpResponse::DeniedResponse(response))
        }
    };
    Ok(CheckResponse {
        status: Some(Status {
            code: code.into(),
            ..Status::default()
        }),
        dynamic_metadata: Some(metadata(outcome.decision())),
        http_response: Some(response),
    })
}

fn allowed(forwarded: &Forwarded, form: Form) -> Result<OkHttpResponse, Unwritable> {
    let mut response = OkHttpResponse::default();
    let edits = forwarded.request_edits();
    for (name, change) in of_request(edits, forwarded.identity_headers()) {
        let name = String::from_utf8(name).map_err(|_| Unwritable)?;
        match change {
            Net::Removed if is_fixed(&name) => return Err(Unwritable),
            Net::Removed => response.headers_to_remove.push(name),
            // The core adds a field only where the request has none. If the proxy does not
            // show all fields, the client's field must be replaced all the same.
            Net::Replaced(values) | Net::Added(values) => {
                push(&mut response.headers, &name, &values, true, form)?;
            }
        }
    }
    for (name, change) in net(forwarded.response_edits()) {
        let name = String::from_utf8(name).map_err(|_| Unwritable)?;
        let to = &mut response.response_headers_to_add;
        match change {
            // The upstream's response is not known, so there is nothing to remove.
            Net::Removed => {}
            Net::Replaced(values) => push(to, &name, &values, true, Form::Raw)?,
            Net::Added(values) => push(to, &name, &values, false, Form::Raw)?,
        }
    }
    Ok(response)
}

/// Envoy ignores the removal of these fields.
fn is_fixed(name: &str) -> bool {
    name.starts_with(':') || name == "host"
}

/// Adds a field for each value. The first replaces the fields of that name, if asked for.
fn push(
    to: &mut Vec<HeaderValueOption>,
    name: &str,
    values: &[&[u8]],
    mut replaces: bool,
    form: Form,
) -> Result<(), Unwritable> {
    for value in values {
        let value = form.write(value).ok_or(Unwritable)?;
        to.push(field(name, value, replaces));
        replaces = false;
    }
    Ok(())
}

fn field(name: &str, value: String, replaces: bool) -> HeaderValueOption {
    let mut field = HeaderValueOption {
        header: Some(HeaderValue {
            key: name.to_owned(),
            value,
            raw_value: Vec::new(),
        }),
        keep_empty_value: true,
        ..HeaderValueOption::default()
    };
    if replaces {
        field.append_action = HeaderAppendAction::OverwriteIfExistsOrAdd.into();
        // Versions differ in the member that they read. This one counts in all of them.
        #[expect(deprecated, reason = "Envoy still reads it")]
        field.append.replace(BoolValue { value: false });
    } else {
        // Without the other member: with it, Envoy would join the values in one line.
        field.append_action = HeaderAppendAction::AppendIfExistsOrAdd.into();
    }
    field
}

/// The reply that the client gets.
fn denied(replied: &Replied) -> DeniedHttpResponse {
    // The core writes names, values and body in UTF-8.
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let mut headers: Vec<HeaderValueOption> = Vec::with_capacity(replied.headers.len());
    for (name, value) in &replied.headers {
        let name = text(name).to_ascii_lowercase();
        // The first field replaces that of Envoy's own reply.
        let is_it = |field: &HeaderValue| field.key == name;
        let is_known = headers
            .iter()
            .any(|known| known.header.as_ref().is_some_and(is_it));
        headers.push(field(&name, text(value), !is_known));
    }
    DeniedHttpResponse {
        status: Some(HttpStatus {
            code: replied.status.into(),
        }),
        headers,
        body: text(&replied.body),
    }
}

/// The gRPC code of a refusal. Envoy only checks that it is not `OK`.
const fn code(status: u16) -> Code {
    match status {
        401 => Code::Unauthenticated,
        503 => Code::Unavailable,
        _ => Code::PermissionDenied,
    }
}

/// The decision for access logs and other filters, in the namespace
/// `envoy.filters.http.ext_authz`: the configured entries of `filter_state`, under their
/// names there, and always the reason, because Envoy's response code details do not show it.
fn metadata(decision: &Decision) -> Struct {
    let text = |text: &str| Value {
        kind: Some(Kind::StringValue(text.to_owned())),
    };
    let mut fields = HashMap::with_capacity(decision.published.len().saturating_add(1));
    fields.insert("reason".to_owned(), text(decision.reason.name()));
    for (entry, value) in &decision.published {
        let known = FilterState::NAMES.iter().find(|(_, known)| known == entry);
        if let Some((name, _)) = known {
            fields.insert((*name).to_owned(), text(value));
        }
    }
    Struct { fields }
}

/// The refusal if nothing else could be written.
pub(super) fn empty() -> CheckResponse {
    let response = DeniedHttpResponse {
        status: Some(HttpStatus { code: 503 }),
        ..DeniedHttpResponse::default()
    };
    CheckResponse {
        status: Some(Status {
            code: Code::Unavailable.into(),
            ..Status::default()
        }),
        dynamic_metadata: None,
        http_response: Some(HttpResponse::DeniedResponse(response)),
    }
}
