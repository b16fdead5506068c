//! The configuration: from JSON to the compiled [`Policy`], or to everything
//! that is wrong with it.
//!
//! 1. `document`: bytes to a tree of values. Faults of the text itself end it.
//! 2. `written`: the tree to its written form. Members, types, lists and
//!    ranges are judged here, by the readers of `reader`.
//! 3. `compile`: the written form to the policy. Patterns, origins, keys and
//!    names get their meaning, and contradictions are refused.
//!
//! Both later steps go on after an error, so that a person sees all of them at
//! once, each with its path. The order of members never has a meaning, as
//! proxies keep none. Nothing is repaired, clamped or ignored: what is not
//! understood could have been a rule.
//!
//! The module reads JSON only; YAML is made JSON before it comes here. It is
//! not needed once there is a policy, and it fetches nothing.

mod compile;
mod document;
mod duration;
mod error;
mod memory;
mod path;
mod problem;
mod reader;
mod suggest;
#[cfg(test)]
mod tests;
mod value;
mod written;

pub use error::{ConfigError, ConfigErrors, ErrorPosition, MAX_ERRORS};
pub use memory::memory_needed;
pub use path::{ConfigPath, PathStep};
pub use problem::{
    ClaimProblem, DocumentProblem, Excerpt, HeaderProblem, Kind, Problem, ProviderProblem,
    Reserved, RouteProblem, ShapeProblem, ValueProblem, Wanted,
};

use error::Sink;
use reader::Node;

use crate::policy::{Policy, ProviderKeys};

/// The largest configuration, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// How deep objects and lists may nest.
pub const MAX_DEPTH: usize = 32;

/// The most providers.
pub const MAX_PROVIDERS: usize = 1_000;

/// The most routes.
pub const MAX_ROUTES: usize = 50_000;

/// The most that `token_cache.max_tokens` may be.
pub const MAX_REMEMBERED_TOKENS: usize = 1_000_000;

/// Compiles a configuration, which is one JSON text.
///
/// # Errors
///
/// Everything that is wrong with it, up to [`MAX_ERRORS`]; of a text that is
/// no document, the first fault.
pub fn compile(bytes: &[u8]) -> Result<Policy, ConfigErrors> {
    let tree = document::parse(bytes)?;
    let mut sink = Sink::default();
    let policy = written::document(&Node::root(&tree), &mut sink)
        .and_then(|document| compile::compile(document, &mut sink));
    match (sink.finish(), policy) {
        (Ok(()), Some(policy)) => {
            make_inline_keys_fast(&policy);
            Ok(policy)
        }
        (Err(errors), _) => Err(errors),
        // Nothing is left out without being reported; were it, this refuses.
        (Ok(()), None) => Err(ConfigErrors::of_whole(DocumentProblem::Incomplete)),
    }
}

/// Makes tables for them, where there is memory. Not while there is more to
/// compile: tables leave no more free than serving requests takes.
fn make_inline_keys_fast(policy: &Policy) {
    for (_, provider) in policy.providers.iter() {
        if let ProviderKeys::Inline(set) = &provider.keys {
            set.prepare();
        }
    }
}
