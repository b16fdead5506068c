mod hosts;
mod long;
mod mcp;
mod precedence;
mod random;
mod room;
mod spellings;
mod under;

use super::*;
use crate::http::{Host, HostPattern, NormalPath, PathRules, RoutePattern};

/// Routes, each with its hosts separated by blanks and one or more patterns
/// separated by commas, and the rules for their paths.
struct Routes {
    rules: PathRules,
    texts: Vec<Vec<String>>,
    built: Result<RouteTable, BadTable>,
}

impl Routes {
    fn new(rules: PathRules, routes: &[(&str, &str)]) -> Self {
        let parsed: Vec<(Vec<HostPattern>, Vec<RoutePattern>)> = routes
            .iter()
            .map(|(hosts, patterns)| {
                let hosts = hosts.split_whitespace();
                let patterns = patterns.split(", ");
                (
                    hosts
                        .map(|host| HostPattern::parse(host).unwrap())
                        .collect(),
                    patterns
                        .map(|pattern| RoutePattern::parse(pattern, &rules).unwrap())
                        .collect(),
                )
            })
            .collect();
        let entries = parsed
            .iter()
            .enumerate()
            .flat_map(|(route, (hosts, patterns))| {
                patterns
                    .iter()
                    .enumerate()
                    .map(move |(at, pattern)| RouteEntry {
                        place: PatternPosition {
                            route: RouteId(route),
                            pattern: at,
                        },
                        pattern,
                        hosts,
                        mcp: None,
                    })
            });
        let built = RouteTable::new(entries);
        let texts = parsed.iter().map(|(_, patterns)| {
            let texts = patterns.iter().map(ToString::to_string);
            texts.collect()
        });
        Self {
            texts: texts.collect(),
            built,
            rules,
        }
    }

    /// Routes for every host.
    fn of(patterns: &[&str]) -> Self {
        let routes: Vec<_> = patterns.iter().map(|pattern| ("", *pattern)).collect();
        Self::new(PathRules::default(), &routes)
    }

    fn table(&self) -> &RouteTable {
        self.built.as_ref().unwrap()
    }

    fn clashes(&self) -> Vec<(usize, usize)> {
        let Err(BadTable::Clashes(clashes)) = &self.built else {
            panic!("no clash");
        };
        clashes
            .iter()
            .map(|clash| (clash.first.route.0, clash.second.route.0))
            .collect()
    }

    fn place(&self, host: &str, method: &str, path: &str) -> Option<PatternPosition> {
        let host = Host::parse(Some(host.as_bytes())).unwrap();
        let path = NormalPath::parse(path.as_bytes(), &self.rules).ok()?;
        let found = self.table().find(host.as_ref(), method.as_bytes(), &path)?;
        Some(found.place())
    }

    /// The pattern that a request, `GET /path`, finds, and at which route.
    fn at(&self, host: &str, request: &str) -> Option<(usize, &str)> {
        let (method, path) = request.split_once(' ').unwrap();
        let place = self.place(host, method, path)?;
        let route = place.route.0;
        Some((route, &self.texts[route][place.pattern]))
    }

    fn get(&self, request: &str) -> Option<&str> {
        self.at("", request).map(|(_, text)| text)
    }

    fn variable(&self, request: &str, name: &str) -> Option<String> {
        let (method, path) = request.split_once(' ').unwrap();
        let path = NormalPath::parse(path.as_bytes(), &self.rules).unwrap();
        let found = self.table().find(None, method.as_bytes(), &path)?;
        let value = found.variable(name)?;
        Some(String::from_utf8(value.into()).unwrap())
    }
}
