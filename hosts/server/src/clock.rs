//! The clock of the system, as all decisions and keys see it.

pub(crate) use edge_authz_native::clock::now;
