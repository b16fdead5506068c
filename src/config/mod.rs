//! The configuration: compiles JSON to the [`Policy`], or reports everything
//! that is wrong with it.
//!
//! 1. `document` parses bytes to a tree of values. It stops at an error of the
//!    text itself.
//! 2. `written` reads the tree to its written form. It checks members, types,
//!    lists and ranges with the readers of `reader`.
//! 3. `compile` compiles the written form to the policy. It interprets patterns,
//!    origins, keys and names, and refuses contradictions.
//!
//! Both later steps continue after an error, so that a person sees all errors at
//! once, each with its path. The order of members never has a meaning, as
//! proxies do not keep it. Nothing is repaired, clamped or ignored: an unknown
//! member could be a rule.
//!
//! The module reads JSON only; callers convert YAML to JSON. It is not used
//! after the policy is compiled, and it fetches nothing.

mod compile;
mod document;
mod duration;
mod error;
mod memory;
mod narrowing;
mod path;
mod problem;
mod reader;
mod suggest;
#[cfg(test)]
mod tests;
mod value;
mod written;

pub use error::{ConfigError, ConfigErrors, ErrorPosition, Fetching, MAX_ERRORS};
pub use memory::memory_needed;
pub use narrowing::{compile_narrowing, denied};
pub use path::{ConfigPath, PathStep};
pub use problem::{
    ClaimProblem, DocumentProblem, Excerpt, HeaderProblem, Kind, Problem, ProblemCode,
    ProviderProblem, Reserved, ResourceProblem, RouteProblem, ShapeProblem, ValueProblem, Wanted,
};
pub use suggest::nearest;

use crate::crypto::DEFAULT_TABLE_BUDGET;
use crate::memory::Budget;
use error::Sink;
use reader::Node;
use value::Value;

use crate::policy::{Policy, ProviderKeys};

/// The largest configuration, in bytes.
pub const MAX_BYTES: usize = 8 * 1024 * 1024;

/// The maximum nesting of objects and lists.
pub const MAX_DEPTH: usize = 32;

/// The most providers.
pub const MAX_PROVIDERS: usize = 1_000;

/// The most protected resources.
pub const MAX_RESOURCES: usize = 1_000;

/// The most bytes of the metadata of all protected resources together.
pub const MAX_METADATA: usize = 4 * 1024 * 1024;

/// The most routes.
pub const MAX_ROUTES: usize = 50_000;

/// The maximum of `token_cache.max_tokens`.
pub const MAX_CACHED_TOKENS: usize = 1_000_000;

/// Compiles a configuration, which is one JSON text.
///
/// # Errors
///
/// Everything that is wrong with it, up to [`MAX_ERRORS`]. For a text that is
/// not a document, only the first error.
pub fn compile(bytes: &[u8]) -> Result<Policy, ConfigErrors> {
    compile_within(bytes, &DEFAULT_TABLE_BUDGET)
}

/// The same, for a host that has its own budget for the precomputed tables of the
/// policy's keys, inline and fetched.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_within(bytes: &[u8], table_budget: &'static Budget) -> Result<Policy, ConfigErrors> {
    compile_tree(&document::parse(bytes)?, Fetching::Clusters, table_budget)
}

/// The same, for a host that sends requests to issuers in this way.
///
/// # Errors
///
/// As [`compile`].
pub fn compile_for(bytes: &[u8], fetching: Fetching) -> Result<Policy, ConfigErrors> {
    compile_tree(&document::parse(bytes)?, fetching, &DEFAULT_TABLE_BUDGET)
}

/// The same, for tools that do not depend on the host: it may fetch in any way.
///
/// # Errors
///
/// As [`compile`], if no host accepts the text.
pub fn compile_for_any_host(bytes: &[u8]) -> Result<Policy, ConfigErrors> {
    let direct = || compile_for(bytes, Fetching::Direct);
    compile(bytes).or_else(|errors| direct().map_err(|_| errors))
}

fn compile_tree(
    tree: &Value<'_>,
    fetching: Fetching,
    table_budget: &'static Budget,
) -> Result<Policy, ConfigErrors> {
    let mut sink = Sink::with(fetching);
    let policy = written::document(&Node::root(tree), &mut sink)
        .and_then(|document| compile::compile(document, &mut sink))
        .map(|policy| Policy {
            table_budget,
            ..policy
        });
    match (sink.finish(), policy) {
        (Ok(()), Some(policy)) => {
            precompute_inline_key_tables(&policy);
            Ok(policy)
        }
        (Err(errors), _) => Err(errors),
        // Every omission must be reported. If one was not, the configuration is
        // refused.
        (Ok(()), None) => Err(ConfigErrors::of_whole(DocumentProblem::Incomplete)),
    }
}

/// Precomputes tables for inline keys if memory suffices. It must come last:
/// tables leave only the memory that serving requests takes.
fn precompute_inline_key_tables(policy: &Policy) {
    for (_, provider) in policy.providers.iter() {
        if let ProviderKeys::Inline(set) = &provider.keys {
            set.prepare(policy.table_budget);
        }
    }
}
