//! The proxy-wasm adapter: it collects the input of a callback, passes it to the engine,
//! and applies the effects that the engine returns.
//!
//! It decides nothing about a request. The core's driver ([`edge_authz::host`]) decides
//! what happens if the host fails. This crate has the ABI, the host's callbacks and the
//! reading of the configuration.
//!
//! All state belongs to one root context, which is one configuration of one
//! listener. Two configurations in one module share nothing.

mod callbacks;
mod configuration;
mod contexts;
mod document;
mod host;
mod listeners;
mod memory;
mod pending;
mod port;
mod request;
mod root;
#[cfg(test)]
mod tests;
