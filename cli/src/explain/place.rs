//! Steps 1 to 4 in words: the route of a request.

use edge_authz::authz::{HostFault, PreflightStep, Target};
use edge_authz::cors::{PreflightFault, PreflightPart};
use edge_authz::http::{BadMcp, BadPath, Host, NormalPath, RequestHead, RoutePattern};
use edge_authz::policy::routes::{Found, PatternPosition, RouteMatch};
use edge_authz::policy::{Access, Policy, Resource, Route};

use super::quote;
use super::step::{Result as Outcome, Step};
use crate::patterns::{Written, table};
use crate::words;

/// Step 1: the client's copies of headers that only the filter may set, and whether the
/// next hop would remove the filter's own headers.
pub(super) fn headers(policy: &Policy, head: &RequestHead, names_identity: bool) -> Step {
    if names_identity {
        let outcome = "names a header that only the filter may set: the next hop would remove it";
        let input = "connection".to_owned();
        return Step::decided(1, "headers", input, outcome.to_owned());
    }
    let names = head.headers().iter().map(|(name, _)| name);
    let mut owned: Vec<_> = names
        .filter(|name| policy.upstream.owns(name))
        .map(quote)
        .collect();
    owned.sort();
    owned.dedup();
    if owned.is_empty() {
        let outcome = "the request has none that only the filter may set";
        return Step::skipped(1, "headers", outcome);
    }
    let outcome = "removed: only the filter may set them".to_owned();
    Step::passed(1, "headers", owned.join(", "), outcome)
}

/// Step 2: a refused method.
pub(super) fn method(head: &RequestHead) -> Step {
    let method = quote(head.method().unwrap_or_default());
    let outcome = "methods are case-sensitive, and some upstreams convert them to upper case";
    Step::decided(2, "method", method, outcome.to_owned())
}

/// Step 2: the path.
pub(super) fn path(head: &RequestHead, path: Result<&NormalPath<'_>, BadPath>) -> Step {
    let raw = head.path().unwrap_or_default();
    // A query may contain a token.
    let shown = quote(raw.split(|byte| *byte == b'?').next().unwrap_or_default());
    let path = match path {
        Ok(path) => path,
        Err(error) => return Step::decided(2, "path", shown, error.to_string()),
    };
    let outcome = match path.segments() {
        None => "outside of `paths.base`".to_owned(),
        Some([]) => "the root".to_owned(),
        Some(segments) => {
            let segments: Vec<_> = segments
                .iter()
                .map(|segment| quote(segment.text()))
                .collect();
            format!("segments {}", segments.join(" "))
        }
    };
    Step::passed(2, "path", shown, outcome)
}

/// Step 2: the host.
pub(super) fn add_host(path: &mut Step, host: Result<Option<&Host<'_>>, HostFault>) {
    let refused = match host {
        Ok(Some(host)) => {
            path.details.push(format!("host {}", host.as_str()));
            return;
        }
        Ok(None) => {
            let none = "no host: only routes without `hosts` are considered";
            path.details.push(none.to_owned());
            return;
        }
        Err(HostFault::Several) => "there are several `:authority` fields".to_owned(),
        Err(HostFault::Bad(error)) => error.to_string(),
    };
    path.result = Outcome::Decided;
    path.outcome = refused;
}

/// Step 3: a preflight is answered before the other steps.
pub(super) fn preflight(step: PreflightStep<'_>) -> Step {
    let (preflight, route, faults) = match step {
        PreflightStep::Ordinary => {
            return Step::skipped(3, "preflight", "the request is not a preflight");
        }
        PreflightStep::NoPolicy(preflight, route) => (preflight, route, None),
        PreflightStep::Answered(preflight, route, faults) => (preflight, route, Some(faults)),
    };
    let asked = preflight.requested_method().unwrap_or_default();
    let input = format!("for {}", quote(asked.as_bytes()));
    let of = match route {
        Some(route) => format!("of {}", route.name),
        None => "of the top level".to_owned(),
    };
    let Some(faults) = faults else {
        let outcome = format!("there is no policy {of}: an ordinary request");
        return Step::passed(3, "preflight", input, outcome);
    };
    let is_origin = |fault: &PreflightFault| fault.part == PreflightPart::Origin;
    let outcome = if faults.is_empty() {
        format!("the policy {of} allows it")
    } else if faults.iter().any(is_origin) {
        format!("the policy {of} does not allow the origin")
    } else {
        format!(
            "the policy {of} does not allow the call: the browser compares the lists and refuses"
        )
    };
    let details = faults.iter().map(PreflightFault::to_string);
    Step::decided(3, "preflight", input, outcome).with(details)
}

/// Step 3: the metadata of a resource, which come before preflights and routes.
pub(super) fn metadata(resource: Option<&Resource>, is_answered: bool) -> Step {
    let Some(resource) = resource else {
        let outcome = "no resource has its metadata at this path and host";
        return Step::skipped(3, "metadata", outcome);
    };
    let input = format!("of {}", resource.identifier);
    if is_answered {
        let outcome = "answered to everybody, without a token".to_owned();
        return Step::decided(3, "metadata", input, outcome);
    }
    let outcome = "only GET, HEAD and preflights are answered: an ordinary request";
    Step::passed(3, "metadata", input, outcome.to_owned())
}

/// Step 4: the route, and the routes with lower precedence.
pub(super) fn route(
    (policy, written): (&Policy, &[Written]),
    head: &RequestHead,
    target: &Target<'_>,
    reached: Option<(&RouteMatch<'_>, &Route)>,
) -> Step {
    let input = quote(target.method());
    let asked = Asked { target, head };
    let others = others(asked, written);
    let Some((found, route)) = reached else {
        let outcome = "no route matches".to_owned();
        return Step::decided(4, "route", input, outcome).with(others);
    };
    let winner = written.iter().find(|one| one.place == found.place());
    let variables = found
        .variables()
        .map(|(name, value)| format!("{{{name}}} is {}", quote(value)));
    let mut details: Vec<String> = variables.collect();
    details.extend(beaten(asked, written, winner));
    details.extend(others);
    let name = winner.map_or_else(|| route.name.to_string(), named);
    let outcome = format!("{name}: {}", words::who(policy, route));
    let step = match route.access {
        Access::Public | Access::Denied => Step::decided(4, "route", input, outcome),
        Access::Optional | Access::Required => Step::passed(4, "route", input, outcome),
    };
    step.with(details)
}

/// Step 4: MCP headers that do not decide between routes.
pub(super) fn bad_mcp(target: &Target<'_>, bad: BadMcp, lacks_token: bool) -> Step {
    let input = quote(target.method());
    let outcome = format!("{bad}, and routes of this path depend on it");
    if lacks_token {
        return Step::passed(4, "route", input, outcome);
    }
    let detail = "another route is no substitute: it may require less";
    Step::decided(4, "route", input, outcome).with([detail.to_owned()])
}

/// A request at its target.
#[derive(Clone, Copy)]
struct Asked<'a> {
    target: &'a Target<'a>,
    head: &'a RequestHead,
}

impl Asked<'_> {
    /// The position of the pattern that the request finds among these.
    fn among<'w>(self, written: impl IntoIterator<Item = &'w Written>) -> Option<PatternPosition> {
        let table = table(written);
        match table.find_of(self.target.host(), self.head, self.target.path())? {
            Found::Route(found) => Some(found.place()),
            Found::BadMcp { .. } => None,
        }
    }

    fn matches(self, one: &Written) -> bool {
        self.among([one]).is_some()
    }
}

/// The next routes in order of precedence: each lookup leaves out the routes that were
/// found before.
fn beaten(asked: Asked<'_>, written: &[Written], winner: Option<&Written>) -> Vec<String> {
    let winner = winner.map(|winner| winner.place);
    let rest = written.iter().filter(|one| Some(one.place) != winner);
    let mut rest: Vec<_> = rest.filter(|one| asked.matches(one)).collect();
    let mut beaten = Vec::new();
    while !rest.is_empty() {
        let Some(place) = asked.among(rest.iter().copied()) else {
            break;
        };
        let name = rest
            .iter()
            .find(|one| one.place == place)
            .map(|one| named(one));
        beaten.extend(name.map(|name| format!("beats {name}")));
        rest.retain(|one| one.place != place);
    }
    beaten
}

/// The routes that match the path and not the method, or not what an MCP request asks
/// for.
fn others(asked: Asked<'_>, written: &[Written]) -> Vec<String> {
    let target = asked.target;
    let other = |one: &Written| {
        let table = table([one]);
        let methods = table.methods_at(target.host(), target.path());
        if one.pattern == RoutePattern::Default || methods.named.is_empty() {
            return None;
        }
        let found = table.find(target.host(), target.method(), target.path());
        let difference = match found {
            Some(_) => "another MCP request",
            None => "another method",
        };
        Some(format!("not {}: {difference}", named(one)))
    };
    let others = written.iter().filter(|one| !asked.matches(one));
    others.filter_map(other).collect()
}

fn named(one: &Written) -> String {
    let hosts = match one.host_texts.as_slice() {
        [] => String::new(),
        hosts => format!(" on {}", hosts.join(", ")),
    };
    let mcp = match &one.mcp {
        None => String::new(),
        Some(condition) => format!(" for {}", words::mcp(condition)),
    };
    format!("`{}`{mcp}{hosts} (routes[{}])", one.text, one.place.route.0)
}
