//! The examples work as their README says: each example's own `envoy.yaml` with real
//! issuers. `tests/cases` plays their case files.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;
use std::time::Instant;

use serde_json::{Value, json};

use crate::support::cognito::Cognito;
use crate::support::echo::{Echo, received};
use crate::support::envoy::Envoy;
use crate::support::example::{Example, OwnApi, folder};
use crate::support::http::Request;
use crate::support::issuer::{DISCOVERY_PATH, Issuer, JWKS_PATH};
use crate::support::server::Answer;
use crate::support::tokens::{self, TokenMaker, claims_with};
use crate::support::tools;

#[test]
fn the_envoy_of_each_example_holds_its_edge_authz_yaml() {
    let entries = fs::read_dir(tools::root().join("examples")).expect("the examples");
    let mut folders: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    folders.retain(|path| path.join("envoy.yaml").exists());
    assert!(folders.len() >= 5, "examples are missing: {folders:?}");
    for folder in folders {
        let read =
            |name: &str| fs::read_to_string(folder.join(name)).expect("a file of the example");
        let (envoy, document) = (read("envoy.yaml"), read("edge-authz.yaml"));
        let first = document.lines().next().expect("a comment");
        let at = envoy.find(first).expect("the document's first line");
        let indentation = envoy[..at].rsplit('\n').next().expect("blanks");
        let indented: String = document
            .lines()
            .map(|line| match line {
                "" => "\n".to_owned(),
                line => format!("{indentation}{line}\n"),
            })
            .collect();
        assert!(
            envoy.contains(&indented),
            "{}: they differ",
            folder.display()
        );
    }
}

#[test]
fn the_sst_example_greets_by_the_forwarded_claim() {
    let name = "https://auth.example.com";
    let key = TokenMaker::generate("RS256", "key-1");
    let issuer = Issuer::named(name);
    issuer.publish(&[&key]);
    let api = OwnApi::start(&folder("sst-api")).expect("api.py");
    let envoy = Example::read(&folder("sst-api"), &[])
        .api(api.address())
        .issuers(issuer.address())
        .start();
    let token = |audience| key.token(&claims_with(name, audience, json!({"sub": "ada"})));
    let hello = |request: &Request| envoy.send(request).expect(200).body;
    let private = Request::get("/private");
    assert_eq!(
        hello(&private.clone().bearer(&token("sst-api"))),
        b"Hello ada!\n"
    );
    let forged = Request::get("/public").header("x-user-sub", "ada");
    assert_eq!(hello(&forged), b"Hello stranger!\n");
    envoy.send(&private).expect(401);
    envoy.send(&private.bearer(&token("other"))).expect(401);
    // The keys were found through the issuer's metadata.
    assert!(issuer.gets(DISCOVERY_PATH) >= 1);
}

#[test]
fn a_real_mcp_client_gets_tokens_and_calls_the_tools_of_the_mcp_example() {
    let python = tools::root().join(".tools/mcp/bin/python");
    let ran = Command::new(tools::found(python, "run `make setup`"))
        .arg(folder("mcp-server").join("demo.py"))
        .arg(tools::envoy())
        .output()
        .expect("Python runs");
    let out = String::from_utf8_lossy(&ran.stdout);
    let log = String::from_utf8_lossy(&ran.stderr);
    assert!(ran.status.success(), "{out}{log}");
    assert!(out.ends_with("Everything was as expected.\n"), "{out}");
}

/// The tenant of the Auth0 example, whose name ends with a slash.
fn tenant(keys: &[&TokenMaker]) -> Issuer {
    let issuer = Issuer::named("https://example.eu.auth0.com");
    let metadata = json!({"issuer": TENANT, "jwks_uri": issuer.jwks_uri()});
    issuer.answer(DISCOVERY_PATH, Answer::json(&metadata));
    issuer.publish(keys);
    issuer
}

const TENANT: &str = "https://example.eu.auth0.com/";

#[test]
fn the_auth0_example_follows_a_rotation_and_spares_the_tenant() {
    let old = TokenMaker::generate("RS256", "old");
    let new = TokenMaker::generate("RS256", "new");
    let issuer = tenant(&[&old]);
    let api = Echo::start();
    let envoy = Example::read(&folder("auth0-authorizer"), &[])
        .api(api.address())
        .issuers(issuer.address())
        .start();
    let get = |path: &str, token: &str| envoy.send(&Request::get(path).bearer(token));
    let of = |key: &TokenMaker| {
        let more = json!({"sub": "auth0|ada", "permissions": ["read:messages"]});
        key.token(&claims_with(TENANT, "https://api.example.com/", more))
    };
    let token = of(&old);
    let account = get("/messages", &token).expect(200).json();
    assert_eq!(received(&account, "x-principal-id"), ["auth0|ada"]);
    assert_eq!(
        received(&account, "authorization"),
        [format!("Bearer {token}")]
    );

    // The rotation has no effect on requests.
    issuer.publish(&[&new]);
    get("/messages", &of(&new)).expect(200);

    // Made-up keys have no effect on the tenant. Requests that may not cause another
    // refresh wait until they are refused.
    let (before, start) = (issuer.gets(JWKS_PATH), Instant::now());
    thread::scope(|scope| {
        for number in 0..40 {
            let envoy = &envoy;
            scope.spawn(move || {
                let stranger = Request::get("/private").bearer(&made_up(number));
                let status = envoy.send(&stranger).status;
                assert!([401, 503].contains(&status), "{status}");
            });
        }
    });
    let tens_of_seconds = usize::try_from(start.elapsed().as_secs() / 10).unwrap();
    let fetched = issuer.gets(JWKS_PATH) - before;
    assert!(
        (1..=2 * (tens_of_seconds + 1)).contains(&fetched),
        "{fetched}"
    );
    get("/messages", &of(&new)).expect(200);
}

/// A token of an unpublished key.
fn made_up(number: usize) -> String {
    let stranger = TokenMaker::generate("ES256", "made-up");
    let claims = claims_with(TENANT, "https://api.example.com/", json!({}));
    let header = json!({"alg": "RS256", "kid": format!("made-up-{number}")});
    stranger.compact(header.to_string(), claims.to_string())
}

#[test]
fn the_cognito_rest_example_accepts_each_token_as_cognito_does() {
    let cognito = Cognito::start_with_tls();
    let pool = cognito.user_pool("rest");
    let sub = cognito.sign_up(&pool, "ada", "Passw0rd!");
    let signed_in = cognito.sign_in(&pool, "ada", "Passw0rd!");
    let api = Echo::start();
    let ids = [
        ("us-east-1_EXAMPLE", pool.id.as_str()),
        ("4t0example", &pool.client),
    ];
    let envoy = Example::read(&folder("cognito-rest-authorizer"), &ids)
        .api(api.address())
        .with_tls(
            "cognito_idp",
            cognito.address(),
            cognito.authority().expect("it speaks TLS"),
        )
        .start();
    let send = |request: Request, token: &str| envoy.send(&request.bearer(token));

    let account = send(Request::get("/prod/profile"), &signed_in.id).expect(200);
    assert_eq!(received(&account.json(), "x-user-id"), [sub.as_str()]);
    send(Request::get("/prod/profile"), &signed_in.access).expect(401);
    send(Request::get("/prod/orders"), &signed_in.id).expect(401);
    send(Request::get("/prod/orders"), &signed_in.access).expect(403);

    // There is no token endpoint here, which in Cognito issues the scopes of resource
    // servers. This is the same token, signed by the same key, with one of these scopes.
    let scoped = with_scope(&signed_in.access, "openid orders/read");
    send(Request::get("/prod/orders"), &scoped).expect(200);
    send(Request::post("/prod/orders", Vec::new()), &scoped).expect(403);
}

fn with_scope(access_token: &str, scope: &str) -> String {
    let part = access_token.split('.').nth(1).expect("claims");
    let mut claims: Value = serde_json::from_slice(&tokens::decode(part)).expect("JSON");
    claims["scope"] = json!(scope);
    Cognito::signing_key().token(&claims)
}

#[test]
fn the_refused_configuration_of_the_cors_example_keeps_envoy_from_starting() {
    let text = fs::read_to_string(folder("cdk-rest-api-cors").join("refused.yaml")).unwrap();
    let refused: Value = serde_saphyr::from_str(&text).expect("YAML");
    let start = |example: Example| -> Result<Envoy, String> {
        let ended = example.builder().try_start();
        ended.map_err(|ended| ended.log)
    };
    let example = || Example::read(&folder("cdk-rest-api-cors"), &[]);
    start(example()).expect("the safe configuration starts");
    let log = start(example().configuration(refused))
        .err()
        .expect("the other one does not");
    assert!(
        log.contains("cors.allow_origins[0]: `*` is not allowed with"),
        "{log}"
    );
}
