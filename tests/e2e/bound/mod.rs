//! Tokens that only their holder may present: bound to the certificate of a connection
//! with mutual TLS, and bound to a key.

mod certificate;
mod client;
mod flood;
mod nonces;
