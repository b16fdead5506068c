//! CORS policies: `cors` checks their members; this module adds their positions.

use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{Excerpt, Problem, ShapeProblem};
use crate::config::reader::{Field, List, Switch, Text};
use crate::config::written::{Cors, Route};
use crate::cors::{CorsError, CorsMember, CorsPolicy, CorsProblem, CorsSpec};
use crate::policy::Access;

/// Compiles the policy of all routes that have none of their own.
#[inline(never)]
pub(super) fn top_level(
    written: Field<Switch<Cors<'_>>>,
    routes: Field<&List<Route<'_>>>,
    proofs: bool,
    sink: &mut Sink,
) -> Option<CorsPolicy> {
    let Switch::On(cors) = written.read()? else {
        return None;
    };
    let inherits = |route: &&Route<'_>| matches!(route.cors, Field::Absent);
    let token_needed = routes
        .read()
        .is_some_and(|routes| routes.items.iter().filter(inherits).any(needs_token));
    compile(&cors, token_needed, proofs, sink)
}

/// Compiles the policy of one route.
pub(super) fn of_route(
    route: &Route<'_>,
    inherited: Option<&CorsPolicy>,
    proofs: bool,
    sink: &mut Sink,
) -> Option<CorsPolicy> {
    match &route.cors {
        Field::Absent => inherited.cloned(),
        Field::Unreadable | Field::Is(Switch::Off) => None,
        Field::Is(Switch::On(cors)) => compile(cors, needs_token(route), proofs, sink),
    }
}

fn needs_token(route: &Route<'_>) -> bool {
    match route.access {
        Field::Absent | Field::Is(Access::Required) => true,
        Field::Is(Access::Public | Access::Optional | Access::Denied) | Field::Unreadable => false,
    }
}

/// `proofs` says whether some provider accepts proofs of possession.
fn compile(
    cors: &Cors<'_>,
    token_needed: bool,
    proofs: bool,
    sink: &mut Sink,
) -> Option<CorsPolicy> {
    let spec = CorsSpec {
        allow_origins: texts(&cors.allow_origins),
        allow_methods: texts(&cors.allow_methods),
        allow_headers: texts(&cors.allow_headers).map(|names| with_proof(names, proofs)),
        expose_headers: texts(&cors.expose_headers),
        allow_credentials: cors
            .allow_credentials
            .as_ref()
            .read()
            .copied()
            .unwrap_or(false),
        allow_private_network: cors
            .allow_private_network
            .as_ref()
            .read()
            .copied()
            .unwrap_or(false),
        max_age: cors.max_age.as_ref().read().copied(),
        token_needed,
    };
    match spec.compile() {
        Ok(policy) => Some(policy),
        Err(errors) => {
            for error in errors {
                report(cors, error, sink);
            }
            None
        }
    }
}

/// The allowed request headers. Where pages may send a token in `Authorization`, they may
/// send its proof too.
fn with_proof(mut names: Vec<String>, proofs: bool) -> Vec<String> {
    let has = |wanted: &str| names.iter().any(|name| name.eq_ignore_ascii_case(wanted));
    if proofs && has("authorization") && !has("dpop") {
        names.push("DPoP".to_owned());
    }
    names
}

fn texts(list: &Field<List<Text<'_>>>) -> Option<Vec<String>> {
    let list = list.as_ref().read()?;
    Some(
        list.items
            .iter()
            .map(|text| text.value.to_owned())
            .collect(),
    )
}

fn report(cors: &Cors<'_>, error: CorsError, sink: &mut Sink) {
    let list = match error.member {
        CorsMember::AllowOrigins => cors.allow_origins.as_ref(),
        CorsMember::AllowMethods => cors.allow_methods.as_ref(),
        CorsMember::AllowHeaders => cors.allow_headers.as_ref(),
        CorsMember::ExposeHeaders => cors.expose_headers.as_ref(),
        CorsMember::MaxAge => Field::Absent,
    };
    // Reading the form has reported this already.
    if matches!(error.problem, CorsProblem::Missing | CorsProblem::EmptyList) {
        return;
    }
    let list = list.read().map(|list| &*list.items).unwrap_or_default();
    let Some(entry) = error.index.and_then(|index| list.get(index)) else {
        sink.report(
            &cors.at.member(error.member.name()),
            Problem::Cors(error.problem),
        );
        return;
    };
    sink.report(&entry.at, entry_problem(entry, list, error.problem));
}

fn entry_problem(entry: &Text<'_>, list: &[Text<'_>], problem: CorsProblem) -> Problem {
    match problem {
        CorsProblem::Repeats(first) => {
            let first = list
                .get(first)
                .map_or_else(Path::root, |text| text.at.clone());
            ShapeProblem::Repeated {
                first: first.to_owned(),
            }
            .into()
        }
        // These name the entry in their message, or concern no entry.
        problem @ (CorsProblem::AnyOriginWithCredentials
        | CorsProblem::AnyHeaderWithCredentials
        | CorsProblem::AnyHeaderWithToken(_)
        | CorsProblem::Missing
        | CorsProblem::EmptyList
        | CorsProblem::NotWholeSeconds
        | CorsProblem::TooLong) => Problem::Cors(problem),
        problem @ (CorsProblem::Origin(_)
        | CorsProblem::AnyHostWithCredentials
        | CorsProblem::Method(_)
        | CorsProblem::NotAHeaderName) => Problem::CorsEntry(Excerpt::of(entry.value), problem),
    }
}
