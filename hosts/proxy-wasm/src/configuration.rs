//! A configuration on its way from the host to its policy. Memory is asked for
//! before each step that takes much: what runs out of it in `on_configure`
//! would serve without the filter.

use sha2::{Digest, Sha256};

use super::document::{self, NoText};
use super::host::{self, Buffer};
use super::listeners;
use super::memory::{self, Need};
use edge_authz::config::{self, ConfigErrors};
use edge_authz::memory::SERVING;
use edge_authz::policy::Policy;

/// What stays free while a configuration is read, in bytes: enough to refuse
/// requests with.
const REFUSING: usize = 4 * 1024 * 1024;

/// A configuration that was read and not judged.
#[derive(Debug)]
pub(super) struct Configuration {
    text: Vec<u8>,
    /// Of the text: its SHA-256.
    digest: [u8; 32],
}

/// Why a configuration was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The host failed.
    Host,
    /// It is one that no memory makes good.
    Bad(ConfigErrors),
    /// There is no memory for it.
    NoMemory,
}

impl Configuration {
    /// Reads what the host has, which is so many bytes.
    pub(super) fn read(size: usize) -> Result<Self, Unread> {
        if size > document::MAX_BINARY {
            return Err(Unread::Bad(ConfigErrors::too_large()));
        }
        let order = document::order_of(size);
        let need = Need::block(size).and(order).and(REFUSING);
        if !listeners::make_room(need) {
            return Err(Unread::NoMemory);
        }
        let bytes = host::buffer(Buffer::Configuration, size).map_err(|_| Unread::Host)?;
        let text = match document::json(bytes) {
            Ok(text) => text,
            Err(NoText::TooLarge) => return Err(Unread::Bad(ConfigErrors::too_large())),
            Err(NoText::NoMemory) => return Err(Unread::NoMemory),
        };
        let digest = Sha256::digest(&text).into();
        Ok(Self { text, digest })
    }

    pub(super) const fn digest(&self) -> [u8; 32] {
        self.digest
    }

    /// In bytes.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// What compiling it takes and keeps, and what serving requests takes then.
    pub(super) fn need(&self) -> Need {
        config::memory_needed(&self.text).and(SERVING)
    }

    /// Compiles it. To be asked where there is room for [what it
    /// needs](Self::need).
    pub(super) fn compile(&self) -> Result<Policy, ConfigErrors> {
        config::compile(&self.text)
    }

    /// Whether it can be kept for later without harm.
    pub(super) fn is_kept_easily() -> bool {
        memory::is_there(Need::block(REFUSING))
    }
}
