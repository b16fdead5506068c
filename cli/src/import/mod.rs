//! `edge-authz import`: a configuration from an API that is described in another form.
//!
//! A wrong import that opens a door is the worst outcome. What has no equivalent is
//! denied, with a comment; what is not known is an error, and then nothing is written.

mod append;
mod authorizer;
mod case_file;
mod cloudformation;
mod cors;
mod envoy;
mod gateway;
mod istio;
mod kubernetes;
mod model;
mod openapi;
mod ordered;
mod parameters;
mod plan;
mod policy;
mod problems;
mod sam;
mod scope;
mod terraform;
mod tidy;
mod writer;

use super::check;
use super::codes::Code;
use super::report::{Finding, Severity};
use super::source::Source;
use super::subject::Document;
use super::tree::{Fault, Node, Value, parse_json, parse_template};
use model::{Api, Note};
use ordered::Site;
use parameters::Parameters;
use plan::Plan;
use problems::Problems;
use scope::Scope;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Form {
    /// A template of `CloudFormation`.
    CloudFormation,
    /// A document of `OpenAPI`.
    OpenApi,
    /// Resources of Istio.
    Istio,
    /// Resources of Envoy Gateway.
    EnvoyGateway,
    /// A bootstrap of Envoy, or listeners and routes.
    Envoy,
    /// A state or a plan of Terraform as JSON.
    Terraform,
}

/// The choices of the user.
#[derive(Debug)]
pub(crate) struct Choices<'c> {
    /// `None`: the file shows it.
    pub(crate) form: Option<Form>,
    /// The name of the API, if the file has several.
    pub(crate) api: Option<&'c str>,
    /// Arguments `NAME=VALUE`.
    pub(crate) parameters: &'c [String],
}

/// An imported API.
#[derive(Debug)]
pub(crate) struct Imported {
    /// The configuration as YAML.
    pub(crate) configuration: String,
    /// Cases for it.
    pub(crate) cases: String,
}

/// Imports a file.
///
/// # Errors
///
/// Everything that is not known, with its place.
pub(crate) fn import(source: &Source, choices: &Choices<'_>) -> Result<Imported, Vec<Finding>> {
    let of_file = |sentence: &str| vec![of_file(sentence)];
    let parameters = Parameters::parse(choices.parameters).map_err(|error| of_file(&error))?;
    let root = read(source)?;
    let problems = Problems::new(source);
    tidy::inspect(&root, &problems);
    let Some(form) = choices.form.or_else(|| detected(&root)) else {
        return Err(of_file(
            "the file is of no known form; give it with `--from`, for example `--from openapi`",
        ));
    };
    let plan = {
        let scope = Scope::new(&root, &parameters, &problems);
        let apis = match form {
            Form::CloudFormation => cloudformation::read(&scope, &root, choices.api),
            Form::OpenApi => vec![openapi::read_file(&scope, &root)],
            Form::Istio => sited(
                istio::read(&root, &problems).into_iter().map(one_site),
                &problems,
            ),
            Form::EnvoyGateway => sited(gateway::read(&root, &problems), &problems),
            Form::Envoy => sited(envoy::read(&root, &problems), &problems),
            Form::Terraform => terraform::read(&root, &problems, &parameters),
        };
        // If the file has several APIs, values of the others may be missing, too.
        let several = !apis.is_empty();
        match selected(apis, choices.api) {
            Ok(api) => Some(Plan::of(api, &problems)),
            Err(sentence) if several || problems.is_empty() => return Err(of_file(&sentence)),
            Err(_) => None,
        }
    };
    let Some(plan) = plan.filter(|_| problems.is_empty()) else {
        return Err(problems.into_findings());
    };
    if let Some(name) = parameters.unused() {
        return Err(of_file(&format!(
            "`--param {name}` is not used; correct the name"
        )));
    }
    written(plan, source)
}

fn one_site((api, site): (Api, Site)) -> (Api, Vec<Site>) {
    (api, vec![site])
}

/// Adds the routes of rules that have an order.
fn sited(apis: impl IntoIterator<Item = (Api, Vec<Site>)>, problems: &Problems<'_>) -> Vec<Api> {
    let add = |(mut api, sites): (Api, Vec<Site>)| {
        for site in &sites {
            match ordered::routes(site) {
                Some(routes) => api.routes.extend(routes),
                None => problems.report(&site.at, "has too many paths; import a part of it"),
            }
        }
        api
    };
    apis.into_iter().map(add).collect()
}

fn of_file(sentence: &str) -> Finding {
    Finding::from_sentence(Code::NotImported, Severity::Error, String::new(), sentence)
}

fn read(source: &Source) -> Result<Node, Vec<Finding>> {
    if let Ok(root) = parse_json(&source.text) {
        return Ok(root);
    }
    let not_yaml = |fault: &Fault| {
        let sentence = format!(
            "not YAML ({}); look at the line before it too",
            fault.message
        );
        let mut finding = of_file(&sentence);
        finding.code = Code::Syntax;
        finding.put(fault.at..fault.at.saturating_add(1), None);
        vec![finding]
    };
    let mut roots = parse_template(&source.text).map_err(|fault| not_yaml(&fault))?;
    match roots.len() {
        0 => Err(vec![of_file(
            "the file has no document; give a file with one",
        )]),
        1 => roots
            .pop()
            .ok_or_else(|| vec![of_file("the file has no document")]),
        // Resources of Kubernetes, or the parts of an Envoy's configuration.
        _ => Ok(Node {
            span: 0..source.text.len(),
            value: Value::List(roots),
        }),
    }
}

fn detected(root: &Node) -> Option<Form> {
    if root.get("openapi").is_some() || root.get("swagger").is_some() {
        return Some(Form::OpenApi);
    }
    if root.get("Resources").is_some() {
        return Some(Form::CloudFormation);
    }
    if kubernetes::has_kind(root, &istio::KINDS) {
        return Some(Form::Istio);
    }
    if kubernetes::has_kind(root, &gateway::KINDS) {
        return Some(Form::EnvoyGateway);
    }
    if terraform::is_terraform(root) {
        return Some(Form::Terraform);
    }
    envoy::is_envoy(root).then_some(Form::Envoy)
}

/// The only API, or the one with the name.
fn selected(mut apis: Vec<Api>, name: Option<&str>) -> Result<Api, String> {
    let names: Vec<_> = apis.iter().map(|api| format!("`{}`", api.name)).collect();
    let names = names.join(", ");
    match name {
        Some(name) => {
            let found = apis.iter().position(|api| api.name == name);
            found
                .map(|at| apis.swap_remove(at))
                .ok_or_else(|| match apis.len() {
                    0 => format!("the file has no API `{name}`, and no other"),
                    _ => format!("the file has no API `{name}`; it has {names}"),
                })
        }
        None if apis.len() > 1 => Err(format!(
            "the file has several APIs: {names}; choose one with `--api NAME`"
        )),
        None => apis.pop().ok_or_else(|| {
            "the file has no API, and no rules of a proxy; import the file that has them".to_owned()
        }),
    }
}

/// Writes a plan, and compiles the result as the filter does.
fn written(mut plan: Plan, source: &Source) -> Result<Imported, Vec<Finding>> {
    let mut configuration = writer::write(&plan, source);
    let mut errors = compiled(&configuration);
    if let Some(cors) = plan.cors.take_if(|_| {
        let of_cors = |finding: &Finding| finding.path.starts_with("cors");
        !errors.is_empty() && errors.iter().all(of_cors)
    }) {
        // Without CORS, pages of other origins read nothing.
        for error in &errors {
            let text = format!("CORS, because {} {}", error.path, error.message);
            plan.left_out.push(Note::new(&cors.at, text));
        }
        configuration = writer::write(&plan, source);
        errors = compiled(&configuration);
    }
    if errors.is_empty() {
        return Ok(Imported {
            cases: case_file::write(&plan, &configuration),
            configuration,
        });
    }
    let refused = errors.into_iter().map(|error| Finding {
        message: format!(
            "cannot be imported, because the filter refuses the result: {}: {}",
            error.path, error.message
        ),
        path: String::new(),
        span: None,
        related: None,
        ..error
    });
    Err(refused.collect())
}

/// The errors of a configuration.
fn compiled(configuration: &str) -> Vec<Finding> {
    let result = Source::new("the result", configuration.as_bytes().to_vec());
    let document = match Document::read(&result) {
        Ok(document) => document,
        Err(findings) => return findings,
    };
    match &*document.subjects {
        [subject] => check::compile(subject, &result, check::Host::Envoy)
            .err()
            .unwrap_or_default(),
        _ => vec![of_file("is not one configuration; report this as a bug")],
    }
}
