//! The requests whose cost is counted. An engine that was set up before judges each of
//! them many times.

use std::hint::black_box;
use std::sync::Arc;

use edge_authz::config;
use edge_authz::crypto::{HostCheck, HostSignatures};
use edge_authz::engine::{Action, Effect, Engine, Env, NotSet, SharedData, StreamId, Unavailable};
use edge_authz::http::{HeaderMap, RequestHead};
use edge_authz::time::UnixTime;
use serde_json::{Value, json};

use crate::support::tokens::{access_claims, encode};

/// The number of times that each request is judged.
pub(crate) const ROUNDS: u64 = 100;

/// All scenarios. Where the proxy can check signatures, their cost is the proxy's: here
/// it answers at once, so that only the rest is counted.
pub(crate) const NAMES: &[&str] = &[
    "public",
    "good-remembered",
    "good-remembered-10000-routes",
    "good-new",
    "no-token",
    "preflight",
    "hostile-forged",
    "hostile-many-claims",
    "hostile-deep",
    "hostile-escapes",
    "hostile-dots",
    "hostile-encoded-path",
    "hostile-segments",
    "hostile-parameters",
    "hostile-cookies",
    "hostile-fields",
];

const ISSUER: &str = "https://issuer.example.com";
/// The modulus of RFC 7515, appendix A.2. It is the same in every run: with a new key for
/// each run, the counts would vary more than after most changes of the code.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// The clock's time for all requests.
const NOW: u64 = 1_800_000_000;
const ORIGIN: &str = "https://app.example.com";

/// Judges a scenario's requests.
pub(crate) fn run(name: &str) {
    let setting = Setting::of(name);
    let mut engine = setting.engine();
    let heads: Vec<RequestHead> = (0..=ROUNDS).map(|round| setting.head(round)).collect();
    let mut heads = heads.into_iter().zip(0..);
    // The first request is not counted: it fills the cache, if there is one.
    let (first, _) = heads.next().expect("a request");
    assert_eq!(
        setting.passes,
        passes(&judge(&mut engine, first, 0, &setting))
    );
    for (head, stream) in heads {
        let effects = instructions_are_counted(&mut engine, head, stream, &setting);
        assert_eq!(setting.passes, passes(&effects), "{name}");
    }
}

/// The part that callgrind counts.
#[inline(never)]
fn instructions_are_counted(
    engine: &mut Engine,
    head: RequestHead,
    stream: u32,
    setting: &Setting,
) -> Vec<Effect> {
    black_box(judge(engine, black_box(head), stream, setting))
}

fn judge(engine: &mut Engine, head: RequestHead, stream: u32, setting: &Setting) -> Vec<Effect> {
    let env = Env {
        now: setting.now,
        shared: &Alone,
        host_signatures: &setting.host,
        connection: &edge_authz::engine::NoConnection,
    };
    engine.request(StreamId(stream), head, env)
}

fn passes(effects: &[Effect]) -> bool {
    effects.iter().any(|effect| match effect {
        Effect::Answer(answer) => matches!(answer.action, Action::Forward(_)),
        Effect::Fetch(_) | Effect::Measure(_) | Effect::Log(_) => false,
    })
}

/// A proxy that gives the same result for every signature.
struct Host(bool);

impl HostSignatures for Host {
    fn verify(&self, _: &HostCheck<'_>) -> Option<bool> {
        Some(self.0)
    }
}

/// Shared data that are unavailable.
struct Alone;

impl SharedData for Alone {
    fn get(&self, _: &str) -> Result<Option<(Vec<u8>, u32)>, Unavailable> {
        Ok(None)
    }

    fn set(&self, _: &str, _: &[u8], _: Option<u32>) -> Result<(), NotSet> {
        Err(NotSet::Unavailable)
    }
}

struct Setting {
    name: String,
    now: UnixTime,
    host: Host,
    passes: bool,
    routes: usize,
}

impl Setting {
    fn of(name: &str) -> Self {
        Self {
            now: UnixTime::from_secs(i64::try_from(NOW).expect("a time")),
            host: Host(!name.starts_with("hostile")),
            passes: name.starts_with("good") || name == "public",
            routes: if name.contains("10000") { 10_000 } else { 10 },
            name: name.to_owned(),
        }
    }

    fn engine(&self) -> Engine {
        let mut routes: Vec<Value> = (0..self.routes)
            .map(|number| {
                json!({"match": format!("GET /pets-{number}/{{id}}"), "scopes": ["pets:read"]})
            })
            .collect();
        routes.push(json!({"match": "GET /public", "access": "public"}));
        let configuration = json!({
            "providers": [{
                "name": "issuer",
                "issuer": ISSUER,
                "audiences": ["4t0example"],
                "jwks": {"inline": {"keys": [
                    {"kty": "RSA", "kid": "key-1", "alg": "RS256", "use": "sig", "n": MODULUS, "e": "AQAB"},
                ]}},
            }],
            "token_from": [
                {"header": "authorization", "scheme": "Bearer"},
                {"cookie": "session"},
                {"query": "access_token"},
            ],
            "upstream": {"claims": {"x-user-id": "sub"}},
            "routes": routes,
            "cors": {"allow_origins": [ORIGIN], "allow_headers": ["Authorization"]},
        });
        let policy = config::compile(configuration.to_string().as_bytes()).expect("a policy");
        Engine::new(Arc::new(policy), 1)
    }

    /// The request of this round.
    fn head(&self, round: u64) -> RequestHead {
        let mut fields: Vec<(String, String)> = [
            (":authority", "api.example.com"),
            (":method", "GET"),
            (":path", "/pets-7/42"),
            (":scheme", "https"),
            ("user-agent", "curl/8.5.0"),
            ("accept", "application/json"),
            ("origin", ORIGIN),
            ("x-request-id", "6f1c2f2e-4a0b-4f34-9e4c-1d9a4c1f2b3a"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        self.shape(round, &mut fields);
        RequestHead::new(HeaderMap::from_pairs(fields))
    }

    fn shape(&self, round: u64, fields: &mut Vec<(String, String)>) {
        let path = |fields: &mut Vec<(String, String)>, path: String| fields[2].1 = path;
        let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
        match self.name.as_str() {
            "public" => path(fields, "/public".to_owned()),
            "no-token" => {}
            "good-remembered" | "good-remembered-10000-routes" | "hostile-forged" => {
                add("authorization", Self::bearer(0));
            }
            "good-new" => add("authorization", Self::bearer(round)),
            "preflight" => {
                add("access-control-request-method", "GET".to_owned());
                add("access-control-request-headers", "authorization".to_owned());
                "OPTIONS".clone_into(&mut fields[1].1);
            }
            // The maximum length of a token.
            "hostile-many-claims" => {
                let members: Vec<String> = (0..1_000)
                    .map(|number| format!("\"{number:05}\":[]"))
                    .collect();
                add("authorization", Self::unsigned(&members.join(",")));
            }
            "hostile-deep" => {
                let deep = format!("\"a\":{}{}", "[".repeat(5_500), "]".repeat(5_500));
                add("authorization", Self::unsigned(&deep));
            }
            "hostile-escapes" => {
                let escapes = format!("\"a\":\"{}\"", "\\u0041".repeat(1_900));
                add("authorization", Self::unsigned(&escapes));
            }
            "hostile-dots" => add("authorization", format!("Bearer {}", ".".repeat(16_000))),
            "hostile-encoded-path" => path(fields, format!("/pets-7/{}", "%41".repeat(2_600))),
            "hostile-segments" => path(fields, "/a".repeat(4_000)),
            "hostile-parameters" => {
                let parameters: Vec<String> =
                    (0..1_000).map(|number| format!("%61{number}=b")).collect();
                path(fields, format!("/pets-7/42?{}", parameters.join("&")));
            }
            "hostile-cookies" => {
                let cookies: Vec<String> =
                    (0..5_000).map(|number| format!("%61{number}=b")).collect();
                add("cookie", cookies.join("; "));
            }
            "hostile-fields" => {
                for number in 0..85 {
                    add(&format!("x_user.id{number}"), "v".repeat(600));
                }
            }
            other => panic!("no such scenario: {other}"),
        }
    }

    fn bearer(user: u64) -> String {
        let number = usize::try_from(user).expect("a small number");
        let claims = access_claims(ISSUER, "4t0example", "pets:read", number, NOW);
        bearer(&claims.to_string(), user)
    }

    fn unsigned(members: &str) -> String {
        let claims = format!("{{\"iss\":\"{ISSUER}\",\"exp\":9999999999,{members}}}");
        bearer(&claims, 0)
    }
}

/// A token with a well-formed signature: [`Host`] decides whether it is valid.
fn bearer(claims: &str, number: u64) -> String {
    let header = r#"{"alg":"RS256","kid":"key-1","typ":"JWT"}"#;
    let signature = number.to_be_bytes().repeat(256 / 8);
    let (header, claims) = (encode(header), encode(claims));
    format!("Bearer {header}.{claims}.{}", encode(signature))
}
