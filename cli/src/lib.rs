//! The native command, `edge-authz`.
//!
//! It reads files, passes them to the core and shows the core's results: every rule is in
//! the core. This crate locates the configuration in a file, displays places in the file,
//! and warns about valid but risky settings.
//!
//! Without the feature `command`, it has only what reads, checks and explains documents
//! ([`Inspected`]), for programs without a terminal.
#![cfg_attr(
    not(feature = "command"),
    allow(
        dead_code,
        unused_imports,
        reason = "the command shows more of these modules than other programs need"
    )
)]

#[cfg(feature = "command")]
mod arguments;
#[cfg(feature = "command")]
pub mod cases;
mod check;
mod codes;
#[cfg(feature = "command")]
mod command;
mod explain;
#[cfg(feature = "command")]
mod import;
#[cfg(feature = "command")]
mod init;
mod inspect;
mod load;
#[cfg(feature = "command")]
mod outcome;
mod patterns;
#[cfg(feature = "command")]
mod render;
mod report;
#[cfg(feature = "command")]
mod routes;
mod seen;
mod source;
mod subject;
#[cfg(feature = "command")]
mod terminal;
#[cfg(feature = "command")]
mod test;
mod tree;
mod words;

use annotate_snippets::Renderer;
use edge_authz::policy::Policy;

#[cfg(feature = "command")]
pub use command::{imported, main, rendered_bootstrap, run};
pub use inspect::{Decided, Inspected, Question, ReadFor};
use load::load;
pub use load::named_configuration;
pub use seen::Fields;
use source::Source;

/// The JSON Schema of the configuration.
pub const SCHEMA: &str = include_str!("schema.json");

/// Compiles the only configuration in a file for `edge-authz-server`. The file may be YAML or
/// JSON, and the configuration itself or a document that carries it. `name` is the file's
/// name.
///
/// # Errors
///
/// All errors of the file with their lines, for people.
pub fn compiled(name: &str, text: Vec<u8>) -> Result<Policy, String> {
    let source = Source::new(name, text);
    let renderer = Renderer::plain();
    let loaded = load(&source, check::Host::Server).map_err(|findings| {
        let findings = findings.iter();
        let shown: Vec<_> = findings.map(|one| one.render(&source, &renderer)).collect();
        shown.join("\n")
    })?;
    Ok(loaded.policy)
}
