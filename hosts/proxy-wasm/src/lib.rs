//! The proxy-wasm adapter: gathers what a callback brings, hands it to the
//! engine, and applies the effects that come back.
//!
//! It decides nothing about a request. What it does decide is what becomes of
//! one when the host fails: it stays where it is, or is answered 503. A request
//! goes on in one place only, [`stream::Stream::apply`], after every change of
//! it has succeeded.
//!
//! All state belongs to one root context, which is one configuration of one
//! listener. Two configurations in one module share nothing.

mod configuration;
mod deny;
mod document;
mod fetches;
mod host;
mod listener;
mod listeners;
mod memory;
mod pending;
mod report;
mod request;
mod room;
mod root;
mod stream;
#[cfg(test)]
mod tests;
mod ticks;

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
