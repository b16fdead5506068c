//! Random tables and requests, judged by the rules of precedence as documented,
//! without a tree.

use super::*;
use crate::http::MethodPattern;
use crate::http::path::PatternSegment;
use std::cmp::Reverse;

/// The same numbers in every run (xorshift).
pub(super) struct Random(u64);

impl Random {
    pub(super) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(super) fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        let number = usize::try_from(self.0 >> 33).unwrap();
        number.checked_rem(limit).unwrap()
    }

    pub(super) fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.below(from.len())]
    }
}

const METHODS: &[&str] = &["GET", "HEAD", "POST", "ANY"];
const PATTERN_SEGMENTS: &[&str] = &["a", "b", "c", "{v}", "{v}"];
const PATTERN_HOSTS: &[&str] = &["", "", "x.y.test", "*.y.test", "*.test"];
pub(super) const HOSTS: &[&str] = &["", "x.y.test", "z.y.test", "y.test", "other"];

fn random_route(random: &mut Random) -> (&'static str, String) {
    let host = random.pick(PATTERN_HOSTS);
    if random.below(12) == 0 {
        return (host, "$default".into());
    }
    let mut path = String::new();
    for at in 0..random.below(4) {
        let segment = random.pick(PATTERN_SEGMENTS);
        path.push('/');
        path.push_str(&segment.replace('v', &format!("v{at}")));
    }
    if random.below(4) == 0 {
        path.push_str("/{rest+}");
    } else if path.is_empty() {
        path.push('/');
    }
    (host, format!("{} {path}", random.pick(METHODS)))
}

/// Up to fourteen distinct routes, sorted.
pub(super) fn random_routes(random: &mut Random) -> Vec<(&'static str, String)> {
    let mut written: Vec<_> = (0..=random.below(14))
        .map(|_| random_route(random))
        .collect();
    written.sort();
    written.dedup();
    written
}

/// The rank of a match, smaller is better; `None`: no match.
pub(super) fn rank(
    (host_pattern, pattern): (&str, &RoutePattern),
    (host, method, segments): (&str, &str, &[&str]),
) -> Option<impl Ord + use<>> {
    let host_rank = match HostPattern::parse(host_pattern) {
        Err(_) => (2, Reverse(0)),
        Ok(HostPattern::Exact(exact)) if *exact == *host => (0, Reverse(0)),
        Ok(HostPattern::Below(name)) if host.ends_with(&format!(".{name}")) => {
            (1, Reverse(name.len()))
        }
        Ok(_) => return None,
    };
    let RoutePattern::Path {
        method: wanted,
        path,
    } = pattern
    else {
        return Some((host_rank, 2, Vec::new(), 0));
    };
    let method_rank = match wanted {
        MethodPattern::Any => 2,
        MethodPattern::Named(named) if named.as_str() == method => 0,
        MethodPattern::Named(named) if named.as_str() == "GET" && method == "HEAD" => 1,
        MethodPattern::Named(_) => return None,
    };
    let mut kinds = Vec::new();
    for (at, segment) in path.segments().iter().enumerate() {
        kinds.push(match (segment, segments.get(at)?) {
            (PatternSegment::Literal(key), text) if **key == *text.as_bytes() => 0,
            (PatternSegment::Literal(_), _) => return None,
            (PatternSegment::Variable(_), _) => 1,
            (PatternSegment::Greedy(_), _) => {
                kinds.push(2);
                return Some((host_rank, 1, kinds, method_rank));
            }
        });
    }
    (kinds.len() == segments.len()).then_some((host_rank, 0, kinds, method_rank))
}

#[test]
fn the_tree_follows_the_rules_of_precedence_in_any_order_of_routes() {
    let mut asked = 0_u32;
    let mut found = 0_u32;
    for seed in 0..600 {
        let mut random = Random::new(seed);
        let mut written = random_routes(&mut random);
        // Then any order.
        let by = random.below(written.len());
        written.rotate_left(by);
        let routes: Vec<_> = written.iter().map(|(h, r)| (*h, r.as_str())).collect();
        let routes = Routes::new(PathRules::default(), &routes);
        let patterns: Vec<_> = written
            .iter()
            .map(|(host, text)| (*host, RoutePattern::parse(text, &routes.rules).unwrap()))
            .collect();
        for _ in 0..60 {
            let host = random.pick(HOSTS);
            let method = random.pick(&["GET", "HEAD", "POST", "PUT"]);
            let segments: Vec<_> = (0..random.below(5))
                .map(|_| random.pick(&["a", "b", "c", "d"]))
                .collect();
            let best = patterns
                .iter()
                .enumerate()
                .filter_map(|(at, (host_pattern, pattern))| {
                    let request = (host, method, segments.as_slice());
                    Some((rank((host_pattern, pattern), request)?, at))
                })
                .min()
                .map(|(_, at)| at);
            let path = format!("/{}", segments.join("/"));
            let place = routes.place(host, method, &path);
            assert_eq!(place.map(|place| place.route.0), best, "{written:?} {path}");
            asked += 1;
            found += u32::from(best.is_some());
        }
    }
    assert!(found > asked / 4 && found < asked, "{found} of {asked}");
}
