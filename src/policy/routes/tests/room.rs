//! The size of tables, and its limit.

use super::*;
use crate::http::path::MAX_PATTERN_SEGMENTS;

/// A table with this limit of segments. The patterns of a group have its hosts.
fn table(limit: usize, groups: &[(Vec<HostPattern>, Vec<String>)]) -> Result<RouteTable, BadTable> {
    let mut builder = TableBuilder::with_limit(limit);
    let mut routes = (0..).map(RouteId);
    for (hosts, texts) in groups {
        let hosts = builder.hosts(hosts);
        for (text, route) in texts.iter().zip(&mut routes) {
            let pattern = RoutePattern::parse(text, &PathRules::default()).unwrap();
            let rest = EntryRest {
                hosts,
                mcp: None,
                traits: RouteTraits::default(),
            };
            builder.add(PatternPosition { route, pattern: 0 }, &pattern, rest);
        }
    }
    builder.build(&|_, _| true)
}

fn texts(method: &str, numbers: std::ops::Range<usize>) -> Vec<String> {
    numbers
        .map(|number| format!("{method} /{number}"))
        .collect()
}

fn host(number: usize) -> HostPattern {
    HostPattern::parse(&format!("h{number}.test")).unwrap()
}

#[test]
fn the_common_part_of_patterns_is_one_node() {
    let trunk = "/a/{x}".repeat(100).replace("{x}", "b");
    let routes = Routes::of(&[&format!("GET {trunk}")]);
    // The root, with all segments, and the end marker.
    assert_eq!(routes.table().tree.nodes.len(), 2);
    let routes = Routes::of(&[
        &format!("GET {trunk}/c/d"),
        &format!("GET {trunk}/c/e"),
        &format!("PUT {trunk}/c/e"),
        &format!("GET {trunk}/{{x}}/e"),
        &format!("GET {trunk}"),
    ]);
    // The trunk, `c`, `d`, `e` and `{x}/e`.
    assert_eq!(routes.table().tree.nodes.len(), 6);
    assert_eq!(routes.table().tree.labels.len(), 200 + 1 + 1 + 1 + 2);
    assert_eq!(routes.table().tree.literals.len(), 5);
}

#[test]
fn hosts_with_the_same_routes_share_them() {
    let hosts: Vec<_> = (0..500).map(host).collect();
    let reversed: Vec<_> = hosts.iter().rev().cloned().collect();
    let groups = [
        (hosts, texts("GET", 0..250)),
        (reversed, texts("GET", 250..500)),
    ];
    let table = table(MAX_SEGMENTS, &groups).unwrap();
    assert_eq!(table.tree.slots.len(), 500);
    assert_eq!(table.defaults.len(), 2);
    for (at, number) in [(0, 0), (7, 499), (499, 33)] {
        let host = format!("h{at}.test");
        let host = Host::parse(Some(host.as_bytes())).unwrap();
        let path = format!("/{number}");
        let path = NormalPath::parse(path.as_bytes(), &PathRules::default()).unwrap();
        let found = table.find(host.as_ref(), b"GET", &path);
        assert_eq!(found.map(|found| found.route().0), Some(number));
    }
}

#[test]
fn segments_are_accepted_up_to_the_limit_and_one_more_is_refused() {
    let everywhere = |last: &str| {
        let long = format!("GET {}", "/a".repeat(MAX_PATTERN_SEGMENTS));
        let others = ["PUT /b/{x}/{rest+}".into(), "$default".into(), last.into()];
        [(Vec::new(), [vec![long], others.to_vec()].concat())]
    };
    let limit = MAX_PATTERN_SEGMENTS + 3 + 1 + 1;
    assert!(table(limit, &everywhere("GET /")).is_ok());
    assert!(table(limit, &everywhere("GET /c")).is_ok());
    let refused = table(limit, &everywhere("GET /c/d")).unwrap_err();
    assert_eq!(refused, BadTable::TooManySegments);
    assert_eq!(
        table(3, &everywhere("GET /")).unwrap_err(),
        BadTable::TooManySegments
    );
}

#[test]
fn a_pattern_counts_for_each_group_of_hosts() {
    let hosts: Vec<_> = (0..100).map(host).collect();
    let all = |count: usize| {
        let of_all = (hosts.clone(), texts("GET", 0..count));
        let own = hosts.iter().zip(0..);
        let own = own.map(|(host, number)| (vec![host.clone()], texts("PUT", number..number + 1)));
        [of_all].into_iter().chain(own).collect::<Vec<_>>()
    };
    let taken = table(10_000, &all(99)).unwrap();
    assert_eq!(taken.tree.slots.len(), 10_000);
    assert_eq!(
        table(10_000, &all(100)).unwrap_err(),
        BadTable::TooManySegments
    );
    // If the hosts have no routes of their own, they are one group.
    assert!(table(10_000, &all(9_000)[..1]).is_ok());
}

#[test]
fn thousands_of_clashes_are_not_all_named() {
    let same = vec!["GET /a".to_owned(); MAX_CLASHES + 10];
    let Err(BadTable::Clashes(clashes)) = table(MAX_SEGMENTS, &[(Vec::new(), same)]) else {
        panic!("no clash");
    };
    assert_eq!(clashes.len(), MAX_CLASHES);
}
