//! `libedge_authz.so`: the edge-authz filter for Envoy, as a native dynamic module.
//!
//! * `abi` is Envoy's C interface, and `hooks` is what Envoy calls;
//! * `port` is one request of Envoy's behind the core's port;
//! * `listener` is one configuration, with the keys of all threads;
//! * `worker` is one configuration in one of Envoy's threads, with the requests that
//!   wait there, and `request` is one request;
//! * `ticker` is the one thread of this module's own: it makes time pass.

mod abi;
mod clock;
mod hooks;
mod keeper;
mod listener;
mod lock;
mod metrics;
mod port;
mod request;
mod shared;
mod signatures;
mod sink;
mod ticker;
mod worker;
