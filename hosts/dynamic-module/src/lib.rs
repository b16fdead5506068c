//! `libedge_authz.so`: the edge-authz filter for Envoy, as a native dynamic module.
//!
//! * `abi` is Envoy's C interface, and `hooks` contains the hooks that Envoy calls;
//! * `port` implements the core's port for one request;
//! * `listener` is one configuration, with the keys for all threads;
//! * `worker` is one configuration in one of Envoy's threads, with the requests that wait
//!   there, and `request` is one request;
//! * `ticker` is the only thread of this module: it requests the ticks.

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
