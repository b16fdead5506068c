//! One request of the fake host, as the driver sees it.

use std::cell::RefCell;
use std::rc::Rc;

use super::super::{HeaderList, HostError, HttpExchange};
use super::world::{Call, Failure, Fields, Held, Phase, Reply, World};
use crate::cors::ResponseCors;
use crate::engine::StreamId;
use crate::http::{HeaderEdit, HeaderMap, LocalReply};
use crate::telemetry::FilterState;

#[derive(Debug)]
pub(super) struct Handle {
    pub(super) world: Rc<RefCell<World>>,
    pub(super) stream: StreamId,
}

impl Handle {
    /// Makes a call on the stream, unless the call fails.
    fn call<T>(&self, call: Call, act: impl FnOnce(&mut Held) -> T) -> Result<T, HostError> {
        let mut world = self.world.borrow_mut();
        world.check(call)?;
        let held = world.streams.get_mut(&self.stream);
        held.map(act).ok_or(HostError::NotFound)
    }

    fn acted(&self) {
        self.world.borrow_mut().acted.push(self.stream);
    }
}

/// The fields of a list, if they may be used in the current state.
fn fields(held: &mut Held, phase: Option<Phase>, list: HeaderList) -> &mut Fields {
    match list {
        HeaderList::Request => {
            assert!(
                held.forwarded.is_none(),
                "a request is read after it was forwarded"
            );
            &mut held.request
        }
        HeaderList::RequestTrailers => &mut held.trailers,
        HeaderList::Response => {
            assert_eq!(phase, Some(Phase::ResponseHeaders), "there is no response");
            &mut held.response
        }
    }
}

/// Changes fields as a host does.
pub(super) fn edit(fields: &mut Fields, edit: &HeaderEdit<'_>) {
    match edit {
        HeaderEdit::Remove(name) => fields.retain(|(present, _)| present != &**name),
        HeaderEdit::Set(name, value) => {
            fields.retain(|(present, _)| present != &**name);
            fields.push((name.to_vec(), value.to_vec()));
        }
        HeaderEdit::Add(name, value) => fields.push((name.to_vec(), value.to_vec())),
    }
}

impl HttpExchange for Handle {
    fn headers(&self, list: HeaderList) -> Result<HeaderMap, HostError> {
        let phase = self.world.borrow().phase;
        self.call(Call::Headers, |held| {
            let fields = fields(held, phase, list);
            HeaderMap::from_pairs(fields.iter().map(|(name, value)| (name, value)))
        })
    }

    fn edit(&self, list: HeaderList, change: &HeaderEdit<'_>) -> Result<(), HostError> {
        let call = match change {
            HeaderEdit::Remove(_) => Call::RemoveHeader,
            HeaderEdit::Set(..) => Call::SetHeader,
            HeaderEdit::Add(..) => Call::AddHeader,
        };
        let phase = self.world.borrow().phase;
        self.call(call, |held| edit(fields(held, phase, list), change))
    }

    fn resume(&self) -> Result<(), HostError> {
        self.call(Call::Resume, |held| {
            let is_over = held.reply.is_some() || held.reset;
            assert!(!is_over, "an answered request is not forwarded");
            assert!(held.forwarded.is_none(), "a request is forwarded once");
            held.forwarded = Some(held.request.clone());
            held.forwarded_trailers = held.trailers.clone();
        })?;
        self.acted();
        Ok(())
    }

    fn reply(&self, reply: &LocalReply, cors: Option<&ResponseCors>) -> Result<(), HostError> {
        let shows_replies = self.world.borrow().shows_replies;
        self.call(Call::Reply, |held| {
            assert!(
                (200..600).contains(&reply.status),
                "status {}",
                reply.status
            );
            let fields = reply.headers.iter();
            let mut headers: Fields = fields
                .map(|(name, value)| (name.as_bytes().into(), value.as_str().as_bytes().into()))
                .collect();
            if let (false, Some(cors)) = (shows_replies, cors) {
                let plain = headers.clone();
                let plain = plain.iter().map(|(name, value)| (&name[..], &value[..]));
                for change in cors.apply(plain, true) {
                    edit(&mut headers, &change);
                }
            }
            // The first of two replies counts, as in Envoy.
            held.reply.get_or_insert(Reply {
                status: reply.status,
                details: reply.details.to_owned(),
                headers,
            });
        })?;
        self.acted();
        Ok(())
    }

    fn reset(&self) -> Result<(), HostError> {
        self.call(Call::Reset, |held| held.reset = true)
    }

    fn set_filter_state(&self, entry: FilterState, value: &str) -> Result<(), HostError> {
        self.call(Call::FilterState, |held| {
            let name = entry.name().to_owned();
            held.filter_state.insert(name, value.to_owned());
        })
    }

    fn client_certificate_digest(&self) -> Result<Option<[u8; 32]>, HostError> {
        let mut world = self.world.borrow_mut();
        world.check(Call::Certificate)?;
        Ok(world.certificate)
    }
}

/// All ways in which a call can fail.
pub(super) fn failures(call: Call) -> Vec<Failure> {
    use crate::engine::NotSet;
    use crate::telemetry::NotSent;
    let errors = [
        HostError::NotFound,
        HostError::Changed,
        HostError::NoFunction,
        HostError::Refused(3),
        HostError::Malformed,
        HostError::NotAsked,
    ]
    .map(Failure::Error);
    let garbage = [Failure::Half, Failure::Noise, Failure::Nothing];
    match call {
        Call::Send => [NotSent::UnknownCluster, NotSent::NoHost, NotSent::Refused]
            .map(Failure::NotSent)
            .to_vec(),
        Call::SetShared => [NotSet::Changed, NotSet::Unavailable]
            .map(Failure::NotSet)
            .to_vec(),
        Call::GetShared | Call::AnswerBody => errors.into_iter().chain(garbage).collect(),
        _ => errors.to_vec(),
    }
}
