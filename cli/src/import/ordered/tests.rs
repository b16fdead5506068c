//! Compares the routes with a simple evaluation of the rules, for many random rules and
//! requests: nothing passes that the rules refuse.

#![allow(
    clippy::arithmetic_side_effects,
    reason = "a test ends at the first unexpected result"
)]

use std::collections::BTreeSet;

use super::*;
use crate::import::plan::{Part, Shape};
use edge_authz::http::{PathRules, RoutePattern};

/// A generator of numbers (xorshift), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn pick<'t, T: ?Sized>(&mut self, list: &[&'t T]) -> &'t T {
        list[usize::try_from(self.below(u64::try_from(list.len()).unwrap())).unwrap()]
    }

    fn path(&mut self) -> String {
        let count = self.below(4);
        let words = ["a", "b", "ab", "abc"];
        let parts: Vec<_> = (0..count).map(|_| self.pick(&words)).collect();
        format!("/{}", parts.join("/"))
    }
}

/// A match as the source evaluates it.
#[derive(Debug, Clone)]
struct Match {
    kind: u64,
    text: String,
    method: Option<&'static str>,
}

impl Match {
    fn random(random: &mut Random) -> Self {
        let kind = random.below(6);
        let mut text = random.path();
        if kind == 2 && random.below(2) == 0 && text != "/" {
            text.push('/');
        }
        if kind == 4 {
            text = text.replace("/b", "/{*}");
        }
        if kind == 5 {
            text = format!("{}/{{**}}", text.trim_end_matches('/'));
        }
        let method = (random.below(3) == 0).then(|| random.pick(&["GET", "POST", "HEAD"]));
        Self { kind, text, method }
    }

    fn region(&self) -> Region {
        let at = 0..0;
        let region = match self.kind {
            0 => Region::exact(&at, &self.text),
            1 => Region::below(&at, &self.text),
            2 => Region::prefix(&at, &self.text),
            3 => Region::exact(&at, &self.text).conditional(),
            _ => Region::template(&at, &self.text),
        };
        match self.method {
            Some(method) => region.with_methods(&[method]),
            None => region,
        }
    }

    /// Whether it has a request; `None`: it may.
    fn has(&self, method: &str, path: &str) -> Option<bool> {
        if self.method.is_some_and(|own| own != method) {
            return Some(false);
        }
        let text = &*self.text;
        let below = |text: &str| {
            path == text || path.starts_with(&format!("{}/", text.trim_end_matches('/')))
        };
        let segments = |text: &str| text.split('/').map(str::to_owned).collect::<Vec<_>>();
        Some(match self.kind {
            0 => path == text,
            1 => below(text),
            2 => path.starts_with(text),
            3 if path == text => return None,
            3 => false,
            _ => {
                let (own, rest) = match text.strip_suffix("/{**}") {
                    Some(own) => (own, true),
                    None => (text, false),
                };
                let (own, path) = (segments(own), segments(path));
                let fits = own
                    .iter()
                    .zip(&path)
                    .all(|(own, part)| own == "{*}" && !part.is_empty() || own == part);
                if rest && fits && path.len() == own.len() {
                    return None;
                }
                fits && if rest {
                    path.len() > own.len()
                } else {
                    path.len() == own.len()
                }
            }
        })
    }
}

fn random_need(random: &mut Random) -> Need {
    let names = |list: &[&str]| {
        list.iter()
            .map(|name| (*name).to_owned())
            .collect::<Names>()
    };
    match random.below(6) {
        0 => Need::Open,
        1 => Need::denied("x"),
        2 => Need::Optional(names(&["a", "b"])),
        3 => Need::Token(names(&["a", "b"]), Conditions::default()),
        4 => Need::Token(names(&["a"]), Conditions::default()),
        _ => {
            let any_scopes = BTreeSet::from([random.pick(&["r", "w"]).to_owned()]);
            let conditions = Conditions {
                any_scopes,
                ..Conditions::default()
            };
            Need::Token(names(&["a"]), conditions)
        }
    }
}

/// The routes that decide about a request.
fn found<'r>(routes: &'r [Route], method: &str, path: &str) -> &'r Rule {
    let path: Vec<&[u8]> = path
        .split('/')
        .skip(1)
        .filter(|part| !part.is_empty())
        .map(str::as_bytes)
        .collect();
    let matching = routes.iter().filter_map(|route| {
        let shape = Shape::of(&RoutePattern::parse(&route.pattern, &PathRules::default()).unwrap());
        let named = match shape.method.as_deref() {
            None => 2,
            Some(named) if named == method => 0,
            Some("GET") if method == "HEAD" => 1,
            Some(_) => return None,
        };
        shape
            .matches(&path)
            .then(|| (shape.rank(), named, &route.rule))
    });
    matching
        .min_by(|one, other| (&one.0, one.1).cmp(&(&other.0, other.1)))
        .unwrap()
        .2
}

/// Whether a rule lets pass something that a need refuses.
fn opens(rule: &Rule, need: &Need) -> bool {
    let set = |names: &[String]| names.iter().cloned().collect::<Names>();
    match (rule, need) {
        (Rule::Denied(_), _) | (_, Need::Open) => false,
        (Rule::Optional(own) | Rule::Token(own, _), Need::Optional(names)) => {
            !set(own).is_subset(names)
        }
        (Rule::Token(own, scopes), Need::Token(names, rules)) => {
            let scopes = match scopes {
                Scopes::AnyOf(list) | Scopes::AllOf(list) => set(list),
            };
            let met = rules.any_scopes.is_empty()
                || (!scopes.is_empty() && scopes.is_subset(&rules.any_scopes));
            !set(own).is_subset(names) || !met
        }
        _ => true,
    }
}

#[test]
fn no_request_passes_that_the_first_rule_refuses() {
    let mut random = Random(0x5eed_1234_5678_9abc);
    let mut passed = 0;
    for _ in 0..3_000 {
        let rules: Vec<(Match, Need)> = (0..=random.below(5))
            .map(|_| (Match::random(&mut random), random_need(&mut random)))
            .collect();
        let last = random_need(&mut random);
        let layers = rules
            .iter()
            .map(|(one, need)| (one.region(), Layer::Fixed(need.clone())));
        let site = Site {
            hosts: Vec::new(),
            at: 0..0,
            rules: Layer::First(layers.collect(), Box::new(Layer::Fixed(last.clone()))),
        };
        let routes = routes(&site).unwrap();
        for _ in 0..40 {
            let (method, path) = (random.pick(&["GET", "POST", "HEAD", "PUT"]), random.path());
            let rule = found(&routes, method, &path);
            for (one, need) in rules
                .iter()
                .map(|(one, need)| (Some(one), need))
                .chain([(None, &last)])
            {
                let has = one.map_or(Some(true), |one| one.has(method, &path));
                if has != Some(false) {
                    assert!(
                        !opens(rule, need),
                        "{method} {path}: {rule:?} {need:?}\n{rules:#?}\n{last:?}\n{routes:#?}"
                    );
                }
                if has == Some(true) {
                    break;
                }
            }
            passed += usize::from(!matches!(rule, Rule::Denied(_)));
        }
    }
    assert!(passed > 20_000, "nearly everything is denied: {passed}");
}

#[test]
fn no_request_passes_that_a_policy_denies_or_none_allows() {
    let mut random = Random(0x1357_9bdf_2468_ace0);
    let mut passed = 0;
    for _ in 0..3_000 {
        let deny: Vec<Match> = (0..random.below(3))
            .map(|_| Match::random(&mut random))
            .collect();
        let allow: Vec<Match> = (0..=random.below(3))
            .map(|_| Match::random(&mut random))
            .collect();
        let denial = Denial::Always("x".to_owned());
        let layers = vec![
            Layer::Deny(
                deny.iter()
                    .map(|one| (one.region(), denial.clone()))
                    .collect(),
            ),
            Layer::Allow(allow.iter().map(|one| (one.region(), Need::Open)).collect()),
        ];
        let site = Site {
            hosts: Vec::new(),
            at: 0..0,
            rules: Layer::All(layers),
        };
        let routes = routes(&site).unwrap();
        for _ in 0..40 {
            let (method, path) = (random.pick(&["GET", "POST", "HEAD", "PUT"]), random.path());
            let denied = deny.iter().any(|one| one.has(method, &path) != Some(false));
            let allowed = allow.iter().any(|one| one.has(method, &path) == Some(true));
            let opened = *found(&routes, method, &path) == Rule::Public;
            assert!(
                !opened || (allowed && !denied),
                "{method} {path}\n{deny:#?}\n{allow:#?}\n{routes:#?}"
            );
            passed += usize::from(opened);
        }
    }
    assert!(passed > 2_000, "nearly everything is denied: {passed}");
}

#[test]
fn a_template_has_its_variables_as_segments() {
    let region = Region::template(&(0..0), "/a/{*}");
    let path = vec![Part::Literal(b"a".to_vec()), Part::Variable];
    assert_eq!(region.inner, [Some(path)]);
}
