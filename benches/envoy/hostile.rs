//! The cost of the worst requests, compared with a valid one.

use serde_json::{Value, json};

use crate::contender::Build;
use crate::envoy::{listener, start};
use crate::filters::{ORIGIN, cluster, edge_authz_with};
use crate::load::Requests;
use crate::sample::{Pace, median, take};
use crate::support::issuer::Issuer;
use crate::support::process::Scratch;
use crate::support::tokens::{TokenMaker, encode};
use crate::tokens::{AUDIENCE, SCOPE, claims};

/// One hostile request, measured.
#[derive(Clone, Debug)]
pub(crate) struct Hostile {
    pub(crate) build: Build,
    pub(crate) name: &'static str,
    /// Envoy's CPU time in microseconds for each request.
    pub(crate) cpu: f64,
    /// The same for a valid request with a new RS256 token.
    pub(crate) good_cpu: f64,
}

impl Hostile {
    pub(crate) fn ratio(&self) -> f64 {
        self.cpu / self.good_cpu
    }
}

const ALGORITHMS: [&str; 6] = ["RS256", "PS256", "ES256", "ES384", "ES512", "EdDSA"];
/// The number of keys without `kid` that may be tried for one token.
const CANDIDATES: usize = 4;

/// Measures each hostile request, with valid requests between them.
pub(crate) fn measure(pace: Pace) -> Vec<Hostile> {
    eprintln!("Hostile requests");
    let named: Vec<TokenMaker> = ALGORITHMS
        .iter()
        .map(|algorithm| TokenMaker::generate(algorithm, algorithm))
        .collect();
    let nameless: Vec<TokenMaker> = (0..CANDIDATES)
        .map(|_| TokenMaker::generate("PS384", "").without_kid())
        .collect();
    let keys: Vec<&TokenMaker> = named.iter().chain(&nameless).collect();
    let issuer = Issuer::with_keys(&keys);
    let name = issuer.name().to_owned();
    let clusters = vec![cluster("issuer", issuer.address())];
    let listeners = Build::MODULES.map(|build| {
        let filters = [edge_authz_with(build, &configuration(&issuer))];
        listener(build.name(), &filters, &json!({}), false)
    });
    let mut envoy = start(&listeners, &clusters);
    let addresses = Build::MODULES.map(|build| envoy.listener(build.name()));
    let process = envoy.process().id();

    let scratch = Scratch::new("hostile");
    let cpu_of = |requests: &Requests| {
        // The builds take turns.
        let mut offsets = [0; 2];
        let mut samples = [Vec::new(), Vec::new()];
        for _ in 0..pace.short_rounds {
            for (at, address) in addresses.into_iter().enumerate() {
                let load = |()| requests.send(address, &mut offsets[at], pace);
                samples[at].push(take(process, None, || (), load).cpu);
            }
        }
        samples.map(median)
    };
    let show = |what: &str, [first, second]: [f64; 2]| {
        eprintln!("  {what:<48} {first:>7.1} {second:>7.1} us CPU");
    };
    let good: Vec<String> = (0..25_000)
        .map(|user| good_token(&named[0], &name, user))
        .collect();
    let good = Requests::with_tokens(&good, "/pets/7", &scratch);
    std::thread::sleep(std::time::Duration::from_secs(1));
    let good_cpu = cpu_of(&good);
    show("a valid request with a new RS256 token", good_cpu);
    let mut all = Vec::new();
    for (what, request) in requests(&named, &nameless, &name) {
        // A preflight from an allowed origin is answered, whatever it asks for.
        let is_answered = request.starts_with("OPTIONS");
        let cpu = cpu_of(&Requests::one(&request, is_answered, &scratch));
        show(what, cpu);
        for (at, build) in Build::MODULES.into_iter().enumerate() {
            all.push(Hostile {
                build,
                name: what,
                cpu: cpu[at],
                good_cpu: good_cpu[at],
            });
        }
    }
    all
}

fn configuration(issuer: &Issuer) -> Value {
    json!({
        "providers": [{
            "name": "issuer",
            "issuer": issuer.name(),
            "audiences": [AUDIENCE],
            "jwks": {"cluster": "issuer", "uri": issuer.jwks_uri()},
        }],
        "token_from": [
            {"header": "authorization", "scheme": "Bearer"},
            {"cookie": "session"},
            {"query": "access_token"},
        ],
        "upstream": {"claims": {"x-user-id": "sub"}},
        "routes": [{"match": "ANY /pets/{id}", "scopes": [SCOPE]}],
        "cors": {"allow_origins": [ORIGIN], "allow_headers": ["Authorization"]},
    })
}

fn good_token(maker: &TokenMaker, issuer: &str, user: usize) -> String {
    let mut claims = claims(0, user);
    claims["iss"] = json!(issuer);
    maker.token(&claims)
}

fn requests(
    named: &[TokenMaker],
    nameless: &[TokenMaker],
    issuer: &str,
) -> Vec<(&'static str, String)> {
    let forged = |maker: &TokenMaker| bearer(&crate::envoy::forge(&good_token(maker, issuer, 0)));
    let titles = [
        "a forged RS256 token",
        "a forged PS256 token",
        "a forged ES256 token",
        "a forged ES384 token",
        "a forged ES512 token",
        "a forged EdDSA token",
    ];
    let mut all: Vec<(&'static str, String)> =
        titles.into_iter().zip(named.iter().map(forged)).collect();
    all.push((
        "a token without kid that four keys may have signed",
        forged(&nameless[0]),
    ));
    all.extend(malformed(&named[0], issuer));
    all.extend(without_tokens());
    all
}

/// Tokens of the maximum size that are as expensive to read as possible.
fn malformed(maker: &TokenMaker, issuer: &str) -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    // A token is limited to 16 KiB of text, which is about 11,900 bytes of claims.
    let member = |number: usize| format!("\"{number:05}\":[]");
    let members: Vec<String> = (0..1000).map(member).collect();
    let claims_of = |more: &str| format!("{{\"iss\":\"{issuer}\",\"exp\":9999999999,{more}}}");
    let unsigned = |claims: &str| {
        let header = maker.header().to_string();
        bearer(&format!(
            "{}.{}.{}",
            encode(header),
            encode(claims),
            "A".repeat(342)
        ))
    };
    all.push((
        "a token of 1,000 claims",
        unsigned(&claims_of(&members.join(","))),
    ));
    let deep = format!("\"a\":{}{}", "[".repeat(5_500), "]".repeat(5_500));
    all.push(("a token nested 5,500 deep", unsigned(&claims_of(&deep))));
    let escapes = format!("\"a\":\"{}\"", "\\u0041".repeat(1_900));
    all.push(("a token of escapes", unsigned(&claims_of(&escapes))));
    all.push(("a token of dots", bearer(&".".repeat(16_000))));
    all
}

/// Requests whose other parts are large.
fn without_tokens() -> Vec<(&'static str, String)> {
    let mut all = Vec::new();
    all.push((
        "8,000 bytes of encoded path",
        get(&format!("/pets/{}", "%41".repeat(2_600)), ""),
    ));
    all.push(("a path of 4,000 segments", get(&"/a".repeat(4_000), "")));
    let parameters: Vec<String> = (0..1_000).map(|number| format!("%61{number}=b")).collect();
    all.push((
        "a query of 1,000 parameters",
        get(&format!("/pets/7?{}", parameters.join("&")), ""),
    ));
    let cookies: Vec<String> = (0..5_000).map(|number| format!("%61{number}=b")).collect();
    all.push((
        "5,000 cookies",
        get("/pets/7", &format!("Cookie: {}\r\n", cookies.join("; "))),
    ));
    let field = |number: usize| format!("x_user.id{number}: {}\r\n", "v".repeat(600));
    let fields: Vec<String> = (0..85).map(field).collect();
    all.push((
        "85 header fields of 600 bytes",
        get("/pets/7", &fields.concat()),
    ));
    let fields: Vec<String> = (0..2_000).map(|number| format!("x-{number}")).collect();
    all.push((
        "a preflight that asks for 2,000 header fields",
        format!(
            "OPTIONS /pets/7 HTTP/1.1\r\nHost: api.example.com\r\nOrigin: {ORIGIN}\r\n\
             Access-Control-Request-Method: GET\r\nAccess-Control-Request-Headers: {}\r\n\r\n",
            fields.join(",")
        ),
    ));
    all
}

fn bearer(token: &str) -> String {
    get("/pets/7", &format!("Authorization: Bearer {token}\r\n"))
}

fn get(path: &str, fields: &str) -> String {
    format!("GET {path} HTTP/1.1\r\nHost: api.example.com\r\nOrigin: {ORIGIN}\r\n{fields}\r\n")
}
