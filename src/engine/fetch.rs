//! One fetch of a key set, from the lease to the outcome: up to three
//! requests, one after the other.

use std::rc::Rc;
use std::time::Duration;

use crate::jwk::{KeySet, KeySetError, ParsedKeySet, Source as KeyOrigin};
use crate::keys::answer::{AnswerHead, Ending};
use crate::keys::{Discovered, Issuer, Machine, Metadata, Record};
use crate::policy::{FetchUri, KeyLocation, KeySource};
use crate::telemetry::FetchFailure;
use crate::time::UnixTime;

/// Names a request to an issuer until it is answered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct FetchId(pub u64);

/// A GET to be sent to a cluster.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchCall {
    /// Names it in [`super::Engine::fetched`].
    pub id: FetchId,
    /// The cluster.
    pub cluster: Rc<str>,
    /// What to ask there.
    pub uri: FetchUri,
    /// The longest it may take.
    pub timeout: Duration,
}

/// A fetch that is under way.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    pub(super) id: FetchId,
    pub(super) started_at: UnixTime,
    /// When its last request was sent.
    pub(super) asked_at: UnixTime,
    step: Step,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Step {
    /// `OpenID` Connect's metadata.
    Metadata,
    /// RFC 8414's, since the first place answered 404.
    OtherMetadata,
    KeySet,
}

/// What follows an answer.
pub(super) enum Next {
    /// Another request, and where the key set was found meanwhile.
    Call(Fetch, Request, Option<Discovered>),
    /// A good set, with its bytes and for how long the answer said it is fresh.
    Taken {
        set: ParsedKeySet,
        body: Vec<u8>,
        max_age: Option<u32>,
    },
    Failed(FetchFailure),
}

/// Where a request goes.
pub(super) struct Request {
    pub(super) cluster: Rc<str>,
    pub(super) uri: FetchUri,
}

impl Fetch {
    /// The first request of a fetch.
    pub(super) fn begin(
        source: &KeySource,
        record: &Record,
        id: FetchId,
        now: UnixTime,
    ) -> (Self, Request) {
        let (step, request) = match &source.location {
            KeyLocation::Uri(uri) => (Step::KeySet, source.request(uri.clone())),
            KeyLocation::Discovery {
                metadata: [first, _],
                ..
            } => match source.known_place(record, now) {
                Some(request) => (Step::KeySet, request),
                None => (Step::Metadata, source.request(first.clone())),
            },
        };
        (
            Self {
                id,
                started_at: now,
                asked_at: now,
                step,
            },
            request,
        )
    }

    /// What follows the answer to the last request.
    pub(super) fn answered(
        self,
        source: &KeySource,
        head: &AnswerHead,
        body: &dyn Fn() -> Option<Vec<u8>>,
        next_id: FetchId,
        now: UnixTime,
    ) -> Next {
        if self.step == Step::Metadata
            && head.ending == Ending::Status(404)
            && let KeyLocation::Discovery {
                metadata: [_, second],
                ..
            } = &source.location
        {
            let fetch = Self {
                id: next_id,
                asked_at: now,
                step: Step::OtherMetadata,
                ..self
            };
            return Next::Call(fetch, source.request(second.clone()), None);
        }
        let body = match head
            .judge()
            .and_then(|()| body().ok_or(FetchFailure::NoAnswer))
        {
            Ok(body) => body,
            Err(failure) => return Next::Failed(failure),
        };
        match self.step {
            Step::Metadata | Step::OtherMetadata => match source.metadata(&body) {
                Ok(metadata) => {
                    let key_set_uri = metadata.key_set.to_string().into();
                    let fetch = Self {
                        id: next_id,
                        asked_at: now,
                        step: Step::KeySet,
                        ..self
                    };
                    let request = Request {
                        cluster: (&*metadata.cluster).into(),
                        uri: metadata.key_set,
                    };
                    Next::Call(
                        fetch,
                        request,
                        Some(Discovered {
                            at: now,
                            key_set_uri,
                        }),
                    )
                }
                Err(failure) => Next::Failed(failure),
            },
            Step::KeySet => match KeySet::parse(&body, KeyOrigin::Fetched) {
                Ok(set) => Next::Taken {
                    set,
                    body,
                    max_age: head.max_age,
                },
                Err(KeySetError::NoUsableKey { .. }) => Next::Failed(FetchFailure::NoUsableKey),
                Err(_) => Next::Failed(FetchFailure::NotAKeySet),
            },
        }
    }
}

impl KeySource {
    fn request(&self, uri: FetchUri) -> Request {
        Request {
            cluster: (&*self.cluster).into(),
            uri,
        }
    }

    fn issuer(&self) -> Option<Issuer<'_>> {
        match &self.location {
            KeyLocation::Uri(_) => None,
            KeyLocation::Discovery {
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
        let issuer = self.issuer().ok_or(FetchFailure::NotMetadata)?;
        Metadata::parse(body, issuer)
    }

    /// Where metadata that are still good said that the key set is. Others may
    /// write to the shared data, so the place is checked again.
    fn known_place(&self, record: &Record, now: UnixTime) -> Option<Request> {
        let known = record.discovered.as_ref()?;
        if !Machine::metadata_good(known.at, now) {
            return None;
        }
        let metadata = Metadata::at(&known.key_set_uri, self.issuer()?).ok()?;
        Some(Request {
            cluster: (&*metadata.cluster).into(),
            uri: metadata.key_set,
        })
    }
}
