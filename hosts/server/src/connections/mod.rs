//! Connections of proxies: accepts them, gives each to a thread, and serves it there.

mod acceptor;
mod head;
mod limits;
mod peers;
mod requests;
mod serve;
mod version;

pub use acceptor::{Accepted, Acceptor, Threads};
pub(crate) use head::without_body;
pub use limits::Limits;
pub use peers::Peers;
pub use serve::{Connection, Connections, FrontEnd};
