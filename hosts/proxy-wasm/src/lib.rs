//! The proxy-wasm adapter: it collects the input of a callback, passes it to the engine,
//! and applies the effects that the engine returns.
//!
//! It decides nothing about a request. The core's driver ([`edge_authz::host`]) decides
//! what happens if the host fails. This crate has the ABI, the host's callbacks and the
//! reading of the configuration.
//!
//! All state belongs to one root context, which is one configuration of one
//! listener. Two configurations in one module share nothing.

mod configuration;
mod deny;
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

// No log level is set: that would install a panic hook that logs the text of a panic at
// once by a host call, which may be the call that caused the panic. Without it, the
// standard library writes the same text to standard error, which Envoy logs.
mod entry {
    use super::root::Root;

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|id| Box::new(Root::new(id)));
    }}
}
