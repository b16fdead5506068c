//! A weaker route that comes before a stricter one for some requests.
//!
//! Routes have a precedence and no order, so this happens without anyone's intention:
//! `GET /{a}/{b}` comes before `ANY /internal/{proxy+}`. A pattern that lies within another
//! one is an exception that was written on purpose, and is not reported. Each finding has a
//! request that the policy's own table gives to the weaker route.

mod index;
mod sample;

use super::collector::Warnings;
use super::strictness::{Strictness, is_weaker};
use crate::codes::Code;
use crate::patterns::Written;
use edge_authz::http::RoutePattern;
use edge_authz::policy::{Access, Policy};
use index::{Index, Search};

/// How many branches are visited in all: a second of work.
const MAX_STEPS: usize = 4_000_000;
/// How many pairs of patterns are compared in all.
const MAX_PAIRS: usize = 400_000;
/// How many findings are shown.
const MAX_FINDINGS: usize = 20;

/// Warns about each weaker pattern, with the first stricter one.
pub(super) fn of(policy: &Policy, written: &[Written], warnings: &mut Warnings<'_>) {
    let mut index = Index::new();
    let mut everywhere = Vec::new();
    for (number, one) in written.iter().enumerate() {
        let open = policy.route(one.place.route);
        if !open.is_some_and(|route| route.access != Access::Denied) {
            continue;
        }
        match &one.pattern {
            RoutePattern::Path { path, .. } => index.add(path.segments(), number),
            // It comes before the routes of other hosts only if it has hosts.
            RoutePattern::Default if one.hosts.is_empty() => {}
            RoutePattern::Default => everywhere.push(number),
        }
    }
    let mut lint = Lint {
        policy,
        written,
        reported: vec![false; written.len()],
        pairs: MAX_PAIRS,
        findings: 0,
    };
    let mut search = Search::new(&index, MAX_STEPS);
    for stricter in written {
        let route = policy.route(stricter.place.route);
        let strict = route.is_some_and(|route| Strictness::of(route) > Strictness::Optional);
        let Some(segments) = stricter.segments().filter(|_| strict) else {
            continue;
        };
        let complete = search.run(segments)
            && lint.compare(stricter, &search.found, warnings)
            && lint.compare(stricter, &everywhere, warnings);
        if !complete {
            let sentence = "not all overlaps of the routes were compared, because there are too many; \
                            write fewer patterns with variables at the same places";
            warnings.add(
                Code::ManyOverlaps,
                &[crate::subject::Step::Member("routes")],
                sentence,
            );
            return;
        }
    }
}

struct Lint<'l> {
    policy: &'l Policy,
    written: &'l [Written],
    reported: Vec<bool>,
    pairs: usize,
    findings: usize,
}

impl Lint<'_> {
    /// Warns about those of the patterns that are weaker and come first. `false`: a limit
    /// is reached.
    fn compare(
        &mut self,
        stricter: &Written,
        found: &[usize],
        warnings: &mut Warnings<'_>,
    ) -> bool {
        let Some(strict) = self.policy.route(stricter.place.route) else {
            return true;
        };
        for number in found {
            let known = self.written.get(*number);
            let reported = self.reported.get(*number).copied().unwrap_or(true);
            let Some(weaker) = known.filter(|_| !reported) else {
                continue;
            };
            if weaker.place.route == stricter.place.route || sample::never_first(weaker, stricter) {
                continue;
            }
            let Some(left) = self.pairs.checked_sub(1) else {
                return false;
            };
            self.pairs = left;
            let weak = self.policy.route(weaker.place.route);
            if !weak.is_some_and(|weak| is_weaker(weak, strict)) {
                continue;
            }
            let Some(request) = sample::won(self.policy, weaker, stricter) else {
                continue;
            };
            if let Some(reported) = self.reported.get_mut(*number) {
                *reported = true;
            }
            self.findings = self.findings.saturating_add(1);
            if self.findings > MAX_FINDINGS {
                return false;
            }
            let sentence = format!(
                "comes before the stricter `{}`, for example for `{request}`; add a route for these requests, \
                 or give both routes the same rules",
                stricter.text
            );
            let steps = stricter.steps();
            warnings.add_related(
                Code::WeakerFirst,
                &weaker.steps(),
                &sentence,
                (&steps, "the stricter route"),
            );
        }
        true
    }
}
