//! Every combination of policy, route, origin, credentials, method, header and token: the
//! requests that are sent and the answers that the page can read match the Fetch
//! standard.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use crate::fetch_standard::{Call, Credentials, Permissions, SAFE_RESPONSE_HEADERS};
use crate::stage::Stage;
use crate::support::server::Answer;
use crate::support::tokens;

/// The origins, by the host of their page.
const HOSTS: [&str; 4] = [
    "app.example.test",
    "other.example.test",
    "evil.test",
    "null",
];
const POLICIES: [&str; 5] = ["named", "cookies", "pattern", "every", "opaque"];
/// `PATCH` has no route.
const METHODS: [&str; 4] = ["GET", "POST", "PUT", "PATCH"];
const ROUTED: [&str; 3] = ["GET", "POST", "PUT"];
const HEADERS: [Option<&str>; 3] = [None, Some("x-custom"), Some("x-other")];
const ALLOWED_HEADERS: [&str; 2] = ["authorization", "x-custom"];

/// The token that a page sends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Token {
    Absent,
    Expired,
    WithoutScope,
    Good,
}

/// Whether a route requires a scope, and the token that it gets.
const ROUTES: [(bool, Token); 5] = [
    (false, Token::Absent),
    (true, Token::Absent),
    (true, Token::Expired),
    (true, Token::WithoutScope),
    (true, Token::Good),
];
const MODES: [Credentials; 3] = [
    Credentials::Omit,
    Credentials::SameOrigin,
    Credentials::Include,
];

/// One cell of the matrix.
#[derive(Clone, Copy, Debug)]
struct Cell {
    policy: &'static str,
    scoped: bool,
    host: &'static str,
    credentials: Credentials,
    method: &'static str,
    header: Option<&'static str>,
    token: Token,
}

#[test]
fn a_page_reads_what_the_fetch_standard_says() {
    let stage = Stage::start(document);
    stage.upstream.answer_with(
        Answer::json(&json!({"from": "upstream"}))
            .header("x-request-id", "r-1")
            .header("x-secret", "s-1")
            // The upstream's header must not override the policy.
            .header("access-control-allow-origin", "*")
            .header("access-control-allow-credentials", "true")
            .header("access-control-expose-headers", "x-secret"),
    );
    // A cookie of the API's site.
    stage.browser.open(&stage.api("/named/public"));
    stage.browser.run(
        "document.cookie = 'sid=1; SameSite=Lax; path=/'",
        &Value::Null,
    );

    let pages = ask_all(&stage);
    let wire = by_number(stage.wire());
    let upstream = seen_by_upstream(&stage);
    let mut surprises = Vec::new();
    for (number, page) in &pages {
        let cell = Cell::numbered(*number);
        let expected = cell.expected(&stage);
        let met = Observed {
            wire: wire.get(number).cloned().unwrap_or_default(),
            upstream: upstream.get(number).cloned(),
            page: shown(page),
        };
        if met != expected {
            surprises.push(format!(
                "{cell:?}\n  expected {expected:?}\n  but met  {met:?}"
            ));
        }
    }
    assert_eq!(pages.len(), Cell::COUNT);
    assert!(
        surprises.is_empty(),
        "{} of {} cells, the first of them\n{}",
        surprises.len(),
        pages.len(),
        surprises[..surprises.len().min(10)].join("\n")
    );
}

/// Lets the pages make all calls. Returns each call with its number and what the page
/// saw.
fn ask_all(stage: &Stage) -> Vec<(usize, Value)> {
    let mut outcomes = Vec::new();
    for host in HOSTS {
        stage.open_page(host);
        let of_host = |number: &usize| Cell::numbered(*number).host == host;
        let numbers: Vec<usize> = (0..Cell::COUNT).filter(of_host).collect();
        let call = |number: &usize| Cell::numbered(*number).call(stage, *number);
        let calls: Vec<Value> = numbers.iter().map(call).collect();
        outcomes.extend(numbers.into_iter().zip(stage.calls(&calls)));
    }
    outcomes
}

/// What happened to one call.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Observed {
    /// The methods that reached Envoy.
    wire: Vec<String>,
    /// The cookies that the upstream saw; `None` if the request did not reach it.
    upstream: Option<String>,
    /// Status, body and readable headers; `None` for a network error.
    page: Option<(u64, String, BTreeMap<String, String>)>,
}

impl Cell {
    /// The number of cells.
    const COUNT: usize =
        HOSTS.len() * POLICIES.len() * MODES.len() * METHODS.len() * HEADERS.len() * ROUTES.len();

    /// Maps each number below that to a different cell.
    fn numbered(mut number: usize) -> Self {
        let mut digit = |values: usize| {
            let digit = number % values;
            number /= values;
            digit
        };
        let (scoped, token) = ROUTES[digit(ROUTES.len())];
        Self {
            scoped,
            token,
            header: HEADERS[digit(HEADERS.len())],
            method: METHODS[digit(METHODS.len())],
            credentials: MODES[digit(MODES.len())],
            policy: POLICIES[digit(POLICIES.len())],
            host: HOSTS[digit(HOSTS.len())],
        }
    }

    fn path(self) -> String {
        let route = if self.scoped { "scoped" } else { "public" };
        format!("/{}/{route}", self.policy)
    }

    fn call(self, stage: &Stage, number: usize) -> Value {
        let mut headers = Map::new();
        if let Some(name) = self.header {
            headers.insert(name.to_owned(), "1".into());
        }
        let now = tokens::now();
        let token = match self.token {
            Token::Absent => None,
            Token::Expired => Some(json!({"scope": "read", "exp": now - 3600})),
            Token::WithoutScope => Some(json!({"scope": "other"})),
            Token::Good => Some(json!({"scope": "read"})),
        };
        if let Some(claims) = token {
            headers.insert("authorization".to_owned(), stage.bearer(claims).into());
        }
        let credentials = match self.credentials {
            Credentials::Omit => "omit",
            Credentials::SameOrigin => "same-origin",
            Credentials::Include => "include",
        };
        json!({
            "url": format!("{}?n={number}", self.path()),
            "method": self.method,
            "headers": headers,
            "credentials": credentials,
        })
    }

    fn expected(self, stage: &Stage) -> Observed {
        let origin = match self.host {
            "null" => "null".to_owned(),
            host => stage.origin(host),
        };
        let mut headers: Vec<&str> = self.header.into_iter().collect();
        if self.token != Token::Absent {
            headers.push("authorization");
        }
        let call = Call {
            origin: &origin,
            credentials: self.credentials,
            method: self.method,
            headers,
        };
        let permissions = self.permissions(&origin);
        let mut observed = Observed {
            wire: Vec::new(),
            upstream: None,
            page: None,
        };
        if call.needs_preflight() {
            observed.wire.push("OPTIONS".to_owned());
            if !call.preflight_passes(&permissions, &ROUTED, &ALLOWED_HEADERS) {
                return observed;
            }
        }
        observed.wire.push(self.method.to_owned());
        let (status, body, own) = self.answer();
        if status == 200 {
            observed.upstream = Some(self.cookie());
        }
        if call.passes(&permissions) {
            observed.page = Some((status, body.to_owned(), own));
        }
        observed
    }

    /// What the policy lets the server allow an origin: the configuration of [`document`]
    /// in the standard's terms.
    fn permissions(self, origin: &str) -> Permissions {
        let named = |allowed: bool| allowed.then(|| origin.to_owned());
        let app = self.host == "app.example.test";
        let (allow_origin, allow_credentials) = match self.policy {
            "named" => (named(app), false),
            "cookies" => (named(app), true),
            "pattern" => (named(app || self.host == "other.example.test"), true),
            "every" => (Some("*".to_owned()), false),
            "opaque" => (named(self.host == "null"), false),
            other => panic!("no such policy: {other}"),
        };
        Permissions {
            allow_origin,
            allow_credentials,
        }
    }

    /// Status, body and the headers that a page may read.
    fn answer(self) -> (u64, &'static str, BTreeMap<String, String>) {
        let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
        let (status, body, own) = match (self.scoped, self.token) {
            (false, _) | (true, Token::Good) => {
                (200, r#"{"from":"upstream"}"#, header("x-request-id", "r-1"))
            }
            (true, Token::Absent) => (
                401,
                r#"{"message":"Unauthorized"}"#,
                header("www-authenticate", r#"Bearer realm="api""#),
            ),
            (true, Token::Expired) => (
                401,
                r#"{"message":"Unauthorized"}"#,
                header(
                    "www-authenticate",
                    r#"Bearer realm="api", error="invalid_token", error_description="The token has expired""#,
                ),
            ),
            (true, Token::WithoutScope) => (
                403,
                r#"{"message":"Forbidden"}"#,
                header(
                    "www-authenticate",
                    r#"Bearer realm="api", error="insufficient_scope", scope="read""#,
                ),
            ),
        };
        let json = header("content-type", "application/json");
        let length = header("content-length", &body.len().to_string());
        let mut headers = BTreeMap::from([own, json, length]);
        if status != 200 {
            // An answer of the filter: it must not be cached.
            headers.extend([header("cache-control", "no-store")]);
        }
        (status, body, headers)
    }

    /// RFC 6265bis, section 5.2: a call carries a cookie with `SameSite=Lax` if the page
    /// is of the same site. An opaque origin is never of the same site.
    fn cookie(self) -> String {
        let same_site = self.host.ends_with(".example.test");
        let sent = self.credentials == Credentials::Include && same_site;
        if sent { "sid=1" } else { "" }.to_owned()
    }
}

fn document(port: u16) -> Value {
    let app = format!("http://app.example.test:{port}");
    let policy = |origins: &str, credentials: bool| {
        json!({
            "allow_origins": [origins],
            "allow_headers": ["Authorization", "X-Custom"],
            "expose_headers": ["X-Request-Id"],
            "allow_credentials": credentials,
            "max_age": "0s",
        })
    };
    let policies = [
        ("named", policy(&app, false)),
        ("cookies", policy(&app, true)),
        ("pattern", policy("http://*.example.test:*", true)),
        ("every", policy("*", false)),
        ("opaque", policy("null", false)),
    ];
    let routes = policies.iter().flat_map(|(name, cors)| {
        let matching = |route: &str| ROUTED.map(|method| format!("{method} /{name}/{route}"));
        [
            json!({"match": matching("public"), "access": "public", "cors": cors}),
            json!({"match": matching("scoped"), "scopes": ["read"], "cors": cors}),
        ]
    });
    json!({"routes": routes.collect::<Vec<_>>(), "cors": policies[0].1})
}

fn by_number(wire: Vec<(String, String)>) -> BTreeMap<usize, Vec<String>> {
    let mut by_number: BTreeMap<usize, Vec<String>> = BTreeMap::new();
    for (method, path) in wire {
        if let Some(number) = number(&path) {
            by_number.entry(number).or_default().push(method);
        }
    }
    by_number
}

/// The cookies of each request that reached the upstream.
fn seen_by_upstream(stage: &Stage) -> BTreeMap<usize, String> {
    let seen = stage.upstream.seen();
    seen.iter()
        .filter_map(|received| {
            let number = number(&String::from_utf8_lossy(&received.target))?;
            Some((number, received.text("cookie").unwrap_or_default()))
        })
        .collect()
}

fn number(target: &str) -> Option<usize> {
    target.split_once("?n=")?.1.parse().ok()
}

/// What the page saw, in the form of [`Observed`].
fn shown(outcome: &Value) -> Option<(u64, String, BTreeMap<String, String>)> {
    if outcome["error"] == "TypeError" {
        return None;
    }
    assert_eq!(outcome["type"], "cors", "{outcome}");
    let headers: BTreeMap<String, String> =
        serde_json::from_value(outcome["headers"].clone()).expect("headers");
    for name in headers.keys() {
        let exposed = ["x-request-id", "www-authenticate", "retry-after"].contains(&name.as_str());
        assert!(
            exposed || SAFE_RESPONSE_HEADERS.contains(&name.as_str()),
            "{name}"
        );
    }
    let status = outcome["status"].as_u64().expect("a status");
    let body = outcome["body"].as_str().expect("a body").to_owned();
    Some((status, body, headers))
}
