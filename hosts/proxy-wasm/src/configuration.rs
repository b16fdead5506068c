//! A configuration, from the host's bytes to the policy. Memory is checked before each
//! step that needs much of it: if `on_configure` runs out of memory, the listener serves
//! requests without the filter.

use sha2::{Digest, Sha256};

use super::document::{self, NoText};
use super::host::{self, Buffer};
use super::listeners;
use super::memory::{self, Need};
use edge_authz::config::{self, ConfigErrors};
use edge_authz::memory::{Budget, SERVING};
use edge_authz::policy::Policy;

/// The maximum size of the precomputed tables of all keys in a VM: 32 MiB. They use the
/// same memory as the configurations of all listeners.
static TABLES: Budget = Budget::new(32 * 1024 * 1024);

/// The memory that remains free while a configuration is read, in bytes. It suffices for
/// refusing requests.
const REFUSING: usize = 4 * 1024 * 1024;

/// A configuration that was parsed but not compiled.
#[derive(Debug)]
pub(super) struct Configuration {
    text: Vec<u8>,
    /// The SHA-256 of the text.
    digest: [u8; 32],
}

/// Why a configuration was not read.
#[derive(Debug)]
pub(super) enum Unread {
    /// The host failed.
    Host,
    /// The configuration is invalid.
    Bad(ConfigErrors),
    /// Memory is insufficient.
    NoMemory,
}

impl Configuration {
    /// Reads the host's configuration, which has this size in bytes.
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

    /// The size of the text, in bytes.
    pub(super) fn size(&self) -> usize {
        self.text.len()
    }

    /// The memory that compiling needs and keeps, plus the memory for serving requests
    /// afterwards.
    pub(super) fn need(&self) -> Need {
        config::memory_needed(&self.text).and(SERVING)
    }

    /// Compiles the configuration. The caller must check that there is room for [what it
    /// needs](Self::need).
    pub(super) fn compile(&self) -> Result<Policy, ConfigErrors> {
        config::compile_within(&self.text, &TABLES)
    }

    /// Whether it is small enough to be kept for later.
    pub(super) fn is_kept_easily() -> bool {
        memory::is_available(Need::block(REFUSING))
    }
}
