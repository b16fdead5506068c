//! `libedge_authz.so`: the edge-authz filter for Envoy, as a native dynamic module.
//!
//! * `abi` is Envoy's C interface, and `hooks` contains the hooks that Envoy calls;
//! * `port` implements the core's port for one request;
//! * `document` is one active document, with the keys for all threads;
//! * `listener` is one configuration: its document, and the documents of Envoy's routes
//!   that narrow it. `routes` contains the configurations of Envoy's routes;
//! * `worker` is one document in one of Envoy's threads, with the requests that wait
//!   there. `request` is one request, and `narrowed` is a request that a route's document
//!   judges too;
//! * `ticker` is the only thread of this module: it requests the ticks.
//!
//! `tests/trapdoor` compiles these sources with two modules that panic on demand.

mod abi;
mod alarm;
#[cfg_attr(trapdoor, path = "../../../tests/trapdoor/src/clock.rs")]
mod clock;
mod document;
mod hooks;
mod listener;
mod metrics;
mod narrowed;
mod port;
#[cfg_attr(trapdoor, path = "../../../tests/trapdoor/src/request.rs")]
mod request;
mod routes;
mod series;
mod sink;
#[cfg(test)]
mod tests;
mod ticker;
mod waiting;
mod worker;
