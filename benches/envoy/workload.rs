//! The workloads: the requests, and the contenders that answer them.

use crate::contender::Contender::{self, EdgeAuthz};
use crate::contender::{Build, Task};

/// How requests reach Envoy.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Protocol {
    Http1,
    Http2,
}

/// One kind of load.
#[derive(Clone, Debug)]
pub(crate) struct Workload {
    pub(crate) name: String,
    /// Its description.
    pub(crate) title: String,
    pub(crate) algorithm: &'static str,
    /// The number of tokens that the requests use in turn.
    pub(crate) tokens: usize,
    /// The number of configured routes; requests match the last one.
    pub(crate) routes: usize,
    pub(crate) issuers: usize,
    /// The tokens are bound to a key of the client (RFC 9449 section 6.1).
    pub(crate) bound: bool,
    pub(crate) protocol: Protocol,
    /// The requests reach a server behind the filters, instead of an answer made by
    /// Envoy.
    pub(crate) proxied: bool,
    pub(crate) contenders: Vec<Contender>,
}

/// This many tokens in turn are far more than any cache here holds, so each token is new.
const ALWAYS_NEW: usize = 25_000;
/// The cache size if each token is to be new. Entries stay, since no token is used again
/// before all the others: one request in a hundred is a hit.
const FEW_REMEMBERED: usize = ALWAYS_NEW / 100;

impl Workload {
    fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            algorithm: "RS256",
            tokens: 1,
            routes: 1,
            issuers: 1,
            bound: false,
            protocol: Protocol::Http1,
            proxied: false,
            contenders: vec![
                Contender::Nothing,
                Contender::JwtAuthn,
                Contender::JwtAuthnCached,
                EdgeAuthz(Build::DynamicModule, Task::Everything),
                EdgeAuthz(Build::Wasm, Task::Everything),
            ],
        }
    }

    /// All workloads of a run. The workloads of a group are compared with each other, so
    /// they are measured in one Envoy, in turn.
    pub(crate) fn groups() -> Vec<Vec<Self>> {
        let mut groups: Vec<Vec<Self>> = Self::alone().into_iter().map(|it| vec![it]).collect();
        groups.extend([Self::of_many_routes(), Self::of_many_issuers()]);
        groups
    }

    fn alone() -> Vec<Self> {
        let mut all = vec![
            Self {
                contenders: Contender::all(),
                ..Self::new("one-token", "One RS256 token")
            },
            Self {
                tokens: 10_000,
                contenders: Contender::all(),
                ..Self::new("many-tokens", "10,000 RS256 tokens in turn")
            },
        ];
        for algorithm in ["RS256", "ES256", "EdDSA", "PS256", "ES384", "ES512"] {
            let name = format!("new-{}", algorithm.to_ascii_lowercase());
            all.push(Self {
                algorithm,
                tokens: ALWAYS_NEW,
                contenders: vec![
                    Contender::Nothing,
                    Contender::JwtAuthn,
                    Contender::ExternalAuthorizer,
                    EdgeAuthz(Build::DynamicModule, Task::Everything),
                    EdgeAuthz(Build::DynamicModule, Task::OnlyTokens),
                    EdgeAuthz(Build::Wasm, Task::Everything),
                    EdgeAuthz(Build::Wasm, Task::OnlyTokens),
                    EdgeAuthz(Build::Server, Task::Everything),
                    Contender::ServerOverHttp,
                    EdgeAuthz(Build::Other, Task::OnlyTokens),
                ],
                ..Self::new(name, format!("Only new {algorithm} tokens"))
            });
        }
        all.extend(Self::of_bound_tokens());
        all.push(Self {
            proxied: true,
            ..Self::new("upstream", "One RS256 token, with an upstream")
        });
        all.push(Self {
            protocol: Protocol::Http2,
            ..Self::new("http2", "One RS256 token over HTTP/2")
        });
        all
    }

    /// The same tokens are accepted from everybody, and only with proofs.
    fn of_bound_tokens() -> [Self; 2] {
        let of = |name, title, tokens| Self {
            tokens,
            bound: true,
            contenders: vec![
                Contender::Nothing,
                EdgeAuthz(Build::DynamicModule, Task::OnlyTokens),
                EdgeAuthz(Build::DynamicModule, Task::Proofs),
                EdgeAuthz(Build::Wasm, Task::OnlyTokens),
                EdgeAuthz(Build::Wasm, Task::Proofs),
            ],
            ..Self::new(name, title)
        };
        [
            of(
                "bound-one",
                "One RS256 token, with and without ES256 proofs",
                1,
            ),
            of(
                "bound-new",
                "Only new RS256 tokens, with and without ES256 proofs",
                ALWAYS_NEW,
            ),
        ]
    }

    /// Whether it is part of the short form.
    pub(crate) fn is_quick(&self) -> bool {
        ["one-token", "many-tokens", "new-rs256"].contains(&self.name.as_str())
    }

    /// With only those contenders whose name contains one of these parts, or with those of
    /// the short form.
    pub(crate) fn with(mut self, who: Option<&str>, is_quick: bool) -> Self {
        self.contenders.retain(|it| match who {
            Some(parts) => parts.split(',').any(|part| it.name().contains(part)),
            None => !is_quick || it.is_quick(),
        });
        self
    }

    fn of_many_routes() -> Vec<Self> {
        let of = |name, title, routes| Self {
            routes,
            contenders: vec![
                Contender::Nothing,
                Contender::NativeStackCached,
                EdgeAuthz(Build::DynamicModule, Task::Everything),
                EdgeAuthz(Build::Wasm, Task::Everything),
            ],
            ..Self::new(name, title)
        };
        vec![
            of("routes-10", "10 routes", 10),
            of("routes-10000", "10,000 routes", 10_000),
        ]
    }

    fn of_many_issuers() -> Vec<Self> {
        let of = |name, title, issuers| Self {
            tokens: 200,
            issuers,
            algorithm: "ES256",
            ..Self::new(name, title)
        };
        vec![
            of("issuers-1", "200 tokens of 1 issuer", 1),
            of("issuers-200", "200 tokens of 200 issuers", 200),
        ]
    }

    /// The name of the cluster for the issuers' keys.
    pub(crate) fn key_cluster(&self) -> String {
        format!("issuers of {}", self.name)
    }

    /// The name of the cluster for the process that a contender asks. Envoy sends it as
    /// `:authority`, which has no blanks.
    pub(crate) fn beside_cluster(&self, contender: Contender) -> String {
        let name = format!("{}-of-{}", contender.name(), self.name);
        name.replace(|it: char| !it.is_ascii_alphanumeric(), "-")
    }

    /// How many tokens edge-authz may cache, if it is limited.
    pub(crate) fn most_remembered(&self) -> Option<usize> {
        (self.tokens == ALWAYS_NEW).then_some(FEW_REMEMBERED)
    }

    /// The path of the requests.
    pub(crate) fn path(&self) -> String {
        format!("/pets-{}/7", self.routes - 1)
    }
}
