//! The core's port for one request: collects what the core does with it.

use std::cell::RefCell;

use edge_authz::cors::ResponseCors;
use edge_authz::host::{HeaderList, HostError, HttpExchange};
use edge_authz::http::{HeaderEdit, HeaderMap, LocalReply};
use edge_authz::telemetry::FilterState;
use edge_authz_native::{is_sendable, reply_fields};

use super::Certificate;

/// What the core has done with a request.
#[derive(Debug)]
pub(super) struct Collector {
    certificate: Certificate,
    collected: RefCell<Collected>,
}

/// The collected calls.
#[derive(Debug, Default)]
pub(super) struct Collected {
    pub(super) request: Vec<HeaderEdit<'static>>,
    pub(super) response: Vec<HeaderEdit<'static>>,
    pub(super) reply: Option<Reply>,
    pub(super) published: Vec<(FilterState, String)>,
}

/// A reply with its CORS headers.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) headers: Vec<(Vec<u8>, Vec<u8>)>,
    pub(super) body: Vec<u8>,
}

impl Collector {
    pub(super) fn new(certificate: Certificate) -> Self {
        Self {
            certificate,
            collected: RefCell::default(),
        }
    }

    pub(super) fn into_collected(self) -> Collected {
        self.collected.into_inner()
    }

    fn with<T>(&self, act: impl FnOnce(&mut Collected) -> T) -> Result<T, HostError> {
        let collected = self.collected.try_borrow_mut();
        collected
            .map(|mut collected| act(&mut collected))
            .map_err(|_| HostError::NotAsked)
    }
}

impl HttpExchange for Collector {
    /// The front end passes the request's fields to the judge. The upstream's response is
    /// not known.
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError> {
        match list {
            HeaderList::Response => Ok(HeaderMap::default()),
            HeaderList::Request | HeaderList::RequestTrailers => Err(HostError::NoFunction),
        }
    }

    fn edit(&self, list: HeaderList, edit: &HeaderEdit<'_>) -> Result<(), HostError> {
        let edit = owned(edit).ok_or(HostError::NotAsked)?;
        self.with(|collected| match list {
            HeaderList::Request => {
                collected.request.push(edit);
                Ok(())
            }
            HeaderList::Response => {
                collected.response.push(replacing(edit));
                Ok(())
            }
            HeaderList::RequestTrailers => Err(HostError::NoFunction),
        })?
    }

    fn resume(&self) -> Result<(), HostError> {
        Ok(())
    }

    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError> {
        let headers = reply_fields(reply, cors);
        let is_good = |(name, value): &(Vec<u8>, Vec<u8>)| is_sendable(name) && is_sendable(value);
        if !headers.iter().all(is_good) {
            return Err(HostError::NotAsked);
        }
        self.with(|collected| {
            collected.reply = Some(Reply {
                status: reply.status,
                headers,
                body: reply.body.clone(),
            });
        })
    }

    /// The caller answers a request without a decision 503.
    fn reset(&self) -> Result<(), HostError> {
        self.with(|collected| collected.reply = None)
    }

    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError> {
        self.with(|collected| {
            collected.published.retain(|(known, _)| *known != entry);
            collected.published.push((entry, value.to_owned()));
        })
    }

    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError> {
        self.certificate.map_err(|_| HostError::NotFound)
    }
}

/// The change of a response that may have the field already: the upstream's response is not
/// known. Only `Vary` gets one more line, because each of its lines applies.
fn replacing(edit: HeaderEdit<'static>) -> HeaderEdit<'static> {
    match edit {
        HeaderEdit::Add(name, value) if !name.eq_ignore_ascii_case(b"vary") => {
            HeaderEdit::Set(name, value)
        }
        edit @ (HeaderEdit::Add(..) | HeaderEdit::Set(..) | HeaderEdit::Remove(_)) => edit,
    }
}

/// A copy of a change. `None` if its bytes cannot be written to a header.
fn owned(edit: &HeaderEdit<'_>) -> Option<HeaderEdit<'static>> {
    let copy = |bytes: &[u8]| is_sendable(bytes).then(|| bytes.to_vec());
    Some(match edit {
        HeaderEdit::Remove(name) => HeaderEdit::Remove(copy(name)?.into()),
        HeaderEdit::Set(name, value) => HeaderEdit::Set(copy(name)?.into(), copy(value)?.into()),
        HeaderEdit::Add(name, value) => HeaderEdit::Add(copy(name)?.into(), copy(value)?.into()),
    })
}
