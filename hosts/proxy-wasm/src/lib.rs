//! The proxy-wasm adapter: gathers what a callback brings, hands it to the
//! engine, and applies the effects that come back.
//!
//! It decides nothing about a request, and leaves what becomes of one when the
//! host fails to the core's driver ([`edge_authz::host`]): here are the ABI, the
//! host's callbacks and the configuration on its way in.
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

// No log level is set: that would install a hook that hands the text of a
// panic to the log at once with the host call that may have caused it.
// Without it, the standard library writes the same text to standard error,
// which Envoy logs.
mod entry {
    use super::root::Root;

    proxy_wasm::main! {{
        proxy_wasm::set_root_context(|id| Box::new(Root::new(id)));
    }}
}
