//! The patterns of a policy's routes, as written.
//!
//! The compiled table finds routes and does not return patterns. People see the texts of
//! the configuration, which the core's own parsers read again.

use std::fmt::Write;

use super::subject::{Step, Subject};
use super::tree::Node;
use edge_authz::http::path::PatternSegment;
use edge_authz::http::{Host, HostPattern, MethodPattern, RoutePattern};
use edge_authz::policy::Policy;
use edge_authz::policy::routes::{McpCondition, PatternPosition, RouteEntry, RouteId, RouteTable};

/// One pattern of one route.
#[derive(Debug, Clone)]
pub(crate) struct Written {
    pub(crate) place: PatternPosition,
    /// The text as written.
    pub(crate) text: String,
    pub(crate) pattern: RoutePattern,
    /// The route's hosts as written; empty: every host.
    pub(crate) host_texts: Vec<String>,
    pub(crate) hosts: Vec<HostPattern>,
    pub(crate) mcp: Option<McpCondition>,
    base: String,
    bare: bool,
}

/// A request that a pattern narrowly fails to match.
#[derive(Debug)]
pub(crate) struct Sample {
    pub(crate) method: String,
    pub(crate) path: String,
    /// The pattern of that path.
    pub(crate) shown: String,
    authority: Option<String>,
}

impl Sample {
    /// A host of the route, if it has hosts.
    pub(crate) fn host(&self) -> Option<Host<'_>> {
        Host::parse(self.authority.as_deref().map(str::as_bytes))
            .ok()
            .flatten()
    }
}

/// All patterns of a policy, in the order of the configuration.
pub(crate) fn written(policy: &Policy, subject: &Subject) -> Vec<Written> {
    let Some(root) = &subject.root else {
        return Vec::new();
    };
    let base = root.descend(&["paths", "base"]).and_then(Node::text);
    let base = base.unwrap_or_default().trim_end_matches('/');
    let mut all = Vec::new();
    let routes = root.get("routes").map(Node::elements).unwrap_or_default();
    for (index, route) in routes.iter().enumerate() {
        let Some(texts) = route.get("match") else {
            continue;
        };
        let host_texts = route.get("hosts").map(Node::texts).unwrap_or_default();
        let hosts = host_texts
            .iter()
            .filter_map(|text| HostPattern::parse(text).ok());
        let hosts: Vec<HostPattern> = hosts.collect();
        for (pattern, text) in texts.texts().into_iter().enumerate() {
            let Ok(parsed) = RoutePattern::parse(text, &policy.paths) else {
                continue;
            };
            let route = RouteId(index);
            let compiled = policy.route(route);
            all.push(Written {
                place: PatternPosition { route, pattern },
                text: text.to_owned(),
                pattern: parsed,
                host_texts: host_texts.iter().copied().map(str::to_owned).collect(),
                hosts: hosts.clone(),
                mcp: compiled.and_then(|route| route.mcp.as_deref().cloned()),
                base: base.to_owned(),
                bare: texts.text().is_some(),
            });
        }
    }
    all
}

impl Written {
    /// The place where it is written.
    pub(crate) fn steps(&self) -> Vec<Step<'static>> {
        let mut steps = vec![
            Step::Member("routes"),
            Step::Element(self.place.route.0),
            Step::Member("match"),
        ];
        if !self.bare {
            steps.push(Step::Element(self.place.pattern));
        }
        steps
    }

    /// Its segments; `None`: it is `$default`.
    pub(crate) fn segments(&self) -> Option<&[PatternSegment]> {
        match &self.pattern {
            RoutePattern::Default => None,
            RoutePattern::Path { path, .. } => Some(path.segments()),
        }
    }

    /// `paths.base`, without a slash at its end.
    pub(crate) fn base(&self) -> &str {
        &self.base
    }

    /// Whether it matches segment by segment.
    pub(crate) fn is_exact(&self) -> bool {
        match &self.pattern {
            RoutePattern::Default => false,
            RoutePattern::Path { path, .. } => {
                !matches!(path.segments().last(), Some(PatternSegment::Greedy(_)))
            }
        }
    }

    /// The pattern as an entry of a table.
    pub(crate) fn entry(&self) -> RouteEntry<'_> {
        RouteEntry {
            place: self.place,
            pattern: &self.pattern,
            hosts: &self.hosts,
            mcp: self.mcp.as_ref(),
        }
    }

    /// For `/x/{name+}`, a request for `/x`.
    pub(crate) fn sample_above(&self) -> Option<Sample> {
        let RoutePattern::Path { method, .. } = &self.pattern else {
            return None;
        };
        let (_, path) = self.text.rsplit_once(' ')?;
        let (above, _) = path.rsplit_once("/{")?;
        let mut filled = String::new();
        for segment in above.split('/').skip(1) {
            let segment = if segment.starts_with('{') {
                "any"
            } else {
                segment
            };
            let _infallible = write!(filled, "/{segment}");
        }
        let base = &self.base;
        let authority = self.host_texts.first().map(|host| host.replace('*', "any"));
        Some(Sample {
            method: match method {
                MethodPattern::Any => "GET".to_owned(),
                MethodPattern::Named(method) => method.as_str().to_owned(),
            },
            path: if filled.is_empty() {
                format!("{base}/")
            } else {
                format!("{base}{filled}")
            },
            shown: if above.is_empty() {
                "/".to_owned()
            } else {
                above.to_owned()
            },
            authority,
        })
    }
}

/// A table of only these patterns.
pub(crate) fn table<'w>(written: impl IntoIterator<Item = &'w Written>) -> RouteTable {
    RouteTable::new(written.into_iter().map(Written::entry)).unwrap_or_default()
}
