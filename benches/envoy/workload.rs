//! What is measured: the requests, and who answers them.

use crate::contender::Contender;

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
    /// What it is, in words.
    pub(crate) title: String,
    pub(crate) algorithm: &'static str,
    /// How many tokens the requests have in turn.
    pub(crate) tokens: usize,
    /// How many routes are configured; requests have the last one.
    pub(crate) routes: usize,
    pub(crate) issuers: usize,
    pub(crate) protocol: Protocol,
    /// Behind the filters is a server, not an answer of Envoy's own.
    pub(crate) proxied: bool,
    pub(crate) contenders: Vec<Contender>,
}

/// With more tokens than any cache here holds, in turn, each is new.
const ALWAYS_NEW: usize = 25_000;

impl Workload {
    fn new(name: impl Into<String>, title: impl Into<String>) -> Self {
        Self {
            name: name.into(),
            title: title.into(),
            algorithm: "RS256",
            tokens: 1,
            routes: 1,
            issuers: 1,
            protocol: Protocol::Http1,
            proxied: false,
            contenders: vec![
                Contender::Nothing,
                Contender::JwtAuthn,
                Contender::JwtAuthnCached,
                Contender::EdgeAuthz,
            ],
        }
    }

    /// All workloads of a run.
    pub(crate) fn all() -> Vec<Self> {
        let everyone: Vec<Contender> = Contender::ALL
            .into_iter()
            .filter(|it| it.is_here())
            .collect();
        let mut all = vec![
            Self {
                contenders: everyone.clone(),
                ..Self::new("one-token", "One RS256 token")
            },
            Self {
                tokens: 10_000,
                contenders: everyone,
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
                    Contender::EdgeAuthz,
                    Contender::EdgeAuthzLikeJwtAuthn,
                ],
                ..Self::new(name, format!("Every {algorithm} token new"))
            });
        }
        all.extend(Self::of_many());
        all.push(Self {
            proxied: true,
            ..Self::new("upstream", "One RS256 token, and an upstream behind")
        });
        all.push(Self {
            protocol: Protocol::Http2,
            ..Self::new("http2", "One RS256 token over HTTP/2")
        });
        all
    }

    /// Whether it is part of the short form.
    pub(crate) fn is_quick(&self) -> bool {
        ["one-token", "many-tokens", "new-rs256", "new-es384"].contains(&self.name.as_str())
    }

    /// With those contenders only whose name has one of these parts.
    pub(crate) fn with(mut self, who: Option<&str>) -> Self {
        if let Some(parts) = who {
            self.contenders
                .retain(|it| parts.split(',').any(|part| it.name().contains(part)));
        }
        self
    }

    /// Few and many routes, few and many issuers.
    fn of_many() -> Vec<Self> {
        let mut all = Vec::new();
        for (name, title, count) in [
            ("routes-10", "10 routes", 10),
            ("routes-10000", "10,000 routes", 10_000),
        ] {
            all.push(Self {
                routes: count,
                contenders: vec![
                    Contender::Nothing,
                    Contender::NativeStackCached,
                    Contender::EdgeAuthz,
                ],
                ..Self::new(name, title)
            });
        }
        for (name, title, count) in [
            ("issuers-1", "200 tokens of 1 issuer", 1),
            ("issuers-200", "200 tokens of 200 issuers", 200),
        ] {
            all.push(Self {
                tokens: 200,
                issuers: count,
                algorithm: "ES256",
                ..Self::new(name, title)
            });
        }
        all
    }

    /// The path of the requests.
    pub(crate) fn path(&self) -> String {
        format!("/pets-{}/7", self.routes - 1)
    }
}
