//! The routes under a path, compared with those of all short paths that continue it.

use super::random::{HOSTS, Random, random_routes, rank};
use super::*;
use std::collections::BTreeSet;

const SEGMENTS: [&str; 4] = ["a", "b", "c", "d"];

/// All lists of segments that continue `path` by up to `more` segments.
fn continued(path: &[&'static str], more: usize) -> Vec<Vec<&'static str>> {
    let mut all = vec![path.to_vec()];
    if let Some(more) = more.checked_sub(1) {
        for segment in SEGMENTS {
            let longer = [path, &[segment]].concat();
            all.extend(continued(&longer, more));
        }
    }
    all
}

#[test]
fn a_route_is_under_a_path_if_it_matches_one_that_continues_it() {
    let (mut under, mut beside) = (0, 0);
    for seed in 0..400 {
        let mut random = Random::new(seed);
        let written = random_routes(&mut random);
        let routes: Vec<_> = written.iter().map(|(h, r)| (*h, r.as_str())).collect();
        let routes = Routes::new(PathRules::default(), &routes);
        let host = HOSTS[1 + random.below(HOSTS.len() - 1)];
        let path: Vec<_> = (0..random.below(4))
            .map(|_| random.pick(&SEGMENTS))
            .map(|picked| *SEGMENTS.iter().find(|one| **one == picked).unwrap())
            .collect();
        // A pattern has at most three segments before `{rest+}`.
        let paths = continued(&path, 4usize.saturating_sub(path.len()).max(1));
        let matches = |(host_pattern, text): &(&str, String)| {
            let pattern = RoutePattern::parse(text, &routes.rules).unwrap();
            paths.iter().any(|segments| {
                ["GET", "HEAD", "POST"].iter().any(|method| {
                    rank((host_pattern, &pattern), (host, method, segments)).is_some()
                })
            })
        };
        let numbered = written.iter().enumerate();
        let expected: BTreeSet<_> = numbered
            .filter(|(_, route)| matches(route))
            .map(|(number, _)| number)
            .collect();
        let mut found = BTreeSet::new();
        let text = format!("/{}", path.join("/"));
        let normal = NormalPath::parse(text.as_bytes(), &routes.rules).unwrap();
        let name = Host::parse(Some(host.as_bytes())).unwrap().unwrap();
        routes
            .table()
            .each_under(&name, normal.segments().unwrap(), |route| {
                found.insert(route.0);
            });
        assert_eq!(found, expected, "{written:?} {host} {text}");
        under += expected.len();
        beside += written.len() - expected.len();
    }
    assert!(under > 500 && beside > 500, "{under} {beside}");
}
