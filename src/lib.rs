//! JWT verification, scope and claim rules per route, and CORS, for Envoy and
//! Istio: what an API Gateway authorizer does, inside the proxy.
//!
//! The core takes bytes and the time and returns values; it knows no proxy,
//! clock, randomness or log. `filter` is the only module that names the host.

pub mod authz;
#[cfg(not(target_arch = "wasm32"))]
pub mod cases;
#[cfg(not(target_arch = "wasm32"))]
pub mod cli;
pub mod config;
pub mod cors;
pub mod crypto;
pub mod engine;
#[cfg(any(target_arch = "wasm32", test))]
mod filter;
pub mod http;
pub mod json;
pub mod jwk;
pub mod jwt;
pub mod keys;
pub mod policy;
pub mod rules;
pub mod telemetry;
pub mod time;
