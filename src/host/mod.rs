//! Between the engine and a proxy: what a host must offer, and what is done
//! with what the engine decides.
//!
//! A host implements [`Reporting`], [`Host`] and, for one request, [`HttpExchange`]. The parts
//! above these decide nothing about a request. What they do decide is what
//! becomes of one when the host fails: it stays where it is, or is answered
//! 503. A request goes on in one place only, in [`Stream::apply`], after every
//! change of it has succeeded.
//!
//! The parts are separate, because hosts differ in who asks the engine:
//!
//! * [`Stream`] is one request from its headers to its end;
//! * [`Settler`] does what was decided about a stream, and tells of it; it
//!   handles trailers and the headers of responses;
//! * [`Report`] gathers metrics and writes log lines;
//! * [`Room`] and [`Ticks`] bound and time what one callback does;
//! * [`Driver`] is all of it around one [`Engine`](crate::engine::Engine), for
//!   a host that runs on one thread, such as a Wasm VM.
//!
//! A host with threads has one key service for the process and a judge for each
//! thread. It takes a [`Settler`] for each thread, which needs no more of it than
//! [`Reporting`], and asks them itself.

mod driver;
mod fallback;
mod fetches;
mod port;
mod report;
mod room;
mod settler;
mod stream;
#[cfg(test)]
mod tests;
mod ticks;
mod waiting;

pub use driver::Driver;
pub use fallback::Fallback;
pub use port::{HeaderList, Host, HostError, HttpExchange, Reporting};
pub use report::Report;
pub use room::{MAX_ANSWERS, Room};
pub use settler::Settler;
pub use stream::{At, Passage, State, Stream};
pub use ticks::Ticks;
