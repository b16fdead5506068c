//! The core in a web page: bytes in, JSON out. It decides nothing itself.
//!
//! The page writes a call as JSON into the module's memory and gets an answer as JSON. `abi`
//! has the three functions for this, [`call::Call`] the calls. A call that traps leaves the module
//! unusable, and the page starts a new one: nothing is kept between calls but the last
//! document.

mod abi;
mod call;
mod complete;
mod outcome;
mod providers;
mod session;
#[cfg(test)]
mod tests;
