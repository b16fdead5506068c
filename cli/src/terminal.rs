//! The command's input and output, with which it runs its subcommands.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::time::Duration;

use annotate_snippets::Renderer;
use clap::CommandFactory;
use edge_authz::policy::Policy;
use serde_json::json;

use crate::arguments::{
    Arguments, CheckArguments, CheckedHost, Command, ExplainArguments, Format, ImportArguments,
    InitArguments, RenderArguments, RoutesArguments, TestArguments,
};
use crate::codes::Code;
use crate::explain::{DocumentFiles, Moment, RequestArguments};
use crate::load::{Loaded, load};
use crate::outcome::{Failure, Outcome};
use crate::report::Severity;
use crate::source::Source;
use crate::{SCHEMA, check, explain, import, init, render, routes, test};

/// Adds a provider's document to those of `explain`.
type AddDocument = fn(&mut DocumentFiles, &Policy, &str, &[u8]) -> Result<(), String>;

/// The command's input and output.
pub(crate) struct Terminal<'t> {
    pub(crate) stdin: &'t mut dyn Read,
    pub(crate) stdout: &'t mut dyn Write,
    pub(crate) renderer: Renderer,
    pub(crate) style: test::Style,
}

impl Terminal<'_> {
    pub(crate) fn run(&mut self, command: &Command) -> Result<Outcome, Failure> {
        match command {
            Command::Check(arguments) => self.check(arguments),
            Command::Explain(arguments) => self.explain(arguments),
            Command::Routes(arguments) => self.routes(arguments),
            Command::Test(arguments) => self.test(arguments),
            Command::Import(arguments) => self.import(arguments),
            Command::Render(arguments) => self.render(arguments),
            Command::Init(arguments) => self.init(arguments),
            Command::ExplainError { code } => self.explain_error(code.as_deref()),
            Command::Schema => {
                self.stdout.write_all(SCHEMA.as_bytes())?;
                Ok(Outcome::Good)
            }
            Command::Completions { shell } => {
                let mut command = Arguments::command();
                let mut script = Vec::new();
                clap_complete::generate(*shell, &mut command, "edge-authz", &mut script);
                self.stdout.write_all(&script)?;
                Ok(Outcome::Good)
            }
        }
    }

    fn read(&mut self, path: &str) -> Result<Source, Failure> {
        Source::read(path, self.stdin).map_err(Failure::Use)
    }

    fn check(&mut self, arguments: &CheckArguments) -> Result<Outcome, Failure> {
        let mut outcome = Outcome::Good;
        let format = if arguments.json {
            Format::Json
        } else {
            arguments.format
        };
        let host = match arguments.host {
            CheckedHost::Envoy => check::Host::Envoy,
            CheckedHost::Server => check::Host::Server,
        };
        let mut all = Vec::new();
        for file in &arguments.files {
            match Source::read_folder(file).map_err(Failure::Use)? {
                Some(sources) => all.extend(check::check_folder(file, sources, host)),
                None => all.push(check::check(self.read(file)?, host)),
            }
        }
        for checked in &all {
            let bad = checked.count(Severity::Error) > 0
                || (arguments.strict && checked.count(Severity::Warning) > 0);
            if bad {
                outcome = Outcome::Wrong;
            }
            if format == Format::Text {
                checked.show(&self.renderer, self.stdout)?;
            }
        }
        match format {
            Format::Text => {}
            Format::Json => {
                let good = outcome == Outcome::Good;
                let reports: Vec<_> = all.iter().map(check::Checked::to_json).collect();
                self.print_json(&json!({"good": good, "files": reports}))?;
            }
            Format::Sarif => self.print_json(&check::sarif(&all))?,
            Format::Github => self.stdout.write_all(check::github(&all).as_bytes())?,
        }
        Ok(outcome)
    }

    /// The only configuration of a file; `None` after its errors were shown.
    fn load(&mut self, file: &str, host: check::Host) -> Result<Option<Loaded>, Failure> {
        let source = self.read(file)?;
        match load(&source, host) {
            Ok(loaded) => Ok(Some(loaded)),
            Err(findings) => {
                let checked = check::Checked::of(source, 1, findings);
                checked.show(&self.renderer, self.stdout)?;
                Ok(None)
            }
        }
    }

    fn routes(&mut self, arguments: &RoutesArguments) -> Result<Outcome, Failure> {
        let Some(loaded) = self.load(&arguments.file, check::Host::Any)? else {
            return Ok(Outcome::Wrong);
        };
        let table = routes::Table::of(&loaded);
        if arguments.json {
            self.print_json(&table.to_json())?;
        } else {
            table.show(self.stdout)?;
        }
        Ok(Outcome::Good)
    }

    fn explain(&mut self, arguments: &ExplainArguments) -> Result<Outcome, Failure> {
        let Some(loaded) = self.load(&arguments.config, check::Host::Any)? else {
            return Ok(Outcome::Wrong);
        };
        let now = arguments.at.unwrap_or_else(Moment::now);
        let mut documents = DocumentFiles::new(now.0);
        let add_keys: AddDocument = DocumentFiles::add_keys;
        let add_list: AddDocument = DocumentFiles::add_list;
        for (option, given, add) in [
            ("--jwks", &arguments.jwks, add_keys),
            ("--revoked", &arguments.revoked, add_list),
        ] {
            for argument in given {
                let (provider, file) = argument
                    .split_once('=')
                    .ok_or_else(|| Failure::Use(format!("write `{option} PROVIDER=FILE`")))?;
                let source = self.read(file)?;
                add(&mut documents, &loaded.policy, provider, &source.bytes)
                    .map_err(Failure::Use)?;
            }
        }
        let token = match &arguments.token_file {
            Some(file) => Some(self.read(file)?.text.trim().to_owned()),
            None => None,
        };
        let request = RequestArguments {
            method: &arguments.method,
            target: &arguments.target,
            headers: &arguments.headers,
            token: token.as_deref().zip(loaded.policy.token_places.first()),
        };
        let head = request.head().map_err(Failure::Use)?;
        let explanation = explain::explain(&loaded, &head, &documents, now);
        if arguments.json {
            self.print_json(&explanation.to_json())?;
        } else {
            explanation.show(self.stdout)?;
        }
        Ok(Outcome::Good)
    }

    fn test(&mut self, arguments: &TestArguments) -> Result<Outcome, Failure> {
        let options = self.gateway_options(arguments)?;
        let gateway = options.as_ref().map(test::Gateway::new).transpose();
        let mut gateway = gateway.map_err(Failure::Use)?;
        let mut files = Vec::new();
        for file in &arguments.files {
            let source = self.read(file)?;
            let only = arguments.only.as_deref();
            let played = test::play(&source, only, gateway.as_mut(), &self.renderer);
            if !arguments.json {
                played.show(&self.style, arguments.verbose, self.stdout)?;
            }
            files.push(played);
        }
        if let Some(path) = &arguments.junit {
            let written = std::fs::write(path, test::junit(&files));
            written.map_err(|error| Failure::Use(format!("{path}: {error}")))?;
        }
        let good = files.iter().all(test::Played::is_good);
        if arguments.json {
            let files: Vec<_> = files.iter().map(test::Played::to_json).collect();
            self.print_json(&json!({"good": good, "files": files}))?;
        }
        Ok(if good { Outcome::Good } else { Outcome::Wrong })
    }

    /// The gateway of `--against`, and the tokens for it.
    fn gateway_options<'a>(
        &mut self,
        arguments: &'a TestArguments,
    ) -> Result<Option<test::Options<'a>>, Failure> {
        let Some(url) = &arguments.against else {
            return Ok(None);
        };
        let mut tokens = BTreeMap::new();
        for argument in &arguments.tokens {
            let (name, file) = argument
                .split_once('=')
                .ok_or_else(|| Failure::Use("write `--token NAME=FILE`".to_owned()))?;
            let text = self.read(file)?.text.trim().to_owned();
            let is_token = |byte: u8| byte.is_ascii_graphic();
            if text.is_empty() || !text.bytes().all(is_token) {
                return Err(Failure::Use(format!("{file}: does not contain one token")));
            }
            if tokens.insert(name.to_owned(), text).is_some() {
                return Err(Failure::Use(format!("`--token {name}` is given twice")));
            }
        }
        Ok(Some(test::Options {
            target: test::Target::parse(url).map_err(Failure::Use)?,
            host: arguments.host.as_deref(),
            connect: arguments.connect.as_deref(),
            ca: arguments.ca.as_deref(),
            timeout: Duration::from_secs(arguments.timeout),
            tokens,
            may_change: arguments.allow_changes,
        }))
    }

    fn import(&mut self, arguments: &ImportArguments) -> Result<Outcome, Failure> {
        let source = self.read(&arguments.file)?;
        let choices = import::Choices {
            form: arguments.from.map(Into::into),
            api: arguments.api.as_deref(),
            parameters: &arguments.parameters,
        };
        let imported = match import::import(&source, &choices) {
            Ok(imported) => imported,
            Err(findings) => {
                let checked = check::Checked::of(source, 1, findings);
                checked.show(&self.renderer, &mut io::stderr().lock())?;
                return Ok(Outcome::Wrong);
            }
        };
        if let Some(path) = &arguments.cases {
            let written = std::fs::write(path, &imported.cases);
            written.map_err(|error| Failure::Use(format!("{path}: {error}")))?;
        }
        self.stdout.write_all(imported.configuration.as_bytes())?;
        Ok(Outcome::Good)
    }

    fn render(&mut self, arguments: &RenderArguments) -> Result<Outcome, Failure> {
        let Some(loaded) = self.load(&arguments.file, check::Host::Envoy)? else {
            return Ok(Outcome::Wrong);
        };
        let files = render::render(&loaded, &arguments.choices()).map_err(Failure::Use)?;
        let Some(folder) = &arguments.output else {
            if let [(_, text)] = &*files {
                self.stdout.write_all(text.as_bytes())?;
                return Ok(Outcome::Good);
            }
            let sentence = "several files are rendered; give their folder: `--output FOLDER`";
            return Err(Failure::Use(sentence.to_owned()));
        };
        let failed = |error: io::Error| Failure::Use(format!("{folder}: {error}"));
        std::fs::create_dir_all(folder).map_err(failed)?;
        for (name, text) in &files {
            let path = std::path::Path::new(folder).join(name);
            std::fs::write(&path, text).map_err(failed)?;
            writeln!(self.stdout, "{}", path.display())?;
        }
        Ok(Outcome::Good)
    }

    fn init(&mut self, arguments: &InitArguments) -> Result<Outcome, Failure> {
        let mut input = io::BufReader::new(&mut *self.stdin);
        let folder = std::path::Path::new(&arguments.folder);
        init::init(folder, &arguments.answers(), &mut input, self.stdout).map_err(Failure::Use)?;
        Ok(Outcome::Good)
    }

    /// Without a code, lists all codes.
    fn explain_error(&mut self, code: Option<&str>) -> Result<Outcome, Failure> {
        let Some(id) = code else {
            for code in Code::ALL {
                writeln!(self.stdout, "{}  {}", code.id(), code.title())?;
            }
            return Ok(Outcome::Good);
        };
        let Some(code) = Code::named(id) else {
            return Err(Failure::Use(format!(
                "there is no code `{id}`; `edge-authz explain-error` lists them"
            )));
        };
        writeln!(
            self.stdout,
            "{}: {}\n\n{}",
            code.id(),
            code.title(),
            code.text()
        )?;
        Ok(Outcome::Good)
    }

    fn print_json(&mut self, value: &serde_json::Value) -> Result<(), Failure> {
        Ok(writeln!(self.stdout, "{value:#}")?)
    }
}
