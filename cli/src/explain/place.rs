//! Steps 1 to 4: which route a request has.

use crate::patterns::{Written, table};
use crate::words;
use edge_authz::cors::{Preflight, PreflightFault, PreflightPart};
use edge_authz::http::{Host, NormalPath, RequestHead, RoutePattern};
use edge_authz::policy::routes::Found;
use edge_authz::policy::{Access, Policy, Route};

use super::quote;
use super::step::Step;

/// Where a request goes.
pub(crate) struct Place<'r> {
    path: NormalPath<'r>,
    host: Option<Host<'r>>,
}

/// Step 1: the client's copies of headers that only the filter may set, and
/// whether the next hop would remove the filter's own.
pub(crate) fn headers(policy: &Policy, head: &RequestHead) -> Result<Step, Step> {
    let owned = |option: &[u8]| policy.upstream.owns(option);
    if head.headers().is_connection_option(owned) {
        let outcome = "names a header that only the filter may set: the next hop would remove it";
        return Err(Step::decided(
            1,
            "headers",
            "connection".to_owned(),
            outcome.to_owned(),
        ));
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
        return Ok(Step::skipped(1, "headers", outcome));
    }
    let outcome = "removed: only the filter may set them".to_owned();
    Ok(Step::passed(1, "headers", owned.join(", "), outcome))
}

/// Step 2: method, path and host.
pub(crate) fn place<'r>(policy: &Policy, head: &'r RequestHead) -> Result<(Place<'r>, Step), Step> {
    let method = head.method().unwrap_or_default();
    if !policy.table.has_one_reading(method) {
        let outcome = "methods are case-sensitive, and some upstreams write them in upper case";
        return Err(Step::decided(
            2,
            "method",
            quote(method),
            outcome.to_owned(),
        ));
    }
    let raw = head.path().unwrap_or_default();
    // A query may hold a token.
    let shown = quote(raw.split(|byte| *byte == b'?').next().unwrap_or_default());
    let refused = |outcome: String| Step::decided(2, "path", shown.clone(), outcome);
    let path = NormalPath::parse(raw, &policy.paths).map_err(|error| refused(error.to_string()))?;
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
    let mut details = Vec::new();
    let host = if policy.table.uses_hosts() {
        let host = Host::parse(head.authority()).map_err(|error| refused(error.to_string()))?;
        details.push(match &host {
            Some(host) => format!("host {}", host.as_str()),
            None => "no host: only routes without `hosts` are looked at".to_owned(),
        });
        host
    } else {
        None
    };
    let step = Step::passed(2, "path", shown, outcome).with(details);
    Ok((Place { path, host }, step))
}

impl Place<'_> {
    fn find<'p>(&'p self, policy: &'p Policy, method: &[u8]) -> Option<(Found<'p>, &'p Route)> {
        let found = policy.table.find(self.host.as_ref(), method, &self.path)?;
        let route = policy.route(found.route())?;
        Some((found, route))
    }

    /// Step 4: the route, and those that it beats.
    pub(crate) fn route<'p>(
        &'p self,
        policy: &'p Policy,
        written: &[Written],
        method: &[u8],
    ) -> Result<(Found<'p>, &'p Route, Step), Step> {
        let input = quote(method);
        let others = self.others(written, method);
        let Some((found, route)) = self.find(policy, method) else {
            let outcome = "no route matches".to_owned();
            return Err(Step::decided(4, "route", input, outcome).with(others));
        };
        let winner = written.iter().find(|one| one.place == found.place());
        let variables = found
            .variables()
            .map(|(name, value)| format!("{{{name}}} is {}", quote(value)));
        let mut details: Vec<String> = variables.collect();
        details.extend(self.beaten(written, method, winner));
        details.extend(others);
        let name = winner.map_or_else(|| route.name.to_string(), named);
        let outcome = format!("{name}: {}", words::who(policy, route));
        let step = match route.access {
            Access::Public | Access::Denied => Step::decided(4, "route", input, outcome),
            Access::Optional | Access::Required => Step::passed(4, "route", input, outcome),
        };
        Ok((found, route, step.with(details)))
    }

    fn matches(&self, one: &Written, method: &[u8]) -> bool {
        table([one])
            .find(self.host.as_ref(), method, &self.path)
            .is_some()
    }

    /// The routes that would have been next, in their order: the table is
    /// asked again without those before.
    fn beaten(&self, written: &[Written], method: &[u8], winner: Option<&Written>) -> Vec<String> {
        let winner = winner.map(|winner| winner.place);
        let rest = written.iter().filter(|one| Some(one.place) != winner);
        let mut rest: Vec<_> = rest.filter(|one| self.matches(one, method)).collect();
        let mut beaten = Vec::new();
        while !rest.is_empty() {
            let next = table(rest.iter().copied());
            let Some(found) = next.find(self.host.as_ref(), method, &self.path) else {
                break;
            };
            let place = found.place();
            let name = rest
                .iter()
                .find(|one| one.place == place)
                .map(|one| named(one));
            beaten.extend(name.map(|name| format!("beats {name}")));
            rest.retain(|one| one.place != place);
        }
        beaten
    }

    /// The routes that have the path and not the method.
    fn others(&self, written: &[Written], method: &[u8]) -> Vec<String> {
        let has_path = |one: &&Written| {
            let table = table([*one]);
            let methods = table.methods_at(self.host.as_ref(), &self.path);
            one.pattern != RoutePattern::Default && !methods.named.is_empty()
        };
        let others = written.iter().filter(|one| !self.matches(one, method));
        others
            .filter(has_path)
            .map(|one| format!("not {}: another method", named(one)))
            .collect()
    }
}

/// Step 3: a preflight is answered before anything else.
pub(crate) fn preflight(
    policy: &Policy,
    head: &RequestHead,
    place: Option<&Place<'_>>,
    faults: &[PreflightFault],
) -> Step {
    let method = head.method().unwrap_or_default();
    let Some(preflight) = Preflight::detect(method, head.headers().iter()) else {
        return Step::skipped(3, "preflight", "the request is none");
    };
    let asked = preflight.requested_method().unwrap_or_default();
    let input = format!("for {}", quote(asked.as_bytes()));
    let place = place.filter(|_| policy.table.has_one_reading(asked.as_bytes()));
    let reached = place.and_then(|place| place.find(policy, asked.as_bytes()));
    let (cors, of) = match &reached {
        Some((_, route)) => (route.cors.as_ref(), format!("of {}", route.name)),
        None => (policy.cors.as_ref(), "of the top level".to_owned()),
    };
    if cors.is_none() {
        let outcome = format!("the policy {of} is none: an ordinary request");
        return Step::passed(3, "preflight", input, outcome);
    }
    let is_origin = |fault: &PreflightFault| fault.part == PreflightPart::Origin;
    let outcome = if faults.is_empty() {
        format!("the policy {of} allows it")
    } else if faults.iter().any(is_origin) {
        format!("the policy {of} does not allow the origin")
    } else {
        format!("the policy {of} does not allow all of it: the browser reads the lists and refuses")
    };
    let details = faults.iter().map(PreflightFault::to_string);
    Step::decided(3, "preflight", input, outcome).with(details)
}

fn named(one: &Written) -> String {
    let hosts = match one.host_texts.as_slice() {
        [] => String::new(),
        hosts => format!(" on {}", hosts.join(", ")),
    };
    format!("`{}`{hosts} (routes[{}])", one.text, one.place.route.0)
}
