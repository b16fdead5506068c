//! The interface between the engine and a proxy: what a host must offer, and how the
//! engine's decisions are applied.
//!
//! A host implements [`Reporting`], [`Host`] and, for one request, [`HttpExchange`]. The
//! parts built on them decide nothing about a request while the host works. They decide
//! what happens if the host fails: the request stays paused or is answered 503. A request
//! continues in one place only, in [`Stream::apply`], after every change to it has
//! succeeded.
//!
//! The parts are separate, because hosts differ in what calls the engine:
//!
//! * [`Stream`] is one request from its headers to its end;
//! * [`Settler`] applies the decision about a stream and reports it; it handles trailers
//!   and the headers of responses;
//! * [`Report`] gathers metrics and writes log lines;
//! * [`Room`] and [`Ticks`] limit and schedule the work of one callback;
//! * [`Fetches`] maps the host's ids of requests to issuers;
//! * [`Driver`] combines all of them around one [`Engine`](crate::engine::Engine), for a
//!   host that runs on one thread, such as a Wasm VM.
//!
//! A host with threads has one key service for the process and a judge for each thread.
//! It uses one [`Settler`] for each thread, which needs only [`Reporting`], and calls the
//! key service and the judges itself.

mod active_policies;
mod certificate;
mod driver;
mod fallback;
mod fetches;
mod port;
mod report;
mod room;
mod seed;
mod settler;
mod stream;
#[cfg(test)]
mod tests;
mod ticks;
mod waiting;

pub use certificate::{Peer, certificate_digest};
pub use driver::Driver;
pub use fallback::Fallback;
pub use fetches::Fetches;
pub use port::{HeaderList, Host, HostError, HttpExchange, Reporting};
pub use report::Report;
pub use room::{MAX_ANSWERS, Room};
pub use seed::seed;
pub use settler::Settler;
pub use stream::{At, Passage, State, Stream};
pub use ticks::Ticks;
