//! The core's port for one request of Envoy.

use super::abi::{Attribute, Filter, List, Refused};
use edge_authz::cors::ResponseCors;
use edge_authz::host::{HeaderList, HostError, HttpExchange, certificate_digest};
use edge_authz::http::{HeaderEdit, HeaderMap, LocalReply};
use edge_authz::telemetry::FilterState;
use edge_authz_native::{is_sendable, reply_fields};

/// The namespace of the dynamic metadata.
const NAMESPACE: &str = "edge_authz";

impl HttpExchange for Filter<'_> {
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError> {
        let copied = self.with_fields(list.into(), |fields| {
            // A field without a name would escape the filter.
            let is_whole = fields.clone().all(|(name, _)| !name.is_empty());
            let copied = is_whole.then(|| HeaderMap::from_pairs(fields));
            copied.ok_or(HostError::Malformed)
        });
        copied.ok_or(HostError::NotFound)?
    }

    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError> {
        let list = list.into();
        let done = match edit {
            HeaderEdit::Remove(name) => self.set_header(list, sendable(name)?, b""),
            HeaderEdit::Set(name, value) => {
                self.set_header(list, sendable(name)?, sendable(value)?)
            }
            // Envoy adds no line without a value. The header is then absent, which is
            // safe, because no value of the client replaces it.
            HeaderEdit::Add(name, value) if value.is_empty() => {
                self.set_header(list, sendable(name)?, b"")
            }
            HeaderEdit::Add(name, value) => {
                self.add_header(list, sendable(name)?, sendable(value)?)
            }
        };
        done.map_err(refused)
    }

    fn resume(&self) -> Result<(), HostError> {
        self.continue_decoding();
        Ok(())
    }

    /// Envoy does not pass the module's own replies to the response hook, so they get their
    /// CORS headers here.
    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError> {
        let owned = reply_fields(reply, cors);
        let mut fields: Vec<(&[u8], &[u8])> = owned
            .iter()
            .map(|(name, value)| (&**name, &**value))
            .collect();
        if is_grpc(*self) {
            fields.push((b"grpc-status", grpc_status(reply.status)));
        }
        for (name, value) in &fields {
            sendable(name)?;
            sendable(value)?;
        }
        self.send_response(u32::from(reply.status), &fields, &reply.body, reply.details);
        Ok(())
    }

    /// A module cannot reset a stream in Envoy. It sends an empty reply instead, which cannot
    /// fail because of its content.
    fn reset(&self) -> Result<(), HostError> {
        let grpc: (&[u8], &[u8]) = (b"grpc-status", grpc_status(503));
        let fields = if is_grpc(*self) { &[grpc][..] } else { &[] };
        self.send_response(503, fields, b"", "edge_authz_internal_error");
        Ok(())
    }

    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError> {
        let known = FilterState::NAMES.iter().find(|(_, known)| *known == entry);
        if let Some((name, _)) = known {
            self.set_metadata(NAMESPACE, name, value);
        }
        Filter::set_filter_state(*self, entry.name(), value).map_err(refused)
    }

    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError> {
        let digits = self.attribute(Attribute::PEER_CERTIFICATE_DIGEST);
        certificate_digest(&digits.unwrap_or_default())
    }
}

/// Whether Envoy treats the request as gRPC. It then turns a module's reply into a gRPC one,
/// with the status OK if the reply has no `grpc-status`.
fn is_grpc(filter: Filter<'_>) -> bool {
    let is_grpc = filter.with_fields(List::Request, |fields| {
        let mut types = fields.filter(|(name, _)| name.eq_ignore_ascii_case(b"content-type"));
        types.next().is_some_and(|(_, value)| is_grpc_type(value))
    });
    is_grpc == Some(true)
}

fn is_grpc_type(content_type: &[u8]) -> bool {
    let rest = content_type.strip_prefix(b"application/grpc");
    matches!(rest, Some([] | [b'+', ..]))
}

/// The gRPC status of an HTTP status, as in gRPC's "HTTP to gRPC Status Code Mapping".
const fn grpc_status(status: u16) -> &'static [u8] {
    match status {
        400 => b"13",
        401 => b"16",
        403 => b"7",
        404 => b"12",
        429 | 502 | 503 | 504 => b"14",
        _ => b"2",
    }
}

fn refused(Refused(status): Refused) -> HostError {
    HostError::Refused(u32::try_from(status).unwrap_or(u32::MAX))
}

impl From<HeaderList> for List {
    fn from(list: HeaderList) -> Self {
        match list {
            HeaderList::Request => Self::Request,
            HeaderList::RequestTrailers => Self::RequestTrailers,
            HeaderList::Response => Self::Response,
        }
    }
}

/// Refuses bytes that would end a line or a text: Envoy writes a module's bytes unchanged.
fn sendable(bytes: &[u8]) -> Result<&[u8], HostError> {
    is_sendable(bytes)
        .then_some(bytes)
        .ok_or(HostError::NotAsked)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_end_a_line_are_not_sent() {
        for bad in ["a\r\nb: c", "\r", "\n", "a\0"] {
            assert_eq!(sendable(bad.as_bytes()), Err(HostError::NotAsked));
        }
        assert_eq!(sendable(b"a\tb \xff"), Ok(&b"a\tb \xff"[..]));
    }

    #[test]
    fn a_grpc_answer_never_says_ok() {
        for status in 200..600 {
            assert_ne!(grpc_status(status), b"0");
        }
        for (content_type, expected) in [
            ("application/grpc", true),
            ("application/grpc+proto", true),
            ("application/grpc-web", false),
            ("application/grpcx", false),
            ("application/json", false),
            ("", false),
        ] {
            assert_eq!(
                is_grpc_type(content_type.as_bytes()),
                expected,
                "{content_type}"
            );
        }
    }
}
