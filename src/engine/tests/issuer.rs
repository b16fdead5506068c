//! Issuers whose behaviour the tests control.

use std::cell::{Cell, RefCell};

use super::signer::{KeyId, SIGNER};
use crate::keys::answer::{AnswerHead, Ending, MAX_METADATA_BYTES};
use crate::policy::FetchUri;
use crate::telemetry::NotSent;

/// How an issuer answers on all paths.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Mode {
    Good,
    Status(u16),
    Html,
    Empty,
    Oversize,
    Encoded,
    NoAnswer,
    NotSent,
    /// No answer until the timeout.
    Silent,
}

pub(super) const MODES: [Mode; 11] = [
    Mode::Good,
    Mode::Status(500),
    Mode::Status(404),
    Mode::Status(302),
    Mode::Html,
    Mode::Empty,
    Mode::Oversize,
    Mode::Encoded,
    Mode::NoAnswer,
    Mode::NotSent,
    Mode::Silent,
];

/// An issuer, and what it publishes now.
pub(super) struct Issuer {
    pub(super) name: &'static str,
    pub(super) keys: RefCell<Vec<KeyId>>,
    pub(super) mode: Cell<Mode>,
    pub(super) max_age: Cell<Option<u32>>,
    /// The `Age` of its answers, in seconds.
    pub(super) age: Cell<u32>,
    /// Whether each body begins with a byte order mark.
    pub(super) marked: Cell<bool>,
    /// The status for a path where nothing exists.
    pub(super) nothing_there: Cell<u16>,
    /// The path of the metadata. No other metadata path exists.
    pub(super) metadata_at: Cell<&'static str>,
    pub(super) metadata: RefCell<String>,
    /// The path of the key set.
    pub(super) keys_at: Cell<&'static str>,
}

/// An answer, and the key set in it.
#[derive(Clone, Debug)]
pub(super) struct Published {
    pub(super) head: AnswerHead,
    pub(super) body: Vec<u8>,
    pub(super) set: Option<Vec<KeyId>>,
    pub(super) max_age: Option<u32>,
}

pub(super) const OPENID: &str = "/.well-known/openid-configuration";
pub(super) const OAUTH: &str = "/.well-known/oauth-authorization-server";

impl Published {
    pub(super) fn ending(ending: Ending) -> Self {
        Self {
            head: AnswerHead {
                ending,
                ..AnswerHead::default()
            },
            body: Vec::new(),
            set: None,
            max_age: None,
        }
    }

    fn body(body: Vec<u8>) -> Self {
        let published = Self::ending(Ending::Status(200));
        Self {
            head: AnswerHead {
                body_size: body.len(),
                ..published.head
            },
            body,
            ..published
        }
    }
}

impl Issuer {
    pub(super) fn new(name: &'static str) -> Self {
        Self {
            name,
            keys: RefCell::new(vec![KeyId(0), KeyId(1)]),
            mode: Cell::new(Mode::Good),
            max_age: Cell::new(None),
            age: Cell::new(0),
            marked: Cell::new(false),
            nothing_there: Cell::new(404),
            metadata_at: Cell::new(OPENID),
            metadata: RefCell::new(format!(r#"{{"issuer":"{name}","jwks_uri":"{name}/keys"}}"#)),
            keys_at: Cell::new("/keys"),
        }
    }

    pub(super) fn publish(&self, keys: &[usize]) {
        *self.keys.borrow_mut() = keys.iter().map(|key| KeyId(*key)).collect();
    }

    pub(super) fn answer(&self, uri: &FetchUri) -> Published {
        let published = self.unmarked(uri);
        if !self.marked.get() {
            return published;
        }
        let body = [b"\xef\xbb\xbf", &*published.body].concat();
        Published { body, ..published }
    }

    fn unmarked(&self, uri: &FetchUri) -> Published {
        match self.mode.get() {
            Mode::Good => {}
            Mode::Status(status) => return Published::ending(Ending::Status(status)),
            Mode::Html => return Published::body(b"<html>come back later</html>".to_vec()),
            Mode::Empty => return Published::body(br#"{"keys":[]}"#.to_vec()),
            Mode::Oversize => {
                let mut published = Published::body(self.key_set());
                published.head.body_size = MAX_METADATA_BYTES + 1;
                return published;
            }
            Mode::Encoded => {
                let mut published = Published::body(self.key_set());
                published.head.encoded = true;
                return published;
            }
            Mode::NoAnswer => return Published::ending(Ending::NoAnswer),
            Mode::NotSent => return Published::ending(Ending::NotSent(NotSent::NoHost)),
            Mode::Silent => return Published::ending(Ending::Status(504)),
        }
        let path = uri.path();
        if path == self.keys_at.get() {
            let mut published = Published::body(self.key_set());
            if let Some(max_age) = self.max_age.get() {
                published.head.max_age = Some(max_age);
                published.max_age = Some(max_age);
            }
            published.head.age = self.age.get();
            published.set = Some(self.keys.borrow().clone());
            published
        } else if path == self.metadata_at.get() {
            Published::body(self.metadata.borrow().clone().into_bytes())
        } else {
            Published::ending(Ending::Status(self.nothing_there.get()))
        }
    }

    fn key_set(&self) -> Vec<u8> {
        SIGNER.with(|signer| signer.key_set(&self.keys.borrow()))
    }
}
