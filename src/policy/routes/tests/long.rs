//! Long patterns that share most of their segments. The tree keeps these in one
//! node and has to split it at any place.

use super::random::{Random, rank};
use super::*;
use crate::http::path::PatternSegment;

const HOSTS: &[&str] = &["x.y.test", "*.y.test", "*.test", "other"];

struct World {
    /// Hosts, and a pattern.
    written: Vec<(String, String)>,
}

impl World {
    fn random(random: &mut Random) -> Self {
        let trunk = segments(random, 14);
        let written = (0..=random.below(12)).map(|_| {
            let mut path = trunk.clone();
            // A part of the trunk, sometimes with a segment replaced, and
            // sometimes with others after it.
            path.truncate(random.below(15));
            if random.below(2) == 0 && !path.is_empty() {
                let at = random.below(path.len());
                path[at] = segments(random, 1).remove(0);
            }
            if random.below(3) == 0 {
                let more = random.below(6);
                path.extend(segments(random, more));
            }
            (hosts(random), pattern(random, &path))
        });
        let mut written: Vec<_> = written.collect();
        // No two patterns clash, for any hosts.
        let mut shapes = std::collections::BTreeSet::new();
        written.retain(|(_, text)| shapes.insert(shape(text)));
        Self { written }
    }

    /// A request that matches some pattern, or nearly does.
    fn request(&self, random: &mut Random) -> Vec<&'static str> {
        let (_, text) = &self.written[random.below(self.written.len())];
        let mut segments: Vec<&str> = text
            .split('/')
            .skip(1)
            .filter(|segment| !segment.is_empty())
            .map(|segment| match segment {
                "a" => "a",
                "b" => "b",
                _ => random.pick(&["a", "b", "c"]),
            })
            .collect();
        match random.below(6) {
            0 => drop(segments.pop()),
            1 => segments.push(random.pick(&["a", "b"])),
            2 if !segments.is_empty() => {
                let at = random.below(segments.len());
                segments[at] = random.pick(&["a", "b", "c"]);
            }
            _ => {}
        }
        segments
    }
}

fn segments(random: &mut Random, count: usize) -> Vec<&'static str> {
    (0..count)
        .map(|_| random.pick(&["a", "a", "a", "b", "{v}"]))
        .collect()
}

fn hosts(random: &mut Random) -> String {
    let some: Vec<&str> = HOSTS
        .iter()
        .copied()
        .filter(|_| random.below(3) == 0)
        .collect();
    some.join(" ")
}

fn pattern(random: &mut Random, path: &[&str]) -> String {
    let mut text = format!("{} ", random.pick(&["GET", "POST", "ANY"]));
    for (at, segment) in path.iter().enumerate() {
        text.push('/');
        text.push_str(&segment.replace('v', &format!("v{at}")));
    }
    if random.below(5) == 0 {
        text.push_str("/{rest+}");
    } else if path.is_empty() {
        text.push('/');
    }
    text
}

/// A pattern without the names of its variables.
fn shape(text: &str) -> String {
    let digits = |character: char| !character.is_ascii_digit();
    text.chars()
        .filter(|character| digits(*character))
        .collect()
}

/// The route of a request by the rules of precedence.
fn best(
    patterns: &[(&str, RoutePattern)],
    host: &str,
    method: &str,
    segments: &[&str],
) -> Option<usize> {
    let ranked = patterns
        .iter()
        .enumerate()
        .flat_map(|(at, (hosts, pattern))| {
            // Without hosts, every host.
            let every = hosts.is_empty().then_some("");
            let hosts = hosts.split_whitespace().chain(every);
            hosts.filter_map(move |one| Some((rank((one, pattern), (host, method, segments))?, at)))
        });
    ranked.min().map(|(_, at)| at)
}

#[test]
fn long_patterns_that_share_most_of_their_segments_are_distinguished() {
    let (mut asked, mut found) = (0_u32, 0_u32);
    for seed in 0..300 {
        let mut random = Random::new(seed);
        let world = World::random(&mut random);
        let written: Vec<_> = world
            .written
            .iter()
            .map(|(hosts, text)| (hosts.as_str(), text.as_str()))
            .collect();
        let routes = Routes::new(PathRules::default(), &written);
        let patterns: Vec<_> = written
            .iter()
            .map(|(hosts, text)| (*hosts, RoutePattern::parse(text, &routes.rules).unwrap()))
            .collect();
        for _ in 0..50 {
            let host = random.pick(&["", "x.y.test", "z.y.test", "y.test", "other"]);
            let method = random.pick(&["GET", "POST", "HEAD", "PUT"]);
            let segments = world.request(&mut random);
            let best = best(&patterns, host, method, &segments);
            let path = format!("/{}", segments.join("/"));
            let place = routes.place(host, method, &path);
            let place = place.map(|place| place.route.0);
            assert_eq!(place, best, "{written:?} {host} {method} {path}");
            asked += 1;
            if let Some(best) = best {
                found += 1;
                variables(&routes, (host, method, &path), &patterns[best].1, &segments);
            }
        }
    }
    assert!(found > asked / 4 && found < asked, "{found} of {asked}");
}

/// Each variable has its segment.
fn variables(
    routes: &Routes,
    (host, method, path): (&str, &str, &str),
    pattern: &RoutePattern,
    segments: &[&str],
) {
    let RoutePattern::Path { path: wanted, .. } = pattern else {
        panic!("no path");
    };
    let host = Host::parse(Some(host.as_bytes())).unwrap();
    let path = NormalPath::parse(path.as_bytes(), &routes.rules).unwrap();
    let found = routes.table().find(host.as_ref(), method.as_bytes(), &path);
    let found = found.unwrap();
    let got: Vec<(String, Vec<u8>)> = found
        .variables()
        .map(|(name, value)| (name.to_owned(), value.to_vec()))
        .collect();
    let expected: Vec<_> = wanted
        .segments()
        .iter()
        .enumerate()
        .filter_map(|(at, segment)| match segment {
            PatternSegment::Literal(_) => None,
            PatternSegment::Variable(name) => Some((name.to_string(), segments[at].into())),
            PatternSegment::Greedy(name) => {
                Some((name.to_string(), segments[at..].join("/").into_bytes()))
            }
        })
        .collect();
    assert_eq!(got, expected);
}
