//! The route table, compared with the rules of precedence applied to one route after the
//! other.
//!
//! The input is lines of routes, `[host ]METHOD /path` or `[host ]$default`, an empty
//! line, and lines of requests, `[host ]METHOD /path`. If the bytes are not such a text,
//! routes and requests are generated from them.

use std::collections::BTreeSet;

use arbitrary::Unstructured;
use edge_authz::http::{Host, HostPattern, NormalPath, PathRules, RoutePattern};
use edge_authz::policy::routes::{BadTable, PatternPosition, RouteEntry, RouteId, RouteTable};

pub(crate) fn target(data: &[u8]) {
    let world = written(data)
        .filter(|world| !world.routes.is_empty())
        .or_else(|| made(&mut Unstructured::new(data)).ok());
    if let Some(world) = world {
        world.judge();
    }
}

struct World {
    routes: Vec<Route>,
    requests: Vec<Request>,
}

/// A route: its host as written, and its pattern.
struct Route {
    host: Option<HostPattern>,
    text: String,
    pattern: RoutePattern,
}

struct Request {
    host: String,
    method: String,
    path: String,
}

fn written(data: &[u8]) -> Option<World> {
    let text = std::str::from_utf8(data).ok()?;
    let (routes, requests) = text.split_once("\n\n")?;
    let routes = routes.lines().take(32).filter_map(Route::parse).collect();
    let requests = requests.lines().take(32).filter_map(|line| {
        let words: Vec<_> = line.split(' ').collect();
        let (host, method, path) = match *words.as_slice() {
            [method, path] => ("", method, path),
            [host, method, path] => (host, method, path),
            _ => return None,
        };
        Some(Request {
            host: host.into(),
            method: method.into(),
            path: path.into(),
        })
    });
    Some(World {
        routes,
        requests: requests.collect(),
    })
}

/// Small alphabets, so that routes overlap.
fn made(input: &mut Unstructured<'_>) -> arbitrary::Result<World> {
    let mut routes = Vec::new();
    for _ in 0..input.int_in_range(1..=10)? {
        let host = input.choose(&["", "", "x.y.test ", "*.y.test ", "*.test "])?;
        let method = input.choose(&["GET", "HEAD", "POST", "ANY"])?;
        let mut path = String::new();
        for at in 0..input.int_in_range(0..=3)? {
            path += input.choose(&["/a", "/b", "/c"]).copied()?;
            if input.ratio(2, 5)? {
                path.truncate(path.len() - 1);
                path.extend(["{v", &at.to_string(), "}"]);
            }
        }
        if input.ratio(1, 4)? {
            path += "/{rest+}";
        }
        let slash = if path.is_empty() { "/" } else { "" };
        let line = if input.ratio(1, 12)? {
            format!("{host}$default")
        } else {
            format!("{host}{method} {path}{slash}")
        };
        routes.extend(Route::parse(&line));
    }
    let mut requests = Vec::new();
    for _ in 0..input.int_in_range(1..=10)? {
        let host = *input.choose(&["", "x.y.test", "z.y.test", "y.test", "other"])?;
        let method = *input.choose(&["GET", "HEAD", "POST", "PUT"])?;
        let mut path = String::new();
        for _ in 0..input.int_in_range(0..=4)? {
            path += input.choose(&["/a", "/b", "/c", "/d"]).copied()?;
        }
        if path.is_empty() || input.ratio(1, 8)? {
            path += "/";
        }
        requests.push(Request {
            host: host.into(),
            method: method.into(),
            path,
        });
    }
    Ok(World { routes, requests })
}

impl Route {
    fn parse(line: &str) -> Option<Self> {
        let (host, text) = match line.split_once(' ') {
            Some((host, rest)) if rest.contains(' ') || rest == "$default" => (Some(host), rest),
            _ => (None, line),
        };
        let host = match host {
            Some(host) => Some(HostPattern::parse(host).ok()?),
            None => None,
        };
        let pattern = RoutePattern::parse(text, &PathRules::default()).ok()?;
        assert!(has_method(text), "{text}: taken as a method");
        let text = text.into();
        Some(Self {
            host,
            text,
            pattern,
        })
    }

    fn method(&self) -> &str {
        self.text.split(' ').next().unwrap()
    }

    /// The segments of the pattern as written; empty for `$default`.
    fn segments(&self) -> Option<Vec<&str>> {
        let (_, path) = self.text.split_once(' ')?;
        Some(segments(path))
    }

    /// Two routes with the same shape match the same requests.
    fn shape(&self) -> (Option<HostPattern>, &str, Option<Vec<Vec<u8>>>) {
        let kind = |segment: &str| match (segment.starts_with('{'), segment.ends_with("+}")) {
            (true, true) => b"{+}".to_vec(),
            (true, false) => b"{}".to_vec(),
            (false, _) => decoded(segment),
        };
        let segments = self.segments();
        let segments = segments.map(|segments| segments.into_iter().map(kind).collect());
        (self.host.clone(), self.method(), segments)
    }

    /// How well the route matches; a smaller value is better.
    fn rank(&self, request: &Request) -> Option<impl Ord + use<>> {
        let host = request.host.to_ascii_lowercase();
        let host = match &self.host {
            None => (2, 0),
            Some(HostPattern::Exact(exact)) => (*host == **exact).then_some((0, 0))?,
            Some(HostPattern::Below(name)) => host
                .strip_suffix(&**name)?
                .strip_suffix('.')
                .map(|_| (1, 1000 - name.len()))?,
        };
        let Some(pattern) = self.segments() else {
            return Some((host, 3, Vec::new(), 0));
        };
        let method = match (self.method(), &*request.method) {
            (wanted, method) if wanted == method && wanted != "ANY" => 0,
            ("GET", "HEAD") => 1,
            ("ANY", _) => 2,
            _ => return None,
        };
        let path = segments(&request.path);
        let greedy = pattern.last().is_some_and(|last| last.ends_with("+}"));
        let fits = if greedy {
            path.len() >= pattern.len()
        } else {
            path.len() == pattern.len()
        };
        let kinds = pattern.iter().zip(&path).map(|(wanted, segment)| {
            if wanted.starts_with('{') {
                Some(1)
            } else {
                (decoded(wanted) == decoded(segment)).then_some(0)
            }
        });
        let kinds: Option<Vec<u8>> = kinds.collect();
        // The greedy variable is the worst match in its position.
        let mut kinds = kinds.filter(|_| fits)?;
        if greedy {
            *kinds.last_mut().unwrap() = 2;
        }
        Some((host, 1 + u8::from(greedy), kinds, method))
    }

    fn variables(&self, request: &Request) -> Vec<(String, Vec<u8>)> {
        let path = segments(&request.path);
        let pattern = self.segments().unwrap_or_default();
        let mut variables = Vec::new();
        for (at, segment) in pattern.iter().enumerate() {
            let Some(name) = segment.strip_prefix('{') else {
                continue;
            };
            let name = name.strip_suffix('}').unwrap();
            variables.push(match name.strip_suffix('+') {
                None => (name.to_owned(), decoded(path[at])),
                Some(name) => (name.to_owned(), decoded(&path[at..].join("/"))),
            });
        }
        variables
    }
}

/// `$default`, or a pattern whose method is upper-case letters and hyphens, and not the
/// wildcard of other routers.
fn has_method(text: &str) -> bool {
    let Some((method, _)) = text.split_once(' ') else {
        return text == "$default";
    };
    let hyphens_only_inside = !format!("-{method}-").contains("--");
    let letters = |c: char| c == '-' || c.is_ascii_uppercase();
    method.chars().all(letters) && hyphens_only_inside && method != "ALL"
}

fn segments(path: &str) -> Vec<&str> {
    let path = path.split('?').next().unwrap();
    let path = path.strip_prefix('/').unwrap_or(path);
    let path = path.strip_suffix('/').unwrap_or(path);
    if path.is_empty() {
        Vec::new()
    } else {
        path.split('/').collect()
    }
}

fn decoded(segment: &str) -> Vec<u8> {
    crate::reference::path::decode(segment.as_bytes())
}

impl World {
    fn judge(&self) {
        let entries = self.routes.iter().enumerate().map(|(index, route)| {
            let route_id = RouteId(index);
            RouteEntry {
                place: PatternPosition {
                    route: route_id,
                    pattern: 0,
                },
                pattern: &route.pattern,
                hosts: route.host.as_slice(),
                mcp: None,
            }
        });
        let shapes: BTreeSet<_> = self.routes.iter().map(Route::shape).collect();
        let table = RouteTable::new(entries);
        assert_eq!(table.is_ok(), shapes.len() == self.routes.len());
        let table = match table {
            Ok(table) => table,
            Err(BadTable::TooManySegments) => panic!("these are few"),
            Err(BadTable::Clashes(clashes)) => {
                for clash in clashes {
                    let shape = |place: PatternPosition| self.routes[place.route.0].shape();
                    assert!(clash.first < clash.second);
                    assert!(shape(clash.first) == shape(clash.second));
                }
                return;
            }
        };
        for request in &self.requests {
            self.judge_request(&table, request);
        }
    }

    fn judge_request(&self, table: &RouteTable, request: &Request) {
        let rules = PathRules::default();
        let Ok(path) = NormalPath::parse(request.path.as_bytes(), &rules) else {
            return;
        };
        let Ok(host) = Host::parse(Some(request.host.as_bytes())) else {
            return;
        };
        let written = host.as_ref().map_or("", Host::as_str);
        if written != request.host.to_ascii_lowercase() || written.contains(':') {
            // With a port or a trailing dot, which the reference does not support.
            return;
        }
        let ranked = self.routes.iter().enumerate();
        let ranked = ranked.filter_map(|(index, route)| Some((route.rank(request)?, index)));
        let best = ranked.min().map(|(_, index)| index);
        let found = table.find(host.as_ref(), request.method.as_bytes(), &path);
        let line = format!("{} {} {}", request.host, request.method, request.path);
        assert_eq!(found.as_ref().map(|found| found.route().0), best, "{line}");
        if let (Some(found), Some(best)) = (found, best) {
            let variables = found
                .variables()
                .map(|(name, value)| (name.to_owned(), value.to_vec()));
            let expected = self.routes[best].variables(request);
            assert_eq!(variables.collect::<Vec<_>>(), expected, "{line}");
        }
        self.judge_methods(table, host.as_ref(), &path, request);
    }

    fn judge_methods(
        &self,
        table: &RouteTable,
        host: Option<&Host<'_>>,
        path: &NormalPath<'_>,
        request: &Request,
    ) {
        let methods = table.methods_at(host, path);
        let named: BTreeSet<&str> = methods.named.iter().map(|method| method.as_str()).collect();
        let mut expected = BTreeSet::new();
        let mut any = false;
        for route in &self.routes {
            let method = route.method();
            // A request with the route's own method, so that only host and path decide.
            let request = Request {
                host: request.host.clone(),
                method: method.to_owned(),
                path: request.path.clone(),
            };
            if route.rank(&request).is_none() {
                continue;
            }
            if route.segments().is_none() || method == "ANY" {
                any = true;
            } else {
                expected.insert(method);
            }
        }
        assert_eq!(named, expected);
        assert_eq!(methods.any, any);
    }
}
