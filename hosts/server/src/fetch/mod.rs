//! Requests to issuers, with TLS, and through the proxies that the environment names.

mod client;
mod connector;
mod environment;
mod stream;

pub use client::Client;
pub use environment::{proxies, trusted};
