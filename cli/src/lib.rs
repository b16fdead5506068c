//! The native command, `edge-authz`.
//!
//! It reads files, passes them to the core and shows the core's results: every rule is in
//! the core. This crate locates the configuration in a file, displays places in the file,
//! and warns about valid but risky settings.

mod arguments;
pub mod cases;
mod check;
mod codes;
mod explain;
mod import;
mod init;
mod load;
mod patterns;
mod render;
mod report;
mod routes;
mod source;
mod subject;
mod terminal;
mod test;
mod tree;
mod words;

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use annotate_snippets::Renderer;
use clap::Parser;
use edge_authz::policy::Policy;

use arguments::{Arguments, Colour};
use load::load;
pub use load::named_configuration;
use source::Source;
use terminal::Terminal;

/// A configuration and its cases, imported from the text of a file.
///
/// # Errors
///
/// The number of problems of the file.
pub fn imported(text: &str) -> Result<(String, String), usize> {
    let source = Source::new("the file", text.as_bytes().to_vec());
    let choices = import::Choices {
        form: None,
        api: None,
        parameters: &[],
    };
    let imported = import::import(&source, &choices).map_err(|findings| findings.len())?;
    Ok((imported.configuration, imported.cases))
}

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

/// An Envoy's bootstrap for a configuration, as `render --for envoy` writes it.
///
/// # Errors
///
/// The errors of the configuration, or the reason why it cannot be rendered.
pub fn rendered_bootstrap(
    configuration: &str,
    module: &str,
    listen: &str,
    upstream: &str,
) -> Result<String, String> {
    let source = Source::new("configuration", configuration.as_bytes().to_vec());
    let renderer = Renderer::plain();
    let loaded = load(&source, check::Host::Envoy).map_err(|findings| {
        let shown: Vec<_> = findings
            .iter()
            .map(|one| one.render(&source, &renderer))
            .collect();
        shown.join("\n")
    })?;
    let choices = render::Choices {
        target: render::Target::Envoy,
        dynamic_module: false,
        module: Some(module),
        listen,
        upstream,
        namespace: "default",
        workload: None,
        folder: "",
    };
    let files = render::render(&loaded, &choices)?;
    let texts = files.into_iter().map(|(_, text)| text);
    Ok(texts.collect())
}

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Outcome {
    /// No errors were found.
    Good,
    /// Errors were found.
    Wrong,
    /// The command was used wrongly, or a file cannot be read.
    Misused,
}

impl Outcome {
    const fn code(self) -> u8 {
        match self {
            Self::Good => 0,
            Self::Wrong => 1,
            Self::Misused => 2,
        }
    }
}

impl From<Outcome> for ExitCode {
    fn from(outcome: Outcome) -> Self {
        Self::from(outcome.code())
    }
}

/// Runs the command with the arguments of the process.
#[must_use]
pub fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let coloured = coloured(arguments.color);
    let mut terminal = Terminal {
        stdin: &mut io::stdin().lock(),
        stdout: &mut io::BufWriter::new(io::stdout().lock()),
        style: test::Style::new(coloured),
        renderer: if coloured {
            Renderer::styled()
        } else {
            Renderer::plain()
        },
    };
    let outcome = terminal.run(&arguments.command);
    let flushed = terminal.stdout.flush();
    match outcome.and_then(|outcome| flushed.map(|()| outcome).map_err(Failure::Write)) {
        Ok(outcome) => outcome.into(),
        // The reader has closed the pipe, as with `| head`.
        Err(Failure::Write(error)) if error.kind() == io::ErrorKind::BrokenPipe => {
            ExitCode::SUCCESS
        }
        Err(failure) => {
            let _ignored = writeln!(io::stderr(), "edge-authz: {failure}");
            Outcome::Misused.into()
        }
    }
}

/// Runs the command without a process of its own, for tests. The first argument is its name.
/// Returns the exit status and the output.
#[must_use]
pub fn run(arguments: &[&str]) -> (u8, String) {
    let mut out = Vec::new();
    let outcome = match Arguments::try_parse_from(arguments) {
        Ok(arguments) => Terminal {
            stdin: &mut io::empty(),
            stdout: &mut out,
            style: test::Style::new(false),
            renderer: Renderer::plain(),
        }
        .run(&arguments.command),
        Err(error) => Err(Failure::Use(error.to_string())),
    };
    let outcome = outcome.unwrap_or_else(|failure| {
        out.extend(failure.to_string().into_bytes());
        Outcome::Misused
    });
    (outcome.code(), String::from_utf8_lossy(&out).into_owned())
}

fn coloured(choice: Colour) -> bool {
    match choice {
        Colour::Always => true,
        Colour::Never => false,
        Colour::Auto => {
            let wanted = std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
            let able = std::env::var_os("TERM").is_none_or(|term| term != "dumb");
            wanted && able && io::stdout().is_terminal()
        }
    }
}

/// Why a run ended early.
#[derive(Debug)]
enum Failure {
    /// A file cannot be read, or an argument is wrong; as a sentence.
    Use(String),
    /// The output cannot be written.
    Write(io::Error),
}

impl std::fmt::Display for Failure {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Use(sentence) => out.write_str(sentence),
            Self::Write(error) => error.fmt(out),
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        Self::Write(error)
    }
}
