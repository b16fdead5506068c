//! The requests whose cost is counted. An engine that was set up before judges each of
//! them many times.

use std::hint::black_box;
use std::sync::Arc;

use edge_authz::config;
use edge_authz::crypto::{HostCheck, HostSignatures};
use edge_authz::engine::{Action, Effect, Engine, Env, NotSet, SharedData, StreamId, Unavailable};
use edge_authz::http::RequestHead;
use edge_authz::telemetry::Reason;
use edge_authz::time::UnixTime;
use serde_json::{Value, json};

use crate::revocations;

/// The number of times that each request is judged.
pub(crate) const ROUNDS: u64 = 100;

/// All scenarios. Where the proxy can check signatures, their cost is the proxy's: here
/// it answers at once, so that only the rest is counted.
///
/// `bound` and `proof` have the same tokens, without and with a proof of possession.
pub(crate) const NAMES: &[&str] = &[
    "public",
    "good-remembered",
    "good-remembered-10000-routes",
    "good-new",
    "no-token",
    "preflight",
    "good-bound-remembered",
    "good-proof-remembered",
    "good-bound-new",
    "good-proof-new",
    "good-remembered-list-of-2",
    "good-remembered-list-of-50000",
    "good-remembered-implied",
    "good-remembered-mcp",
    "good-remembered-reported",
    "metadata",
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

pub(crate) const ISSUER: &str = "https://issuer.example.com";
/// The modulus of RFC 7515, appendix A.2. It is the same in every run: with a new key for
/// each run, the counts would vary more than after most changes of the code.
const MODULUS: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
/// The clock's time for all requests.
pub(crate) const NOW: u64 = 1_800_000_000;
pub(crate) const ORIGIN: &str = "https://app.example.com";
pub(crate) const API: &str = "https://api.example.com";
/// Judges a scenario's requests.
pub(crate) fn run(name: &str) {
    let setting = Setting::of(name);
    let mut engine = setting.engine();
    if let Some(entries) = setting.revoked {
        revocations::load(&mut engine, entries, setting.env());
    }
    let heads: Vec<RequestHead> = (0..=ROUNDS).map(|round| setting.head(round)).collect();
    let mut heads = heads.into_iter().zip(0..);
    // The first request is not counted: it fills the cache, if there is one.
    let (first, _) = heads.next().expect("a request");
    check(&judge(&mut engine, first, 0, &setting), &setting);
    for (head, stream) in heads {
        let effects = instructions_are_counted(&mut engine, head, stream, &setting);
        check(&effects, &setting);
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
    engine.request(StreamId(stream), head, setting.env())
}

/// Checks that a request was decided as it should be.
fn check(effects: &[Effect], setting: &Setting) {
    let answer = effects.iter().find_map(|effect| match effect {
        Effect::Answer(answer) => Some(answer),
        Effect::Fetch(_) | Effect::Measure(_) | Effect::Log(_) => None,
    });
    let answer = answer.expect("a decision");
    let passes = matches!(answer.action, Action::Forward(_));
    assert_eq!(passes, setting.passes, "{}", setting.name);
    if let Some(reason) = setting.reason {
        assert_eq!(answer.reason, reason, "{}", setting.name);
    }
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

pub(crate) struct Setting {
    pub(crate) name: String,
    now: UnixTime,
    host: Host,
    passes: bool,
    /// The reason, where it matters.
    reason: Option<Reason>,
    routes: usize,
    /// The number of entries of the revocation list, if there is one.
    revoked: Option<usize>,
}

impl Setting {
    fn of(name: &str) -> Self {
        Self {
            revoked: name
                .rsplit_once("-list-of-")
                .map(|(_, entries)| entries.parse().expect("a number")),
            reason: match name {
                "good-remembered-reported" => Some(Reason::Reported),
                "metadata" => Some(Reason::ResourceMetadata),
                _ => None,
            },
            now: UnixTime::from_secs(i64::try_from(NOW).expect("a time")),
            host: Host(!name.starts_with("hostile")),
            passes: name.starts_with("good") || name == "public",
            routes: if name.contains("10000") { 10_000 } else { 10 },
            name: name.to_owned(),
        }
    }

    const fn env(&self) -> Env<'_> {
        Env {
            now: self.now,
            shared: &Alone,
            host_signatures: &self.host,
            connection: &edge_authz::engine::NoConnection,
        }
    }

    fn engine(&self) -> Engine {
        let mut routes: Vec<Value> = (0..self.routes)
            .map(|number| {
                json!({"match": format!("GET /pets-{number}/{{id}}"), "scopes": ["pets:read"]})
            })
            .collect();
        routes.push(json!({"match": "GET /public", "access": "public"}));
        let mut configuration = json!({
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
        self.configure(&mut configuration);
        let policy = config::compile(configuration.to_string().as_bytes()).expect("a policy");
        Engine::new(Arc::new(policy), 1)
    }

    /// Adds what only this scenario needs.
    fn configure(&self, configuration: &mut Value) {
        let mut add = |route| {
            let routes = configuration["routes"].as_array_mut();
            routes.expect("a list").push(route);
        };
        match self.name.as_str() {
            "good-bound-remembered" | "good-bound-new" => {
                configuration["providers"][0]["binding"] = json!("ignore");
            }
            "good-proof-remembered" | "good-proof-new" => {
                configuration["providers"][0]["dpop"] = json!({"origins": [API]});
            }
            "good-remembered-implied" => {
                configuration["scope_implies"] = json!({"owner": ["profile"], "profile": ["pets:write"], "pets:write": ["pets:read"]});
            }
            "good-remembered-mcp" => {
                add(json!({"match": "POST /mcp", "scopes": ["mcp"]}));
                add(json!({
                    "match": "POST /mcp",
                    "mcp": {"method": "tools/call", "name": ["read_pet", {"prefix": "find_"}]},
                    "scopes": ["pets:read"],
                }));
            }
            "good-remembered-reported" => add(json!({
                "match": "GET /reported/{id}", "scopes": ["pets:write"], "mode": "report",
            })),
            "metadata" => {
                add(json!({"match": "ANY /mcp", "scopes": ["pets:read"]}));
                configuration["resources"] = json!([{"resource": format!("{API}/mcp")}]);
            }
            _ => {}
        }
        if self.revoked.is_some() {
            configuration["providers"][0]["revoked"] =
                json!({"cluster": "lists", "uri": "https://lists.example.com/revoked.json"});
        }
    }
}
