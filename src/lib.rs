//! JWT verification, scope and claim rules per route, and CORS: the functions of an API
//! Gateway authorizer, as a library.
//!
//! The core takes bytes and the time and returns values. It knows no proxy, clock,
//! randomness or log. The crates under `hosts/` embed it in proxies, and `cli` is a
//! command.

pub mod authz;
pub mod bytes;
pub mod config;
pub mod cors;
pub mod crypto;
pub mod dpop;
pub mod engine;
pub mod host;
pub mod http;
pub mod json;
pub mod jwk;
pub mod jws;
pub mod jwt;
pub mod keys;
pub mod memory;
pub mod order;
pub mod policy;
pub mod revocation;
pub mod rules;
pub mod telemetry;
pub mod time;
