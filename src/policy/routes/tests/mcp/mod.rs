//! Routes that differ in what an MCP request asks for.

mod random;

use super::*;
use crate::http::{HeaderMap, McpFault, McpHeader, RequestHead};

/// A condition as text: methods separated by commas, and after `:` names separated by
/// commas, of which those with `*` at the end are prefixes. `-` is none.
fn condition(text: &str) -> Option<McpCondition> {
    if text == "-" {
        return None;
    }
    let (methods, names) = text.split_once(':').unwrap_or((text, ""));
    let name = |name: &str| match name.strip_suffix('*') {
        Some(prefix) => McpName::Prefix(prefix.into()),
        None => McpName::Exact(name.into()),
    };
    let words = |list: &str| -> Vec<String> {
        let words = list.split(',').filter(|word| !word.is_empty());
        words.map(str::to_owned).collect()
    };
    Some(McpCondition {
        methods: words(methods).iter().map(|word| (**word).into()).collect(),
        names: words(names).iter().map(|word| name(word)).collect(),
    })
}

/// Routes of a host, a pattern and a condition each. `open` are those that let requests
/// without a token pass.
fn build(
    routes: &[(&str, &str, &str)],
    open: &[usize],
    same_cors: &dyn Fn(RouteId, RouteId) -> bool,
) -> Result<RouteTable, BadTable> {
    let mut builder = TableBuilder::default();
    for (number, (host, pattern, mcp)) in routes.iter().enumerate() {
        let hosts: Vec<_> = host
            .split_whitespace()
            .map(|host| HostPattern::parse(host).unwrap())
            .collect();
        let pattern = RoutePattern::parse(pattern, &PathRules::default()).unwrap();
        let rest = EntryRest {
            hosts: builder.hosts(&hosts),
            mcp: condition(mcp).map(|condition| builder.mcp(&condition)),
            traits: RouteTraits {
                admits_anonymous: open.contains(&number),
                is_enforced: !open.contains(&number),
            },
        };
        let route = RouteId(number);
        builder.add(PatternPosition { route, pattern: 0 }, &pattern, rest);
    }
    builder.build(same_cors)
}

fn table(routes: &[(&str, &str, &str)]) -> RouteTable {
    build(routes, &[], &|_, _| true).unwrap()
}

/// What a request finds: the number of a route, or what is wrong with its headers.
#[derive(Debug, PartialEq, Eq)]
enum Answer {
    Route(usize),
    Bad(McpHeader, McpFault),
    Nothing,
}

fn ask(table: &RouteTable, host: &str, request: &str, fields: &[(&str, &str)]) -> Answer {
    let (method, path) = request.split_once(' ').unwrap();
    let pseudo = [(":method", method), (":path", path)];
    let fields = pseudo.iter().chain(fields).copied();
    let head = RequestHead::new(HeaderMap::from_pairs(fields.collect::<Vec<_>>()));
    let host = Host::parse(Some(host.as_bytes())).unwrap();
    let path = NormalPath::parse(path.as_bytes(), &PathRules::default()).unwrap();
    match table.find_of(host.as_ref(), &head, &path) {
        Some(Found::Route(found)) => Answer::Route(found.route().0),
        Some(Found::BadMcp { bad, .. }) => Answer::Bad(bad.header, bad.fault),
        None => Answer::Nothing,
    }
}

/// A `POST` of the current version.
fn post(table: &RouteTable, path: &str, method: &str, name: Option<&str>) -> Answer {
    let mut fields = vec![
        ("mcp-protocol-version", "2026-07-28"),
        ("mcp-method", method),
    ];
    fields.extend(name.map(|name| ("mcp-name", name)));
    ask(table, "", &format!("POST {path}"), &fields)
}

#[test]
fn a_name_comes_before_its_longest_prefix_and_these_before_the_method_and_the_rest() {
    let routes = [
        ("", "POST /mcp", "-"),
        ("", "POST /mcp", "tools/call"),
        ("", "POST /mcp", "tools/call:admin_*"),
        ("", "POST /mcp", "tools/call:admin_delete"),
        ("", "POST /mcp", "tools/call:admin_delete_*,a*"),
        ("", "POST /mcp", "tools/list,prompts/get"),
    ];
    let mut order: Vec<usize> = (0..routes.len()).collect();
    for _ in 0..routes.len() {
        order.rotate_left(1);
        let written: Vec<_> = order.iter().map(|at| routes[*at]).collect();
        let table = table(&written);
        let call = |name: &str| match post(&table, "/mcp", "tools/call", Some(name)) {
            Answer::Route(found) => Answer::Route(order[found]),
            other @ (Answer::Bad(..) | Answer::Nothing) => other,
        };
        assert_eq!(call("admin_delete"), Answer::Route(3));
        assert_eq!(call("admin_delete_"), Answer::Route(4));
        assert_eq!(call("admin_delete_all"), Answer::Route(4));
        assert_eq!(call("admin_deletf"), Answer::Route(2));
        assert_eq!(call("admin_"), Answer::Route(2));
        assert_eq!(call("admin"), Answer::Route(4));
        assert_eq!(call("Admin_delete"), Answer::Route(1));
        assert_eq!(call("b"), Answer::Route(1));
        assert_eq!(call("`"), Answer::Route(1));
        let list = post(&table, "/mcp", "tools/list", None);
        assert_eq!(
            list,
            Answer::Route(order.iter().position(|at| *at == 5).unwrap())
        );
        let list = post(&table, "/mcp", "tools/list", Some("admin_delete"));
        assert_eq!(
            list,
            Answer::Route(order.iter().position(|at| *at == 5).unwrap())
        );
        let other = post(&table, "/mcp", "resources/list", None);
        assert_eq!(
            other,
            Answer::Route(order.iter().position(|at| *at == 0).unwrap())
        );
    }
}

#[test]
fn a_name_is_needed_only_for_a_method_with_names() {
    let table = table(&[
        ("", "POST /mcp", "tools/call:a"),
        ("", "POST /mcp", "tools/call"),
        ("", "POST /mcp", "tools/list"),
        ("", "POST /mcp", "-"),
    ]);
    let absent = Answer::Bad(McpHeader::Name, McpFault::Absent);
    assert_eq!(post(&table, "/mcp", "tools/call", None), absent);
    assert_eq!(post(&table, "/mcp", "tools/list", None), Answer::Route(2));
    assert_eq!(post(&table, "/mcp", "ping", None), Answer::Route(3));
    let malformed = Answer::Bad(McpHeader::Name, McpFault::Malformed);
    assert_eq!(post(&table, "/mcp", "ping", Some("")), malformed);
}

#[test]
fn no_request_without_trustworthy_headers_reaches_another_route() {
    let table = table(&[
        ("", "POST /mcp", "tools/call"),
        ("", "POST /mcp", "-"),
        ("", "ANY /mcp", "-"),
        ("", "POST /{rest+}", "-"),
        ("", "$default", "-"),
        ("x.test", "POST /mcp/x", "tools/call"),
    ]);
    let version = |fault| Answer::Bad(McpHeader::Version, fault);
    let current = ("mcp-protocol-version", "2026-07-28");
    let old = ("mcp-protocol-version", "2025-11-25");
    let call = ("mcp-method", "tools/call");
    for path in ["/mcp", "/mcp/", "/mcp?x=1", "/%6dcp"] {
        let request = format!("POST {path}");
        let ask = |fields: &[(&str, &str)]| ask(&table, "", &request, fields);
        assert_eq!(ask(&[]), version(McpFault::Absent));
        assert_eq!(ask(&[old, call]), version(McpFault::TooOld));
        let absent = Answer::Bad(McpHeader::Method, McpFault::Absent);
        assert_eq!(ask(&[current]), absent);
        let repeated = Answer::Bad(McpHeader::Method, McpFault::Repeated);
        assert_eq!(ask(&[current, call, ("mcp_method", "ping")]), repeated);
    }
    // Other methods and other patterns do not read them.
    assert_eq!(ask(&table, "", "GET /mcp", &[]), Answer::Route(2));
    assert_eq!(ask(&table, "", "POST /other", &[]), Answer::Route(3));
    assert_eq!(ask(&table, "", "POST /mcp/x", &[]), Answer::Route(3));
    let on_host = ask(&table, "x.test", "POST /mcp/x", &[]);
    assert_eq!(on_host, version(McpFault::Absent));
}

#[test]
fn a_pattern_whose_conditions_are_not_met_hides_no_other() {
    let table = table(&[
        ("x.test", "POST /mcp", "tools/call:a"),
        ("", "POST /mcp", "prompts/get"),
        ("", "ANY /mcp", "-"),
        ("", "POST /{id}", "resources/read:file:///*"),
        ("", "POST /only", "tools/call"),
    ]);
    let fields = |method, name| {
        let version = ("mcp-protocol-version", "2026-07-28");
        [version, ("mcp-method", method), ("mcp-name", name)]
    };
    let on =
        |host: &str, request: &str, method, name| ask(&table, host, request, &fields(method, name));
    assert_eq!(
        on("x.test", "POST /mcp", "tools/call", "a"),
        Answer::Route(0)
    );
    assert_eq!(
        on("x.test", "POST /mcp", "tools/call", "b"),
        Answer::Route(2)
    );
    assert_eq!(
        on("x.test", "POST /mcp", "prompts/get", "b"),
        Answer::Route(1)
    );
    assert_eq!(on("", "POST /mcp", "prompts/get", "b"), Answer::Route(1));
    let found = on("", "POST /only", "resources/read", "file:///a");
    assert_eq!(found, Answer::Route(3));
    assert_eq!(on("", "POST /only", "ping", "a"), Answer::Nothing);
    // The next pattern has conditions of its own.
    let current = fields("resources/read", "");
    let found = ask(&table, "", "POST /only", &current[..2]);
    assert_eq!(found, Answer::Bad(McpHeader::Name, McpFault::Absent));
}

#[test]
fn without_its_headers_a_request_has_a_route_for_its_preflight() {
    let table = table(&[
        ("", "POST /mcp", "tools/call"),
        ("", "POST /mcp", "-"),
        ("", "POST /only", "tools/call"),
    ]);
    let find = |path: &str| {
        let path = NormalPath::parse(path.as_bytes(), &PathRules::default()).unwrap();
        table
            .find(None, b"POST", &path)
            .map(|found| found.route().0)
    };
    assert_eq!(find("/mcp"), Some(1));
    assert_eq!(find("/only"), Some(2));
}

#[test]
fn the_traits_of_routes_are_known_for_each_pattern() {
    let routes = [
        ("", "POST /a", "tools/call"),
        ("", "POST /a", "-"),
        ("", "POST /b", "tools/call"),
        ("", "POST /b", "tools/list"),
        ("", "POST /c", "tools/call"),
        ("", "ANY /c", "-"),
        ("", "POST /d", "tools/call"),
    ];
    let table = build(&routes, &[1, 2, 5, 6], &|_, _| true).unwrap();
    for (path, expected) in [
        ("/a", (true, true)),
        ("/b", (true, true)),
        ("/c", (false, true)),
        ("/d", (true, false)),
    ] {
        let head = RequestHead::new(HeaderMap::from_pairs([(":method", "POST")]));
        let path = NormalPath::parse(path.as_bytes(), &PathRules::default()).unwrap();
        match table.find_of(None, &head, &path) {
            Some(Found::BadMcp { traits, .. }) => {
                let RouteTraits {
                    admits_anonymous,
                    is_enforced,
                } = traits;
                assert_eq!((admits_anonymous, is_enforced), expected);
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn conditions_that_nothing_tells_apart_clash() {
    let clashes = |routes: &[(&str, &str, &str)]| {
        let Err(BadTable::Clashes(clashes)) = build(routes, &[], &|_, _| true) else {
            return Vec::new();
        };
        let pair = |clash: &Clash| (clash.first.route.0, clash.second.route.0, clash.kind);
        clashes.iter().map(pair).collect()
    };
    let at = |text: &'static str| ("", "POST /mcp", text);
    let alike = |first, second| vec![(first, second, ClashKind::Alike)];
    assert_eq!(clashes(&[at("-"), at("a"), at("-")]), alike(0, 2));
    assert_eq!(clashes(&[at("a"), at("b"), at("c,a")]), alike(0, 2));
    assert_eq!(clashes(&[at("a:x,y"), at("a:z,y")]), alike(0, 1));
    assert_eq!(clashes(&[at("a:x*"), at("a:y*,x*")]), alike(0, 1));
    let told_apart = [
        at("a"),
        at("b"),
        at("a:x"),
        at("a:x*"),
        at("a:xx*"),
        at("b:x"),
        at("-"),
    ];
    assert_eq!(clashes(&told_apart), []);
    let host = [("x.test", "POST /mcp", "a"), ("", "POST /mcp", "a")];
    assert_eq!(clashes(&host), []);
    let variables = [("", "POST /{a}", "a"), ("", "POST /{b}", "a")];
    assert_eq!(clashes(&variables), alike(0, 1));
}

#[test]
fn routes_that_only_their_conditions_tell_apart_have_one_cors_policy() {
    let routes = [
        ("", "POST /mcp", "a"),
        ("", "POST /mcp", "b"),
        ("", "POST /mcp", "-"),
        ("", "ANY /mcp", "-"),
        ("", "POST /other", "a"),
    ];
    // Each number stands for a policy.
    let clashes = |cors: [u8; 5]| {
        let same = |one: RouteId, other: RouteId| cors[one.0] == cors[other.0];
        match build(&routes, &[], &same) {
            Ok(_) => Vec::new(),
            Err(BadTable::Clashes(clashes)) => clashes
                .iter()
                .map(|clash| {
                    assert_eq!(clash.kind, ClashKind::Cors);
                    (clash.first.route.0, clash.second.route.0)
                })
                .collect(),
            Err(BadTable::TooManySegments) => panic!("these are few"),
        }
    };
    assert_eq!(clashes([0, 0, 0, 1, 2]), []);
    assert_eq!(clashes([0, 1, 0, 0, 0]), [(0, 1)]);
    assert_eq!(clashes([0, 0, 1, 0, 0]), [(0, 2)]);
    assert_eq!(clashes([0, 1, 2, 0, 0]), [(0, 1), (0, 2)]);
}

#[test]
fn routes_that_clash_are_named_in_the_order_of_the_document() {
    let general = ("", "POST /mcp", "-");
    let conditional = ("", "POST /mcp", "a");
    for routes in [[general, conditional], [conditional, general]] {
        let Err(BadTable::Clashes(clashes)) = build(&routes, &[], &|_, _| false) else {
            panic!("{routes:?} do not clash");
        };
        let [clash] = &*clashes else {
            panic!("one clash: {clashes:?}");
        };
        assert_eq!(clash.kind, ClashKind::Cors);
        let places = (clash.first.route, clash.second.route);
        assert_eq!(places, (RouteId(0), RouteId(1)), "{routes:?}");
    }
}

#[test]
fn conditions_count_as_segments() {
    let names: Vec<String> = (0..MAX_SEGMENTS / 2)
        .map(|name| format!("n{name}"))
        .collect();
    let condition = McpCondition {
        methods: vec!["tools/call".into()],
        names: names
            .iter()
            .map(|name| McpName::Exact((**name).into()))
            .collect(),
    };
    let build = |patterns: &[&str]| {
        let patterns: Vec<_> = patterns
            .iter()
            .map(|text| RoutePattern::parse(text, &PathRules::default()).unwrap())
            .collect();
        let entry = |(pattern, written)| RouteEntry {
            place: PatternPosition {
                route: RouteId(0),
                pattern,
            },
            pattern: written,
            hosts: &[],
            mcp: Some(&condition),
        };
        RouteTable::new(patterns.iter().enumerate().map(entry)).err()
    };
    assert_eq!(build(&["POST /a"]), None);
    let two = build(&["POST /a", "POST /b"]);
    assert_eq!(two, Some(BadTable::TooManySegments));
}
