//! The sources of a provider's keys.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use super::sources::{DefaultTimes, Sources, cluster, times};
use crate::config::error::{Fetching, Sink};
use crate::config::path::Path;
use crate::config::problem::{ProviderProblem, ShapeProblem};
use crate::config::reader::{Field, Text};
use crate::config::value::Value;
use crate::config::written::{InlineKeys, Jwks};
use crate::crypto::{Algorithm, AlgorithmSet};
use crate::http::HostPattern;
use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeyOrigin, KeySet, KeySetError, MAX_KEY_SET_BYTES, ParsedKeySet, SkippedKey};
use crate::policy::{DocumentLocation, DocumentSource, FetchUri, ProviderKeys};
use crate::telemetry::DocumentKind;

const DEFAULTS: DefaultTimes = DefaultTimes {
    refresh: Duration::from_mins(10),
    max_stale: Duration::from_hours(24),
};

/// The members of a provider that matter for its keys.
pub(super) struct Owner<'o, 'd> {
    pub(super) name: &'o str,
    pub(super) issuer: Option<&'o Text<'d>>,
    /// Absent if the list could not be read.
    pub(super) algorithms: Option<AlgorithmSet>,
}

/// Compiles `jwks`.
#[inline(never)]
pub(super) fn compile<'d>(
    written: Jwks<'d>,
    owner: &Owner<'_, 'd>,
    sources: &mut Sources<'d>,
    sink: &mut Sink,
) -> Option<ProviderKeys> {
    if written.inline.is_present() {
        only_with_cluster(&written, sink);
        let inline = written.inline.read()?;
        return inline_keys(&inline, owner.algorithms, sink).map(ProviderKeys::Inline);
    }
    if written.uri.is_present() && written.hosts.is_present() {
        sink.report(
            &written.times.at.member("hosts"),
            ShapeProblem::NotWith { member: "uri" },
        );
    }
    let (timeout, refresh, max_stale) = times(&written.times, &DEFAULTS, sink);
    let location = location(&written, owner, sink);
    let cluster = cluster(&written.cluster, sink)?;
    let source = DocumentSource {
        kind: DocumentKind::KeySet,
        name: Arc::from(owner.name),
        cluster,
        location: location?,
        timeout,
        refresh,
        max_stale,
    };
    let at = &written.times.at;
    Some(ProviderKeys::Fetched(sources.add(source, at, sink)))
}

fn only_with_cluster(written: &Jwks<'_>, sink: &mut Sink) {
    for (name, is_present) in [
        ("uri", written.uri.is_present()),
        ("hosts", written.hosts.is_present()),
        ("timeout", written.times.timeout.is_present()),
        ("refresh", written.times.refresh.is_present()),
        ("max_stale", written.times.max_stale.is_present()),
    ] {
        if is_present {
            sink.report(
                &written.times.at.member(name),
                ShapeProblem::NotWith { member: "inline" },
            );
        }
    }
}

#[inline(never)]
fn location(
    written: &Jwks<'_>,
    owner: &Owner<'_, '_>,
    sink: &mut Sink,
) -> Option<DocumentLocation> {
    let uri = match &written.uri {
        Field::Is(uri) => uri,
        Field::Unreadable => return None,
        Field::Absent => return discovery(written, owner.issuer?, sink),
    };
    match FetchUri::parse(uri.value) {
        Ok(uri) => Some(DocumentLocation::Uri(uri)),
        Err(reason) => {
            sink.report(&uri.at, ProviderProblem::Uri(uri.excerpt(), reason));
            None
        }
    }
}

fn discovery(written: &Jwks<'_>, issuer: &Text<'_>, sink: &mut Sink) -> Option<DocumentLocation> {
    let uri = match FetchUri::parse(issuer.value) {
        Ok(uri) => uri,
        Err(reason) => {
            sink.report(
                &issuer.at,
                ProviderProblem::NotDiscoverable(issuer.excerpt(), reason),
            );
            return None;
        }
    };
    if uri.path().contains('?') {
        sink.report(&issuer.at, ProviderProblem::IssuerQuery(issuer.excerpt()));
        return None;
    }
    // One slash at the end is removed, for both URIs: OpenID Connect Discovery
    // section 4.1, RFC 8414 section 3.1.
    let path = uri.path().strip_suffix('/').unwrap_or(uri.path());
    let metadata = [
        uri.with_path(&format!("{path}/.well-known/openid-configuration")),
        uri.with_path(&format!("/.well-known/oauth-authorization-server{path}")),
    ];
    Some(DocumentLocation::Discovery {
        issuer: issuer.value.into(),
        metadata,
        hosts: hosts(written, uri.host(), sink),
    })
}

fn hosts(written: &Jwks<'_>, own: &str, sink: &mut Sink) -> BTreeMap<Box<str>, Box<str>> {
    let is_direct = sink.fetching() == Fetching::Direct;
    let own_cluster = written.cluster.as_ref().read();
    let is_own =
        |cluster: &Text<'_>| is_direct || own_cluster.is_none_or(|own| own.value == cluster.value);
    let mut hosts = BTreeMap::new();
    for (host, cluster) in written.hosts.as_ref().read().into_iter().flatten() {
        let problem = match HostPattern::parse(host.value) {
            Ok(HostPattern::Exact(name)) if *name == *own && !is_own(cluster) => {
                ProviderProblem::OwnHost
            }
            Ok(HostPattern::Exact(name)) => {
                let cluster = if is_direct { "" } else { cluster.value };
                hosts.insert(name, cluster.into());
                continue;
            }
            Ok(HostPattern::Below(_)) => ProviderProblem::WildHost(host.excerpt()),
            Err(reason) => ProviderProblem::Host(host.excerpt(), reason),
        };
        sink.report(&host.at, problem);
    }
    hosts
}

/// The text of a key set, cut off one byte after the maximum length.
fn text_of(tree: &Value<'_>) -> Vec<u8> {
    let mut text = UpTo(MAX_KEY_SET_BYTES.saturating_add(1), Vec::new());
    // An error means that the text is too long, which the caller reports.
    let _ = serde_json::to_writer(&mut text, tree);
    text.1
}

/// Keeps up to this many bytes and fails when more are written, so that a text
/// that is too large is not in memory twice.
struct UpTo(usize, Vec<u8>);

impl Write for UpTo {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let left = self.0.saturating_sub(self.1.len());
        let fit = bytes.get(..left).unwrap_or(bytes);
        self.1.extend_from_slice(fit);
        Ok(fit.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// Reads a key set, or shares the one that a former configuration read from the
/// same text.
fn parse(text: &[u8]) -> Result<ParsedKeySet, KeySetError> {
    if text.len() > MAX_KEY_SET_BYTES {
        return Err(KeySetError::TooLarge);
    }
    let label = Label::new("inline", text);
    if let Some(known) = shelf::find(&label) {
        return Ok(known);
    }
    let ParsedKeySet { set, skipped } = KeySet::parse(text, KeyOrigin::Inline)?;
    let set = shelf::put(label, set);
    Ok(ParsedKeySet { set, skipped })
}

/// Reads an inline key set. Every key in it must be usable.
fn inline_keys(
    inline: &InlineKeys<'_>,
    algorithms: Option<AlgorithmSet>,
    sink: &mut Sink,
) -> Option<KeySet> {
    let (at, parsed) = match inline {
        InlineKeys::Text(text) => (&text.at, parse(text.value.as_bytes())),
        InlineKeys::Tree(tree) => {
            if report_duplicates(&tree.at, tree.value, sink) {
                return None;
            }
            (&tree.at, parse(&text_of(tree.value)))
        }
    };
    let (set, skipped) = match parsed {
        Ok(ParsedKeySet { set, skipped }) => (Some(set), skipped),
        Err(KeySetError::NoUsableKey { skipped }) if !skipped.is_empty() => (None, skipped),
        Err(error) => {
            sink.report(at, ProviderProblem::KeySet(error));
            return None;
        }
    };
    let keys = at.member("keys");
    for SkippedKey { index, reason } in &skipped {
        sink.report(&keys.element(*index), ProviderProblem::Key(*reason));
    }
    let set = set?;
    let used = (0..).filter(|index| !skipped.iter().any(|key| key.index == *index));
    for (index, key) in used.zip(set.iter()) {
        let fits: Vec<Algorithm> = Algorithm::ALL
            .into_iter()
            .filter(|algorithm| key.serves(*algorithm))
            .collect();
        let is_secret = fits.iter().any(|algorithm| algorithm.is_symmetric());
        let is_listed =
            algorithms.is_none_or(|listed| fits.iter().any(|one| listed.contains(*one)));
        if is_secret && !is_listed {
            sink.report(&keys.element(index), ProviderProblem::Secret { fits });
        }
    }
    Some(set)
}

/// Reports duplicate members, at every depth.
fn report_duplicates<'d>(at: &Path<'d>, value: &'d Value<'d>, sink: &mut Sink) -> bool {
    match value {
        Value::Duplicate => {
            sink.report(at, ShapeProblem::Duplicate);
            true
        }
        Value::List(list) => list
            .iter()
            .enumerate()
            .fold(false, |found, (index, element)| {
                report_duplicates(&at.element(index), element, sink) || found
            }),
        Value::Object(object) => object.iter().fold(false, |found, (name, member)| {
            report_duplicates(&at.member(name), member, sink) || found
        }),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Text(_) => false,
    }
}
