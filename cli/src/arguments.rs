//! The command's arguments.

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

use super::explain::Moment;
use super::import::Form;
use super::init::Answers;
use super::render::{Choices, Target};

/// Checks, explains and tests configurations of edge-authz.
#[derive(Debug, Parser)]
#[command(
    name = "edge-authz",
    version,
    arg_required_else_help = true,
    after_help = "Exit status: 0 success, 1 errors in a configuration or failed cases, 2 wrong usage.\n\
                  `edge-authz help COMMAND` shows examples of a command."
)]
pub(crate) struct Arguments {
    /// When to use colours; `auto`: on a terminal, unless `NO_COLOR` is set.
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto")]
    pub(crate) color: Colour,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// When to use colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Colour {
    Auto,
    Always,
    Never,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Check configurations: show every error with its line, and warn about risks.
    #[command(after_help = "Examples:\n  \
        edge-authz check edge-authz.yaml\n  \
        edge-authz check envoy.yaml                 # a whole bootstrap, clusters included\n  \
        edge-authz check deploy/                    # resources that name each other\n  \
        kubectl get wasmplugin -A -o yaml | edge-authz check -\n  \
        edge-authz check --host server edge-authz.yaml\n  \
        edge-authz check --strict --json config/*.yaml")]
    Check(CheckArguments),
    /// Explain how a request is decided, step by step.
    #[command(after_help = "A token is never shown.\n\nExamples:\n  \
        edge-authz explain --config edge-authz.yaml /pets/7\n  \
        edge-authz explain --config edge-authz.yaml -X POST https://api.example.com/pets \\\n    \
        --token-file token.jwt --jwks cognito=jwks.json\n  \
        pbpaste | edge-authz explain --config edge-authz.yaml /pets --token-file - \\\n    \
        --jwks cognito=jwks.json --at 2026-01-31T12:00:00Z\n  \
        edge-authz explain --config edge-authz.yaml -X OPTIONS /pets \\\n    \
        -H 'Origin: https://app.example.com' -H 'Access-Control-Request-Method: GET'")]
    Explain(ExplainArguments),
    /// List the routes: who may call what.
    #[command(after_help = "Examples:\n  \
        edge-authz routes edge-authz.yaml\n  \
        edge-authz routes --json envoy.yaml")]
    Routes(RoutesArguments),
    /// Run case files on the core, with generated tokens, or against a running gateway.
    #[command(after_help = "Examples:\n  \
        edge-authz test tests/*.cases.yaml\n  \
        edge-authz test --only 'missing scope' --verbose api.cases.yaml\n  \
        edge-authz test --junit results.xml api.cases.yaml\n  \
        edge-authz test --against https://api.example.com --token reader=token.jwt api.cases.yaml")]
    Test(TestArguments),
    /// Make a configuration from the description of an API in another form.
    #[command(
        after_help = "What has no equivalent is denied, with a comment. A value that the file does not\n\
        contain is an error that names it.\n\nExamples:\n  \
        edge-authz import template.yaml > edge-authz.yaml\n  \
        edge-authz import template.json --api HttpApi --param UserPool=us-east-1_EXAMPLE\n  \
        edge-authz import openapi.yaml --cases api.cases.yaml > edge-authz.yaml"
    )]
    Import(ImportArguments),
    /// Render what a proxy needs: the filter with its configuration, and the issuers' clusters.
    #[command(after_help = "Examples:\n  \
        edge-authz render --for envoy --upstream 127.0.0.1:8081 edge-authz.yaml > envoy.yaml\n  \
        edge-authz render --for xds --output /etc/envoy/xds --folder /etc/envoy/xds edge-authz.yaml\n  \
        edge-authz render --for istio --namespace shop --workload app=orders edge-authz.yaml | kubectl apply -f -\n  \
        edge-authz render --for envoy-gateway --dynamic-module edge-authz.yaml")]
    Render(RenderArguments),
    /// Write a first configuration with cases and a README. It asks four questions.
    #[command(after_help = "Examples:\n  \
        edge-authz init access\n  \
        edge-authz init access --issuer https://login.example.com --audience api \\\n    \
        --upstream 127.0.0.1:8081 --origin https://app.example.com")]
    Init(InitArguments),
    /// Explain the code of an error or a warning; without a code, list all.
    ExplainError {
        /// The code, such as EA101. Each finding shows its own.
        code: Option<String>,
    },
    /// Print the JSON Schema of the configuration, for editors.
    #[command(after_help = "Examples:\n  \
        edge-authz schema > edge-authz.schema.json\n\n\
        Then, as the first line of a configuration:\n  \
        # yaml-language-server: $schema=edge-authz.schema.json")]
    Schema,
    /// Print a completion script for a shell.
    #[command(after_help = "Examples:\n  \
        edge-authz completions bash > /etc/bash_completion.d/edge-authz\n  \
        edge-authz completions zsh > \"${fpath[1]}/_edge-authz\"")]
    Completions {
        /// The shell.
        shell: Shell,
    },
}

#[derive(Debug, Args)]
pub(crate) struct CheckArguments {
    /// YAML or JSON: a configuration, an Envoy bootstrap, an Istio `TrafficExtension` or
    /// `WasmPlugin`, an Envoy Gateway `EnvoyExtensionPolicy`; `-` is standard input. The
    /// files of a folder are checked together.
    #[arg(required = true, value_name = "FILE")]
    pub(crate) files: Vec<String>,
    /// Exit with 1 for warnings too.
    #[arg(long)]
    pub(crate) strict: bool,
    /// The host that will use the configuration.
    #[arg(long, value_name = "HOST", default_value = "envoy")]
    pub(crate) host: CheckedHost,
    /// The form of the output.
    #[arg(long, value_name = "FORM", default_value = "text")]
    pub(crate) format: Format,
    /// Print one JSON object, as `--format json`.
    #[arg(long)]
    pub(crate) json: bool,
}

/// The host that will use a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum CheckedHost {
    /// The Wasm module or the dynamic module in Envoy, which fetch through its clusters.
    Envoy,
    /// `edge-authz-server`, which fetches without clusters.
    Server,
}

/// The form of the findings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Text,
    Json,
    /// SARIF 2.1.0, for code scanning.
    Sarif,
    /// Annotations of GitHub's workflows.
    Github,
}

#[derive(Debug, Args)]
pub(crate) struct RenderArguments {
    /// A file with one configuration; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// What is rendered.
    #[arg(long = "for", value_name = "PROXY", default_value = "envoy")]
    pub(crate) target: TargetArgument,
    /// The filter as a dynamic module instead of a Wasm module.
    #[arg(long)]
    pub(crate) dynamic_module: bool,
    /// The module's file, or in Kubernetes its image.
    #[arg(long, value_name = "FILE")]
    pub(crate) module: Option<String>,
    /// Where Envoy listens.
    #[arg(long, value_name = "ADDRESS:PORT", default_value = "0.0.0.0:8080")]
    pub(crate) listen: String,
    /// The protected API.
    #[arg(long, value_name = "HOST:PORT", default_value = "127.0.0.1:8081")]
    pub(crate) upstream: String,
    /// The namespace of resources; by default that of Istio's gateway, or `default`.
    #[arg(long, value_name = "NAME")]
    pub(crate) namespace: Option<String>,
    /// A label of Istio's workloads, or the name of Envoy Gateway's gateway.
    #[arg(long, value_name = "NAME=VALUE")]
    pub(crate) workload: Option<String>,
    /// The folder from which Envoy reads the files of xDS.
    #[arg(long, value_name = "FOLDER", default_value = "/etc/envoy/xds")]
    pub(crate) folder: String,
    /// The folder for the files, instead of standard output.
    #[arg(short, long, value_name = "FOLDER")]
    pub(crate) output: Option<String>,
}

/// What is rendered.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum TargetArgument {
    /// A bootstrap of Envoy.
    Envoy,
    /// A bootstrap with files for listeners and clusters, which can be replaced at run time.
    Xds,
    /// Istio 1.30 and later: `TrafficExtension`.
    Istio,
    /// Istio before 1.30: `WasmPlugin`.
    IstioWasmPlugin,
    /// Envoy Gateway.
    EnvoyGateway,
}

impl RenderArguments {
    pub(crate) fn choices(&self) -> Choices<'_> {
        let (target, namespace) = match self.target {
            TargetArgument::Envoy => (Target::Envoy, "default"),
            TargetArgument::Xds => (Target::Xds, "default"),
            TargetArgument::Istio => (Target::Istio, "istio-system"),
            TargetArgument::IstioWasmPlugin => (Target::IstioWasmPlugin, "istio-system"),
            TargetArgument::EnvoyGateway => (Target::EnvoyGateway, "default"),
        };
        Choices {
            target,
            dynamic_module: self.dynamic_module,
            module: self.module.as_deref(),
            listen: &self.listen,
            upstream: &self.upstream,
            namespace: self.namespace.as_deref().unwrap_or(namespace),
            workload: self.workload.as_deref(),
            folder: &self.folder,
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct InitArguments {
    /// The folder for the files.
    #[arg(value_name = "FOLDER", default_value = ".")]
    pub(crate) folder: String,
    /// The issuer of the tokens: their `iss`.
    #[arg(long, value_name = "URL")]
    pub(crate) issuer: Option<String>,
    /// The audience of the API: the tokens' `aud`, or `client_id`.
    #[arg(long, value_name = "TEXT")]
    pub(crate) audience: Option<String>,
    /// The protected API.
    #[arg(long, value_name = "HOST:PORT")]
    pub(crate) upstream: Option<String>,
    /// The origin of the web page. It is empty if there is no page.
    #[arg(long, value_name = "ORIGIN")]
    pub(crate) origin: Option<String>,
}

impl InitArguments {
    pub(crate) fn answers(&self) -> Answers<'_> {
        Answers {
            issuer: self.issuer.as_deref(),
            audience: self.audience.as_deref(),
            upstream: self.upstream.as_deref(),
            origin: self.origin.as_deref(),
        }
    }
}

#[derive(Debug, Args)]
pub(crate) struct RoutesArguments {
    /// A file with one configuration; `-` is standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ExplainArguments {
    /// A file with one configuration.
    #[arg(short, long, value_name = "FILE")]
    pub(crate) config: String,
    /// The request's method.
    #[arg(short = 'X', long, default_value = "GET", value_name = "METHOD")]
    pub(crate) method: String,
    /// The request's path or URL.
    #[arg(value_name = "PATH")]
    pub(crate) target: String,
    /// A header of the request, `name: value`.
    #[arg(short = 'H', long = "header", value_name = "HEADER")]
    pub(crate) headers: Vec<String>,
    /// A file with a token for the first place of `token_from`; `-` is standard
    /// input.
    #[arg(long, value_name = "FILE")]
    pub(crate) token_file: Option<String>,
    /// A provider's key set, used instead of fetching it.
    #[arg(long, value_name = "PROVIDER=FILE")]
    pub(crate) jwks: Vec<String>,
    /// A provider's revocation list, used instead of fetching it.
    #[arg(long, value_name = "PROVIDER=FILE")]
    pub(crate) revoked: Vec<String>,
    /// Another time than now: seconds since 1970, or 2026-01-31T12:00:00Z.
    #[arg(long, value_name = "TIME", value_parser = Moment::parse)]
    pub(crate) at: Option<Moment>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct TestArguments {
    /// Case files; `-` is standard input.
    #[arg(required = true, value_name = "CASES")]
    pub(crate) files: Vec<String>,
    /// Run only the cases with this text in their name.
    #[arg(long, value_name = "TEXT")]
    pub(crate) only: Option<String>,
    /// Send the requests to a running gateway, and play what it can prove from outside:
    /// `http://` or `https://`, a host and a port.
    #[arg(long, value_name = "URL")]
    pub(crate) against: Option<String>,
    /// The token that a case calls NAME, made by the gateway's issuer; `-` is standard
    /// input.
    #[arg(long = "token", value_name = "NAME=FILE", requires = "against")]
    pub(crate) tokens: Vec<String>,
    /// A file with certificates to trust, in PEM form, besides those of the system.
    #[arg(long, value_name = "FILE", requires = "against")]
    pub(crate) ca: Option<String>,
    /// The `Host` of cases that name none; absent: that of the URL.
    #[arg(long, value_name = "HOST", requires = "against")]
    pub(crate) host: Option<String>,
    /// Connect to this address instead of the URL's host.
    #[arg(long, value_name = "HOST:PORT", requires = "against")]
    pub(crate) connect: Option<String>,
    /// The limit for each request, in seconds.
    #[arg(long, value_name = "SECONDS", default_value_t = 15, requires = "against",
        value_parser = clap::value_parser!(u64).range(1..=3600))]
    pub(crate) timeout: u64,
    /// Also send requests that may change data if they pass: by default, requests other than
    /// GET, HEAD, OPTIONS and TRACE are sent only if the gateway surely refuses them.
    #[arg(long, requires = "against")]
    pub(crate) allow_changes: bool,
    /// Also list the cases that pass.
    #[arg(short, long)]
    pub(crate) verbose: bool,
    /// Also write the results to this file as a `JUnit` report.
    #[arg(long, value_name = "FILE")]
    pub(crate) junit: Option<String>,
    /// Print one JSON object.
    #[arg(long)]
    pub(crate) json: bool,
}

#[derive(Debug, Args)]
pub(crate) struct ImportArguments {
    /// A `CloudFormation` or SAM template, an `OpenAPI` document, the output of `terraform
    /// show -json`, or resources of Istio, Envoy Gateway or Envoy, as YAML or JSON; `-` is
    /// standard input.
    #[arg(value_name = "FILE")]
    pub(crate) file: String,
    /// What the file is, if it does not show it.
    #[arg(long, value_name = "FORM")]
    pub(crate) from: Option<FormArgument>,
    /// The API, if the file has several.
    #[arg(long, value_name = "NAME")]
    pub(crate) api: Option<String>,
    /// A value that the file does not contain. Error messages give the names.
    #[arg(long = "param", value_name = "NAME=VALUE")]
    pub(crate) parameters: Vec<String>,
    /// Also write a case file for the result: each route with and without its scopes.
    #[arg(long, value_name = "CASES")]
    pub(crate) cases: Option<String>,
}

/// What an imported file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum FormArgument {
    #[value(name = "cloudformation")]
    CloudFormation,
    #[value(name = "openapi")]
    OpenApi,
    Istio,
    EnvoyGateway,
    Envoy,
    Terraform,
}

impl From<FormArgument> for Form {
    fn from(argument: FormArgument) -> Self {
        match argument {
            FormArgument::CloudFormation => Self::CloudFormation,
            FormArgument::OpenApi => Self::OpenApi,
            FormArgument::Istio => Self::Istio,
            FormArgument::EnvoyGateway => Self::EnvoyGateway,
            FormArgument::Envoy => Self::Envoy,
            FormArgument::Terraform => Self::Terraform,
        }
    }
}
