//! One fetch of a document, from the lease to the outcome. A fetch consists of up to
//! three consecutive requests.

use std::sync::Arc;
use std::time::Duration;

use super::document::ParsedDocument;
use super::reading::Reader;
use crate::keys::answer::AnswerHead;
use crate::keys::{Discovered, Issuer, Metadata, Record, RefreshPolicy};
use crate::policy::{DocumentLocation, DocumentSource, FetchUri};
use crate::telemetry::{FetchFailure, FetchPlace, Shown};
use crate::time::UnixTime;

/// Identifies a request to an issuer until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchId(pub u64);

/// A GET request to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchCall {
    /// Identifies the request in [`super::Engine::fetched`].
    pub id: FetchId,
    /// The cluster that receives the request.
    pub cluster: Arc<str>,
    /// The requested URI.
    pub uri: FetchUri,
    /// The time limit of the request.
    pub timeout: Duration,
    /// Whether caches on the path must revalidate with the issuer (`Cache-Control:
    /// no-cache`, RFC 9111 section 5.2.1.4).
    pub fresh: bool,
    /// The entity tag of the known document. If it has not changed, the answer may be a 304
    /// (RFC 9110 section 13.1.2).
    pub etag: Option<Box<str>>,
}

/// The `user-agent` of all fetches. Firewalls in front of issuers reject requests without
/// one (RFC 9110 section 10.1.5).
const USER_AGENT: &str = concat!("edge-authz/", env!("CARGO_PKG_VERSION"));

impl FetchCall {
    /// The request's header fields, pseudo-headers first.
    #[must_use]
    pub fn headers(&self) -> Vec<(&str, &str)> {
        let mut headers = vec![
            (":method", "GET"),
            (":scheme", self.uri.scheme()),
            (":authority", self.uri.authority()),
            (":path", self.uri.path()),
            ("accept", "application/json, application/jwk-set+json"),
            // Without this field every coding is acceptable (RFC 9110 section 12.5.3),
            // and this client decodes none.
            ("accept-encoding", "identity"),
            ("user-agent", USER_AGENT),
        ];
        if self.fresh {
            headers.push(("cache-control", "no-cache"));
        }
        if let Some(etag) = &self.etag {
            headers.push(("if-none-match", etag));
        }
        headers
    }
}

/// A fetch in progress.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) id: FetchId,
    pub(super) started_at: UnixTime,
    /// When the latest request was sent.
    pub(super) sent_at: UnixTime,
    step: Step,
    /// The latest request.
    request: Request,
    /// Whether caches on the path must revalidate with the issuer.
    fresh: bool,
    condition: Option<Condition>,
}

/// The document that is only fetched again if it has changed.
#[derive(Clone, Debug)]
pub(super) struct Condition {
    pub(super) etag: Box<str>,
    pub(super) version: u64,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// The metadata of `OpenID` Connect.
    Metadata,
    /// The metadata of RFC 8414, after the first location answered 4xx.
    OtherMetadata,
    Document,
}

/// The next step after an answer.
pub(super) enum Next {
    /// Another request, and the location of the key set if the answer was metadata.
    Call(Fetch, Option<Discovered>),
    /// A valid document, and the form in which workers share it.
    Document {
        parsed: ParsedDocument,
        shared: Vec<u8>,
        freshness: Freshness,
    },
    /// The document with this version has not changed.
    Unchanged { version: u64, freshness: Freshness },
    /// The failure, and the location whose answer failed.
    Failed(FetchFailure, FetchPlace),
}

/// The age and the freshness lifetime of an answer, both in seconds.
#[derive(Clone, Copy)]
pub(super) struct Freshness {
    pub(super) age: u32,
    pub(super) max_age: Option<u32>,
}

/// The destination of a request.
#[derive(Clone, Debug)]
struct Request {
    cluster: Arc<str>,
    uri: FetchUri,
}

impl Fetch {
    /// Begins a fetch with its first request.
    pub(super) fn begin(
        source: &DocumentSource,
        record: &Record,
        (id, fresh): (FetchId, bool),
        condition: Option<Condition>,
        now: UnixTime,
    ) -> Self {
        let (step, request) = match &source.location {
            DocumentLocation::Uri(uri) => (Step::Document, source.request(uri.clone())),
            DocumentLocation::Discovery {
                metadata: [first, _],
                ..
            } => match source.known_location(record, now) {
                Some(request) => (Step::Document, request),
                None => (Step::Metadata, source.request(first.clone())),
            },
        };
        Self {
            id,
            started_at: now,
            sent_at: now,
            step,
            request,
            fresh,
            condition,
        }
    }

    /// The request to send.
    pub(super) fn call(&self, timeout: Duration) -> FetchCall {
        FetchCall {
            id: self.id,
            cluster: Arc::clone(&self.request.cluster),
            uri: self.request.uri.clone(),
            timeout,
            fresh: self.fresh,
            etag: self.condition.as_ref().map(|known| known.etag.clone()),
        }
    }

    /// Continues the fetch with another request.
    fn continue_with(&self, step: Step, request: Request, id: FetchId, now: UnixTime) -> Self {
        Self {
            id,
            started_at: self.started_at,
            sent_at: now,
            step,
            request,
            fresh: self.fresh,
            condition: None,
        }
    }

    /// The next step after the answer to the latest request.
    pub(super) fn answered(
        self,
        source: &DocumentSource,
        (head, body): (&AnswerHead, &dyn Fn() -> Option<Vec<u8>>),
        reader: Reader<'_>,
        next_id: FetchId,
        now: UnixTime,
    ) -> Next {
        if self.step == Step::Metadata
            && head.is_client_error()
            && let DocumentLocation::Discovery {
                metadata: [_, second],
                ..
            } = &source.location
        {
            let other = source.request(second.clone());
            let fetch = self.continue_with(Step::OtherMetadata, other, next_id, now);
            return Next::Call(fetch, None);
        }
        let freshness = Freshness {
            age: head.age,
            max_age: head.max_age,
        };
        if let Some(Condition { etag, version }) = &self.condition
            && head.confirms(etag)
        {
            return Next::Unchanged {
                version: *version,
                freshness,
            };
        }
        let next = reader.body(head, body).and_then(|body| match self.step {
            Step::Metadata | Step::OtherMetadata => {
                let Metadata { key_set, cluster } = source.metadata(&body)?;
                let discovered = Discovered {
                    at: now,
                    key_set_uri: key_set.to_string().into(),
                };
                let place = Request {
                    cluster: (*cluster).into(),
                    uri: key_set,
                };
                let fetch = self.continue_with(Step::Document, place, next_id, now);
                Ok(Next::Call(fetch, Some(discovered)))
            }
            Step::Document => {
                let (parsed, shared) = reader.read(head, body)?;
                Ok(Next::Document {
                    parsed,
                    shared,
                    freshness,
                })
            }
        });
        next.unwrap_or_else(|failure| Next::Failed(failure, self.request.place()))
    }
}

impl Request {
    /// The destination as it is shown in logs: without the query.
    fn place(&self) -> FetchPlace {
        FetchPlace {
            uri: Shown::new(&self.uri.without_query()),
            cluster: Arc::clone(&self.cluster),
        }
    }
}

impl DocumentSource {
    fn request(&self, uri: FetchUri) -> Request {
        Request {
            cluster: (&*self.cluster).into(),
            uri,
        }
    }

    fn issuer(&self) -> Option<Issuer<'_>> {
        match &self.location {
            DocumentLocation::Uri(_) => None,
            DocumentLocation::Discovery {
                issuer,
                metadata: [first, _],
                hosts,
            } => Some(Issuer {
                name: issuer,
                host: first.host(),
                cluster: &self.cluster,
                hosts,
            }),
        }
    }

    fn metadata(&self, body: &[u8]) -> Result<Metadata, FetchFailure> {
        let issuer = self.issuer().ok_or(FetchFailure::NotMetadata(None))?;
        Metadata::parse(body, issuer)
    }

    /// The key set location from metadata that are still valid. Other parties may be able
    /// to write to the shared data, so the location is checked again.
    fn known_location(&self, record: &Record, now: UnixTime) -> Option<Request> {
        let known = record.discovered.as_ref()?;
        if !RefreshPolicy::metadata_good(known.at, now) {
            return None;
        }
        let metadata = Metadata::at(&known.key_set_uri, self.issuer()?).ok()?;
        Some(Request {
            cluster: (&*metadata.cluster).into(),
            uri: metadata.key_set,
        })
    }
}
