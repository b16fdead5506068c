//! `edge-authz test --against`, with gateways that enforce, that only report, and that have
//! no filter.

use std::net::SocketAddr;

use edge_authz_cli::run;
use serde_json::{Value, json};

use crate::keys::reporting::tls_front;
use crate::support::bootstrap::{Builder, EdgeAuthz, Listener};
use crate::support::echo::Echo;
use crate::support::envoy::Envoy;
use crate::support::issuer::Issuer;
use crate::support::process::Scratch;
use crate::support::tokens::{TokenMaker, claims_with};
use crate::support::tools;

/// The cases. Their configuration is inserted.
const CASES: &str = r#"
keys: {main: RS256}
tokens:
  reader: {claims: {scope: pets:read}}
  expired: {claims: {exp: now-1h}}
  weak: {claims: {scope: dogs:read}}
request: GET /pets
cases:
  - {name: without a token, expect: 401 no_token}
  - {name: HEAD without a token, request: HEAD /pets, expect: 401 no_token}
  - {name: a forged token, token: {claims: {scope: pets:read}}, expect: 401 bad_signature}
  - {name: an unsigned token, token: {header: {alg: none}}, expect: 401 bad_algorithm}
  - {name: another scheme, headers: {Authorization: Basic eDp5}, expect: 401 no_token}
  - name: two words
    headers: {authorization: Bearer a b}
    expect: {answer: 400 malformed_credentials, headers: {www-authenticate: true}}
  - name: a wrong spelling of the path
    each: {path: [//pets, /pets/%2e%2e/pets, "/pets;x", "/pets%2fx", "/pets/..", '/a\b']}
    request: GET $path
    expect: {status: 400}
  - {name: an empty segment, request: GET /pets//, expect: 400 bad_path_allow_empty_segments}
  - {name: no route, request: GET /cats, expect: 404 no_route}
  - {name: a denied route, request: GET /denied, expect: 403 denied}
  - {name: a public route, request: GET /public, headers: {X-User-Id: mallory}, expect: 200 public}
  - name: a preflight
    request: OPTIONS /pets
    headers: {Origin: "https://app.example.com", Access-Control-Request-Method: GET}
    expect: {answer: 204 preflight, headers: {access-control-allow-origin: "https://app.example.com"}}
  - name: the preflight of another origin
    request: OPTIONS /pets
    headers: {origin: "https://evil.example", access-control-request-method: GET}
    expect: 403 preflight_refused
  - {name: a reader, token: reader, expect: {answer: 200 allowed, upstream: {headers: {x-user-id: ada}}}}
  - {name: an expired token, token: expired, expect: 401 expired}
  - {name: a token without the scope, token: weak, expect: 403 missing_scope}
  - {name: DELETE without a token, request: DELETE /pets, expect: 401 no_token}
  - {name: DELETE with a token, request: DELETE /pets, token: reader, expect: 200 allowed}
  - {name: another configuration, with: {config: {cors: off}}, expect: 401 no_token}
  - {name: an upstream that fails, request: GET /public, upstream_answers: {status: 500}, expect: {answer: 500 public}}
  - {name: keys are missing, token: reader, expect: 503 keys_unavailable}
"#;

struct Stage {
    envoy: Envoy,
    upstream: Echo,
    scratch: Scratch,
    tokens: Vec<String>,
    _issuer: Issuer,
}

impl Stage {
    fn set() -> Self {
        let key = TokenMaker::generate("RS256", "key-1");
        let issuer = Issuer::with_keys(&[&key]);
        let config = json!({
            "providers": [{
                "name": "main", "issuer": issuer.name(), "audiences": ["api"],
                "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
            }],
            "upstream": {"claims": {"x-user-id": "sub"}},
            "routes": [
                {"match": ["GET /pets", "DELETE /pets"], "scopes": ["pets:read"]},
                {"match": "GET /public", "access": "public"},
                {"match": "GET /denied", "access": "denied"},
            ],
            "cors": {"allow_origins": ["https://app.example.com"]},
        });
        let with = |changes: &[(&str, Value)]| {
            let mut config = config.clone();
            for (pointer, value) in changes {
                *config.pointer_mut(pointer).expect(pointer) = value.clone();
            }
            config
        };
        let mut reporting = with(&[]);
        reporting["mode"] = json!("report");
        let mut partly = with(&[]);
        partly["routes"][0]["mode"] = json!("report");
        let upstream = Echo::start();
        let listener =
            |name: &str, config: &Value| Listener::new(name, EdgeAuthz::new(config.clone()));
        let envoy = Builder::new(upstream.address())
            .cluster("issuer", issuer.address())
            .listener(listener("enforcing", &config))
            .listener(listener("reporting", &reporting))
            .listener(listener("partly", &partly))
            .listener(Listener::plain("bare"))
            .start();
        let scratch = Scratch::new("against");
        let text = format!("about: The pets.\nconfig: {config}\n{CASES}");
        scratch.write("pets.cases.yaml", &text);
        let token = |name: &str, more: Value| {
            let token = key.token(&claims_with(issuer.name(), "api", more));
            scratch.write(&format!("{name}.jwt"), &format!("{token}\n"));
            token
        };
        let tokens = vec![
            token("reader", json!({"sub": "ada", "scope": "pets:read"})),
            token("weak", json!({"sub": "ada", "scope": "dogs:read"})),
            token(
                "expired",
                json!({"sub": "ada", "scope": "pets:read", "exp": 1_000_000}),
            ),
        ];
        Self {
            envoy,
            upstream,
            scratch,
            tokens,
            _issuer: issuer,
        }
    }

    fn file(&self, name: &str) -> String {
        self.scratch.path().join(name).display().to_string()
    }

    /// Plays the cases against a gateway. Returns the exit status and the results.
    fn play(&self, url: &str, more: &[&str]) -> (u8, Value) {
        let (cases, junit) = (self.file("pets.cases.yaml"), self.file("results.xml"));
        let mut arguments = vec![
            "edge-authz",
            "test",
            "--against",
            url,
            "--json",
            "--junit",
            &junit,
        ];
        arguments.extend(more);
        arguments.push(&cases);
        let (status, out) = run(&arguments);
        let junit = std::fs::read_to_string(junit).unwrap_or_default();
        for token in &self.tokens {
            assert!(
                !out.contains(token) && !junit.contains(token),
                "a token is shown"
            );
        }
        let results = serde_json::from_str(&out).unwrap_or_else(|_| panic!("{out}"));
        (status, results)
    }

    fn with_tokens(&self, url: &str, more: &[&str]) -> (u8, Value) {
        let tokens = ["reader", "weak", "expired"]
            .map(|name| format!("{name}={}", self.file(&format!("{name}.jwt"))));
        let tokens = tokens.iter().flat_map(|token| ["--token", token]);
        self.play(url, &tokens.chain(more.iter().copied()).collect::<Vec<_>>())
    }

    fn url(&self, listener: &str) -> String {
        format!("http://{}", self.envoy.listener(listener))
    }
}

/// The names of the cases with this result.
fn names(results: &Value, result: &str) -> Vec<String> {
    let cases = results["files"][0]["cases"].as_array().unwrap().iter();
    let cases = cases.filter(|case| case["result"] == result);
    cases
        .map(|case| case["name"].as_str().unwrap().to_owned())
        .collect()
}

fn why(results: &Value, name: &str) -> String {
    let mut cases = results["files"][0]["cases"].as_array().unwrap().iter();
    let case = cases.find(|case| case["name"] == name).expect(name);
    case["why"].as_str().unwrap_or_default().to_owned()
}

fn notes(results: &Value) -> String {
    results["files"][0]["notes"].to_string()
}

#[test]
fn a_gateway_that_enforces_passes_what_it_can_prove() {
    let stage = Stage::set();
    let (status, results) = stage.with_tokens(&stage.url("enforcing"), &[]);
    assert_eq!(names(&results, "failed"), [""; 0], "{results:#}");
    assert_eq!((status, notes(&results)), (0, "[]".to_owned()));
    let skipped = names(&results, "skipped");
    assert_eq!(
        skipped,
        [
            "DELETE with a token",
            "an upstream that fails",
            "keys are missing",
            "another configuration",
        ]
    );
    let seen = stage.upstream.seen();
    assert!(
        seen.iter().all(|seen| seen.method == b"GET"),
        "a change was made"
    );
    let passed = seen
        .iter()
        .any(|seen| seen.all("x-user-id").any(|id| id == b"ada"));
    assert!(passed, "the reader's request has not reached the upstream");
    // Names of fields and paths arrive as they are written.
    let (status, results) = stage.with_tokens(&stage.url("enforcing"), &["--allow-changes"]);
    assert_eq!((status, names(&results, "failed")), (0, vec![]));
    assert!(
        stage
            .upstream
            .seen()
            .iter()
            .any(|seen| seen.method == b"DELETE")
    );
}

#[test]
fn without_tokens_it_says_which_are_missing() {
    let stage = Stage::set();
    let (status, results) = stage.play(&stage.url("enforcing"), &[]);
    assert_eq!(
        (status, names(&results, "failed")),
        (0, vec![]),
        "{results:#}"
    );
    let skipped = names(&results, "skipped");
    for name in ["a reader", "an expired token", "a token without the scope"] {
        assert!(skipped.contains(&name.to_owned()), "{name}");
    }
    assert!(why(&results, "a reader").contains("--token reader=FILE"));
    assert!(!skipped.contains(&"a forged token".to_owned()));
}

#[test]
fn a_gateway_that_only_reports_fails_and_is_told_from_one_without_the_filter() {
    let stage = Stage::set();
    for (listener, note) in [
        ("reporting", "does not enforce its rules (`mode: report`)"),
        ("partly", "some routes have `mode: report`"),
        ("bare", "the filter is not deployed there"),
    ] {
        let (status, results) = stage.with_tokens(&stage.url(listener), &[]);
        assert_eq!(status, 1, "{listener}");
        assert!(
            notes(&results).contains(note),
            "{listener}: {}",
            notes(&results)
        );
        let failed = names(&results, "failed");
        for name in ["without a token", "a forged token"] {
            assert!(failed.contains(&name.to_owned()), "{listener}: {failed:?}");
        }
        // It is not sent to a gateway that lets requests pass.
        assert!(why(&results, "DELETE without a token").contains("may change data"));
        let is_bare = listener == "bare";
        let passed = names(&results, "passed");
        assert_eq!(passed.contains(&"a preflight".to_owned()), !is_bare);
        assert_eq!(passed.contains(&"a denied route".to_owned()), !is_bare);
    }
    assert!(
        stage
            .upstream
            .seen()
            .iter()
            .all(|seen| seen.method != b"DELETE")
    );
    let junit = std::fs::read_to_string(stage.file("results.xml")).unwrap();
    assert!(
        junit.contains("<failure") && junit.contains("<skipped"),
        "{junit}"
    );
}

#[test]
fn a_gateway_with_tls_needs_a_trusted_certificate_of_its_name() {
    let stage = Stage::set();
    // A certificate of `api.example.com`, and of the authority that has signed it.
    let tls = tools::root().join("tests/e2e/against/tls");
    let front = tls_front(stage.envoy.listener("enforcing"), &tls);
    let connect = front.listener("tls").to_string();
    let ca = tls.join("ca.pem").display().to_string();
    let url = "https://api.example.com";
    let to = ["--connect", &connect, "--timeout", "5"];
    let trusting = [&to[..], &["--ca", &ca]].concat();
    let (status, results) = stage.with_tokens(url, &trusting);
    assert_eq!(
        (status, names(&results, "failed")),
        (0, vec![]),
        "{results:#}"
    );
    for (url, more) in [(url, &to[..]), ("https://other.example.com", &trusting)] {
        let (status, results) = stage.with_tokens(url, more);
        assert_eq!((status, names(&results, "passed")), (1, vec![]), "{url}");
        assert!(results.to_string().contains("certificate"), "{results:#}");
    }
}

#[test]
fn nobody_there_is_a_failure_and_no_proof() {
    let stage = Stage::set();
    let closed = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address: SocketAddr = closed.local_addr().unwrap();
    drop(closed);
    let (status, results) = stage.play(&format!("http://{address}"), &["--timeout", "2"]);
    assert_eq!((status, names(&results, "passed")), (1, vec![]));
    let (status, results) = stage.play(&stage.url("enforcing"), &["--only", "keys are missing"]);
    assert_eq!(status, 1);
    assert!(results.to_string().contains("no case could be proven"));
}
