//! The requests whose cost is counted, and the configurations for them: those of
//! `make bench`.

use serde_json::{Value, json};

use crate::counted::Counted;
use crate::host::Fields;
use crate::profile::Profile;
use crate::proxy::Proxy;
use crate::tokens::{TokenMaker, access_claims};

/// The number of requests of which a count is the mean.
const ROUNDS: usize = 20;
/// The clock's time, in seconds since 1970.
const NOW: u64 = 1_800_000_000;
const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_000000000";
const AUDIENCE: &str = "4t0example";
const SCOPE: &str = "pets:read";
const ORIGIN: &str = "https://app.example.com";

/// One kind of request.
pub(crate) struct Scenario {
    pub(crate) name: &'static str,
    algorithm: &'static str,
    /// Whether the policy has a scope rule and CORS, or only checks tokens.
    full: bool,
    routes: usize,
    request: Request,
    /// The status of the module's own answer; `None` if the request passes.
    status: Option<u32>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Request {
    Public,
    WithoutToken,
    /// The same token each time.
    Remembered,
    /// Another token each time.
    New,
    Preflight,
}

/// All scenarios.
pub(crate) fn all() -> Vec<Scenario> {
    let of = |name, request| Scenario {
        name,
        algorithm: "RS256",
        full: true,
        routes: 1,
        request,
        status: None,
    };
    vec![
        Scenario {
            full: false,
            ..of("remembered, only tokens", Request::Remembered)
        },
        of("remembered", Request::Remembered),
        Scenario {
            routes: 10_000,
            ..of("remembered, 10,000 routes", Request::Remembered)
        },
        of("public", Request::Public),
        Scenario {
            status: Some(401),
            ..of("no token", Request::WithoutToken)
        },
        Scenario {
            status: Some(204),
            ..of("preflight", Request::Preflight)
        },
        of("new RS256", Request::New),
        Scenario {
            algorithm: "EdDSA",
            ..of("new EdDSA", Request::New)
        },
        Scenario {
            algorithm: "PS256",
            ..of("new PS256", Request::New)
        },
    ]
}

impl Scenario {
    /// The mean number of instructions for one request.
    pub(crate) fn count(&self, counted: &Counted) -> Profile {
        let maker = TokenMaker::generate(self.algorithm, "key-0");
        let mut proxy = Proxy::start(counted, &self.configuration(&maker).to_string(), NOW);
        // The first tokens of a key are checked without tables, which are made for it later.
        for round in 0..ROUNDS {
            self.exchange(&mut proxy, &maker, round);
        }
        let before = proxy.profile().clone();
        for round in ROUNDS..2 * ROUNDS {
            self.exchange(&mut proxy, &maker, round);
        }
        let requests = u64::try_from(ROUNDS).expect("a small number");
        proxy.profile().since(&before, requests)
    }

    fn exchange(&self, proxy: &mut Proxy, maker: &TokenMaker, round: usize) {
        let status = proxy.exchange(self.fields(maker, round), response());
        assert_eq!(status, self.status, "{}", self.name);
        let is_identified = proxy
            .forwarded()
            .iter()
            .any(|(name, _)| name == "x-user-id");
        let has_token = matches!(self.request, Request::Remembered | Request::New);
        assert_eq!(is_identified, has_token, "{}", self.name);
    }

    fn configuration(&self, maker: &TokenMaker) -> Value {
        let mut configuration = json!({
            "providers": [{
                "name": "issuer",
                "issuer": ISSUER,
                "audiences": [AUDIENCE],
                "jwks": {"inline": {"keys": [maker.public_jwk()]}},
            }],
            "upstream": {"claims": {"x-user-id": "sub"}},
        });
        let mut routes: Vec<Value> = (0..self.routes)
            .map(|number| {
                let mut route = json!({"match": format!("ANY /pets-{number}/{{id}}")});
                if self.full {
                    route["scopes"] = json!([SCOPE]);
                }
                route
            })
            .collect();
        if self.request == Request::Public {
            routes = vec![json!({"match": "ANY /pets-0/{id}", "access": "public"})];
        }
        configuration["routes"] = json!(routes);
        if self.full {
            configuration["cors"] =
                json!({"allow_origins": [ORIGIN], "allow_headers": ["Authorization"]});
        }
        configuration
    }

    /// The request, with the fields that Envoy adds.
    fn fields(&self, maker: &TokenMaker, round: usize) -> Fields {
        let path = format!("/pets-{}/7", self.routes - 1);
        let mut fields = vec![
            (":authority", "api.example.com".to_owned()),
            (":path", path),
            (":method", "GET".to_owned()),
            (":scheme", "http".to_owned()),
            ("origin", ORIGIN.to_owned()),
            ("x-forwarded-proto", "http".to_owned()),
            (
                "x-request-id",
                "6f1c2f2e-4a0b-4f34-9e4c-1d9a4c1f2b3a".to_owned(),
            ),
        ];
        let user = match self.request {
            Request::Public | Request::WithoutToken => None,
            Request::Preflight => {
                "OPTIONS".clone_into(&mut fields[2].1);
                fields.push(("access-control-request-method", "GET".to_owned()));
                fields.push(("access-control-request-headers", "authorization".to_owned()));
                None
            }
            Request::Remembered => Some(0),
            Request::New => Some(round),
        };
        if let Some(user) = user {
            let claims = access_claims(ISSUER, AUDIENCE, SCOPE, user, NOW);
            let token = maker.token(&claims);
            fields.push(("authorization", format!("Bearer {token}")));
        }
        let owned = |(name, value): (&str, String)| (name.to_owned(), value);
        fields.into_iter().map(owned).collect()
    }
}

fn response() -> Fields {
    [
        (":status", "200"),
        ("content-length", "2"),
        ("content-type", "text/plain"),
        ("date", "Fri, 15 Jan 2027 08:00:00 GMT"),
        ("server", "envoy"),
    ]
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .to_vec()
}
