//! The key-value data that the workers of a proxy share.

use super::{HostError, abi, check, returned};
use edge_authz::engine::{NotSet, SharedData, Unavailable};

/// The host's shared data.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SharedEntries;

impl SharedData for SharedEntries {
    fn get(&self, key: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        let mut last_change: u32 = 0;
        let cas = &raw mut last_change;
        // SAFETY: the host reads the key and writes one number where
        // `last_change` is, during the call; the other pointers are
        // `returned`'s.
        let value = returned(|data, size| unsafe {
            abi::proxy_get_shared_data(key.as_ptr(), key.len(), data, size, cas)
        });
        match value {
            // 0 is not a valid change number: passed back, it would overwrite any change
            // that another worker has made meanwhile.
            Ok(_) if last_change == 0 => Err(Unavailable),
            Ok(value) => Ok(Some((value, last_change))),
            Err(HostError::NotFound) => Ok(None),
            Err(_) => Err(Unavailable),
        }
    }

    fn set(&self, key: &str, value: &[u8], last_change: Option<u32>) -> Result<(), NotSet> {
        // SAFETY: the host reads key and value during the call.
        let set = check(unsafe {
            abi::proxy_set_shared_data(
                key.as_ptr(),
                key.len(),
                value.as_ptr(),
                value.len(),
                last_change.unwrap_or(0),
            )
        });
        match set {
            Ok(()) => Ok(()),
            Err(HostError::Changed) => Err(NotSet::Changed),
            Err(_) => Err(NotSet::Unavailable),
        }
    }
}
