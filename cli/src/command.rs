//! The command as a function, and parts of it for other programs and for tests.

use std::io::{self, IsTerminal, Write};
use std::process::ExitCode;

use annotate_snippets::Renderer;
use clap::Parser;

use crate::arguments::{Arguments, Colour};
use crate::load::load;
use crate::outcome::{Failure, Outcome};
use crate::source::Source;
use crate::terminal::Terminal;
use crate::{check, import, render, test};

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
