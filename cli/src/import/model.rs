//! What a source says, before it becomes a configuration.

use std::collections::BTreeMap;
use std::ops::Range;

/// An API with its routes.
#[derive(Debug)]
pub(super) struct Api {
    pub(super) name: String,
    pub(super) kind: Kind,
    /// The authorizers that routes use, by the name that the routes use.
    pub(super) authorizers: BTreeMap<String, Authorizer>,
    pub(super) routes: Vec<Route>,
    /// The paths that exist, also without methods.
    pub(super) paths: Vec<(String, Range<usize>)>,
    pub(super) cors: Option<Cors>,
    /// The path under which the API is, for `paths.base`.
    pub(super) base: Option<String>,
    /// What has no equivalent.
    pub(super) left_out: Vec<Note>,
    /// Why every route is denied: a restriction of the whole API that has no equivalent.
    pub(super) restricted: Option<Note>,
    /// Whether the upstream receives the token.
    pub(super) keeps_token: bool,
    /// Headers for the upstream, each with its claim.
    pub(super) headers: Vec<(String, String)>,
    /// Names for places of the source, by the byte at which a place starts.
    pub(super) labels: BTreeMap<usize, String>,
}

/// How an API chooses the route of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// An HTTP API: among the routes that have the method.
    Http,
    /// A REST API: the path before the method.
    Rest,
    /// A plain `OpenAPI` document: the path before the method.
    Plain,
    /// Rules of a proxy, which have become routes.
    Proxy,
}

impl Kind {
    pub(super) const fn words(self) -> &'static str {
        match self {
            Self::Http => "HTTP API",
            Self::Rest => "REST API",
            Self::Plain => "API",
            Self::Proxy => "configuration",
        }
    }
}

/// A sentence about a place of the source.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Note {
    pub(super) text: String,
    pub(super) at: Range<usize>,
}

impl Note {
    pub(super) fn new(at: &Range<usize>, text: impl Into<String>) -> Self {
        Self {
            text: text.into(),
            at: at.clone(),
        }
    }
}

/// Who decides about tokens.
#[derive(Debug, Clone)]
pub(super) struct Authorizer {
    pub(super) at: Range<usize>,
    pub(super) trust: Trust,
    /// Where tokens are.
    pub(super) places: Vec<Place>,
}

/// Whom an authorizer trusts.
#[derive(Debug, Clone)]
pub(super) enum Trust {
    /// The issuers of JWTs.
    Issuers(Vec<Issuer>),
    /// User pools, with the rules of Cognito authorizers for the kind of token.
    Pools(Vec<Issuer>),
    /// It has no equivalent, for this reason.
    Unknown(String),
}

/// An issuer and the audiences that are accepted.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Issuer {
    /// Exactly as in `iss`.
    pub(super) iss: String,
    /// `None`: the source does not check the audience.
    pub(super) audiences: Option<Vec<String>>,
    /// `None`: the issuer's metadata names it.
    pub(super) keys: Option<String>,
    /// The key set itself, as JSON.
    pub(super) inline: Option<String>,
    /// The name of the cluster that reaches it, if the source has one.
    pub(super) cluster: Option<String>,
    /// The claims with scopes, if they are not the usual ones.
    pub(super) scope_claims: Vec<String>,
}

/// Where a token is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// The value is the token, with or without `Bearer`.
    Header(String),
    /// After `Bearer` in `Authorization`.
    Bearer,
    /// After a scheme in another header.
    Scheme(String, String),
    Cookie(String),
    Query(String),
}

/// A route as the source has it.
#[derive(Debug, Clone)]
pub(super) struct Route {
    /// `METHOD /path` or `$default`.
    pub(super) pattern: String,
    pub(super) at: Range<usize>,
    pub(super) rule: Rule,
    /// The hosts; empty: every host.
    pub(super) hosts: Vec<String>,
    /// What the claims of a token must be.
    pub(super) claims: Vec<Claim>,
}

/// A claim, and the values of which it must have one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Claim {
    pub(super) name: String,
    pub(super) values: Vec<ClaimValue>,
}

/// The value of a claim.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum ClaimValue {
    Text(String),
    Prefix(String),
}

impl Route {
    pub(super) fn new(pattern: impl Into<String>, at: &Range<usize>, rule: Rule) -> Self {
        Self {
            pattern: pattern.into(),
            at: at.clone(),
            rule,
            hosts: Vec::new(),
            claims: Vec::new(),
        }
    }
}

/// Who may use a route.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Rule {
    Public,
    /// No one, for this reason.
    Denied(String),
    /// Everyone without a token, and those with a token of one of these authorizers.
    Optional(Vec<String>),
    /// Those with a token of one of these authorizers.
    Token(Vec<String>, Scopes),
}

/// The scopes that a token needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Scopes {
    AnyOf(Vec<String>),
    AllOf(Vec<String>),
}

impl Scopes {
    pub(super) fn is_empty(&self) -> bool {
        let (Self::AnyOf(scopes) | Self::AllOf(scopes)) = self;
        scopes.is_empty()
    }
}

/// CORS settings.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Cors {
    pub(super) at: Range<usize>,
    pub(super) origins: Vec<String>,
    pub(super) methods: Vec<String>,
    pub(super) headers: Vec<String>,
    pub(super) exposed: Vec<String>,
    pub(super) credentials: bool,
    /// In seconds.
    pub(super) max_age: Option<u64>,
}

impl Api {
    pub(super) fn new(name: impl Into<String>, kind: Kind) -> Self {
        Self {
            name: name.into(),
            kind,
            authorizers: BTreeMap::new(),
            routes: Vec::new(),
            paths: Vec::new(),
            cors: None,
            base: None,
            left_out: Vec::new(),
            restricted: None,
            keeps_token: false,
            headers: Vec::new(),
            labels: BTreeMap::new(),
        }
    }

    /// Notes what has no equivalent.
    pub(super) fn leave_out(&mut self, at: &Range<usize>, text: impl Into<String>) {
        let note = Note::new(at, text);
        if !self.left_out.contains(&note) {
            self.left_out.push(note);
        }
    }

    /// The authorizers that routes name.
    pub(super) fn named_authorizers(&self) -> Vec<(String, Range<usize>)> {
        let mut names: Vec<(String, Range<usize>)> = Vec::new();
        for route in &self.routes {
            let (Rule::Token(all, _) | Rule::Optional(all)) = &route.rule else {
                continue;
            };
            for name in all {
                if !names.iter().any(|(known, _)| known == name) {
                    names.push((name.clone(), route.at.clone()));
                }
            }
        }
        names
    }
}
