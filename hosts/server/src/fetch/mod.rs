//! Requests to issuers, with TLS, and through the proxies that the environment names.

mod client;
mod connector;
mod environment;
mod stream;
#[cfg(test)]
mod tests;

pub use client::Client;
pub use environment::{proxies, trusted};
