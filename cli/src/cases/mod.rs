//! Case files: a configuration, and a table of requests with what must become
//! of them. `docs/case-files.md` describes the format.
//!
//! 1. `file`, `expand`: YAML to a flat list of cases, each in its world.
//! 2. `key`, `token`: the keys and tokens that a file names, made at run time.
//! 3. `player`: a request played on the core, with a clock and issuers that
//!    the file makes up; what client and upstream see comes out.
//! 4. `expect`: what came out against what the case expects.
//!
//! Native only: it signs tokens, and nothing of it belongs into the module.
//! It opens no socket and reads no file; the tests play the same cases in a
//! real proxy, and compare.

mod answers;
mod error;
mod expand;
mod expect;
mod file;
mod key;
mod outcome;
mod player;
mod request;
mod signature;
#[cfg(test)]
mod tests;
mod text;
mod token;
mod token_parts;
mod world;

pub use answers::FetchAnswer;
pub use error::{CaseError, Problem};
pub use expect::{Difference, Expectation, ExpectedFields, ExpectedLines, UpstreamExpectation};
pub use file::CaseFile;
pub use outcome::{Fields, Outcome, Seen};
pub use player::Player;
pub use request::{Protocol, Request, UpstreamAnswer};
pub use world::{Case, Side, World};

/// The time at which cases are played where a file names none:
/// 2026-01-01T00:00:00Z, in seconds since 1970.
pub const DEFAULT_NOW: i64 = 1_767_225_600;
