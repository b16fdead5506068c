//! The metadata of resources, compared with a list of the requests that ask for them.
//!
//! The input is three lines: the method, the host, and the path. All routes are denied, so
//! everything else is refused. No other spelling of a path finds a document, and none of
//! a refused path does.

use std::sync::LazyLock;

use edge_authz::authz::{Verdict, evaluate};
use edge_authz::config;
use edge_authz::http::{HeaderMap, Host, RequestHead};
use edge_authz::policy::Policy;
use edge_authz::telemetry::Reason;
use edge_authz::time::UnixTime;

use super::context::context;

/// The path, the host and the identifier of each resource.
const RESOURCES: [(&str, &str, &str); 6] = [
    ("", "a.test", "https://a.test"),
    ("/mcp", "a.test", "https://a.test/mcp"),
    ("/mcp", "b.test", "https://B.test:8443/mcp/"),
    ("/mcp/tools", "a.test", "https://a.test/mcp/tools"),
    ("/mcp%20x", "a.test", "https://a.test/mcp%20x"),
    (
        "/.well-known/oauth-protected-resource",
        "a.test",
        "https://a.test/.well-known/oauth-protected-resource",
    ),
];

const WELL_KNOWN: &str = "/.well-known/oauth-protected-resource";

static POLICY: LazyLock<Policy> = LazyLock::new(|| {
    let resources = RESOURCES.map(|(_, _, one)| format!(r#"{{"resource":"{one}"}}"#));
    let document = format!(
        r#"{{"routes":[{{"match":"$default","access":"denied"}}],"resources":[{}]}}"#,
        resources.join(",")
    );
    config::compile(document.as_bytes()).unwrap()
});

pub(crate) fn target(data: &[u8]) {
    let mut lines = super::lines(data);
    let mut line = || lines.next().unwrap_or_default();
    let (method, authority, path) = (line(), line(), line());
    let fields = [
        (&b":method"[..], method),
        (b":authority", authority),
        (b":path", path),
    ];
    let head = RequestHead::new(HeaderMap::from_pairs(fields));
    let decision = evaluate(&POLICY, &head, context(UnixTime::EPOCH));
    let host = Host::parse(Some(authority));
    let host_name = host.iter().flatten().map(Host::as_str).next();
    let expected = described(path, host_name).filter(|_| matches!(method, b"GET" | b"HEAD"));
    match (&decision.verdict, decision.reason()) {
        (Verdict::Reply(_, reply), Some(Reason::ResourceMetadata)) => {
            let expected = expected.expect("metadata for another request");
            let start = format!(r#"{{"resource":"{expected}""#);
            assert!(reply.body.starts_with(start.as_bytes()));
            assert!(host.is_ok());
        }
        // Only the host can be refused: the paths of all documents are good.
        (Verdict::Reply(_, reply), Some(Reason::BadHost)) => {
            assert!(host.is_err() && reply.status == 400);
        }
        (Verdict::Reply(..), Some(_)) => assert_eq!(expected, None),
        (verdict, _) => panic!("{verdict:?}"),
    }
    let host = host.as_ref().ok().and_then(Option::as_ref);
    let covering = POLICY.resources.covering(path, host);
    let covering = covering.map(|resource| &*resource.identifier);
    assert_eq!(covering, longest(path, host_name));
}

/// The resource whose document is at a path.
fn described(path: &[u8], host: Option<&str>) -> Option<&'static str> {
    let path = path.split(|byte| *byte == b'?').next()?;
    let found = RESOURCES.iter().filter(|(own, ..)| {
        let exact = format!("{WELL_KNOWN}{own}");
        path == exact.as_bytes() || path == format!("{exact}/").as_bytes()
    });
    let all: Vec<_> = found.collect();
    one_of(&all, host)
}

/// The resource with the longest path that a path is under.
fn longest(path: &[u8], host: Option<&str>) -> Option<&'static str> {
    let path = path.split(|byte| *byte == b'?').next()?;
    (0..=path.len()).rev().find_map(|end| {
        let ends_there = end == path.len() || path[end] == b'/';
        let at = |own: &str| ends_there && path[..end] == *own.as_bytes();
        let all: Vec<_> = RESOURCES.iter().filter(|(own, ..)| at(own)).collect();
        one_of(&all, host)
    })
}

fn one_of(
    all: &[&(&'static str, &'static str, &'static str)],
    host: Option<&str>,
) -> Option<&'static str> {
    match all {
        [(_, _, only)] => Some(only),
        several => {
            let of_host = several.iter().find(|(_, own, _)| Some(*own) == host);
            of_host.map(|(_, _, one)| *one)
        }
    }
}
