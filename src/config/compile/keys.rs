//! The sources of a provider's keys.

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::sync::Arc;
use std::time::Duration;

use crate::config::duration::Written;
use crate::config::error::Sink;
use crate::config::path::Path;
use crate::config::problem::{ProviderProblem, ShapeProblem};
use crate::config::reader::{Field, Text};
use crate::config::value::Value;
use crate::config::written::{InlineKeys, Jwks};
use crate::crypto::{Algorithm, AlgorithmSet};
use crate::http::HostPattern;
use crate::jwk::shelf::{self, Label};
use crate::jwk::{KeyOrigin, KeySet, KeySetError, MAX_KEY_SET_BYTES, ParsedKeySet, SkippedKey};
use crate::policy::{DocumentLocation, DocumentSource, FetchUri, ProviderKeys, SourceId};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);
const DEFAULT_REFRESH: Duration = Duration::from_mins(10);
const DEFAULT_MAX_STALE: Duration = Duration::from_hours(24);

/// The members of a provider that matter for its keys.
pub(super) struct Owner<'o, 'd> {
    pub(super) name: &'o str,
    pub(super) issuer: Option<&'o Text<'d>>,
    /// Absent if the list could not be read.
    pub(super) algorithms: Option<AlgorithmSet>,
}

/// The key sources, each once.
#[derive(Default)]
pub(super) struct Sources<'d> {
    list: Vec<DocumentSource>,
    known: BTreeMap<(Box<str>, String), (SourceId, Path<'d>)>,
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
            &written.at.member("hosts"),
            ShapeProblem::NotWith { member: "uri" },
        );
    }
    let (timeout, refresh, max_stale) = times(&written, sink);
    let location = location(&written, owner, sink);
    let cluster = written.cluster.read()?.value.into();
    let source = DocumentSource {
        name: Arc::from(owner.name),
        cluster,
        location: location?,
        timeout,
        refresh,
        max_stale,
    };
    Some(ProviderKeys::Fetched(sources.add(
        source,
        &written.at,
        sink,
    )))
}

fn only_with_cluster(written: &Jwks<'_>, sink: &mut Sink) {
    for (name, is_present) in [
        ("uri", written.uri.is_present()),
        ("hosts", written.hosts.is_present()),
        ("timeout", written.timeout.is_present()),
        ("refresh", written.refresh.is_present()),
        ("max_stale", written.max_stale.is_present()),
    ] {
        if is_present {
            sink.report(
                &written.at.member(name),
                ShapeProblem::NotWith { member: "inline" },
            );
        }
    }
}

fn times(written: &Jwks<'_>, sink: &mut Sink) -> (Duration, Duration, Duration) {
    let or = |field: &Field<Duration>, default| field.as_ref().read().copied().unwrap_or(default);
    let refresh = or(&written.refresh, DEFAULT_REFRESH);
    let max_stale = or(&written.max_stale, DEFAULT_MAX_STALE);
    let readable = !matches!(written.refresh, Field::Unreadable)
        && !matches!(written.max_stale, Field::Unreadable);
    if readable && max_stale < refresh {
        let name = if written.max_stale.is_present() {
            "max_stale"
        } else {
            "refresh"
        };
        let problem = ProviderProblem::StaleBeforeRefresh {
            refresh: Written(refresh).to_string().into(),
            max_stale: Written(max_stale).to_string().into(),
        };
        sink.report(&written.at.member(name), problem);
    }
    (or(&written.timeout, DEFAULT_TIMEOUT), refresh, max_stale)
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
    let own_cluster = written.cluster.as_ref().read();
    let is_own = |cluster: &Text<'_>| own_cluster.is_none_or(|own| own.value == cluster.value);
    let mut hosts = BTreeMap::new();
    for (host, cluster) in written.hosts.as_ref().read().into_iter().flatten() {
        let problem = match HostPattern::parse(host.value) {
            Ok(HostPattern::Exact(name)) if *name == *own && !is_own(cluster) => {
                ProviderProblem::OwnHost
            }
            Ok(HostPattern::Exact(name)) => {
                hosts.insert(name, cluster.value.into());
                continue;
            }
            Ok(HostPattern::Below(_)) => ProviderProblem::WildHost(host.excerpt()),
            Err(reason) => ProviderProblem::Host(host.excerpt(), reason),
        };
        sink.report(&host.at, problem);
    }
    hosts
}

impl<'d> Sources<'d> {
    pub(super) fn into_policy(self) -> Vec<DocumentSource> {
        self.list
    }

    /// Adds a source, or returns the known one with the same location. A shared
    /// source gets the strictest settings of the providers that share it.
    fn add(&mut self, source: DocumentSource, at: &Path<'d>, sink: &mut Sink) -> SourceId {
        let place = match &source.location {
            DocumentLocation::Uri(uri) => format!("uri {uri}"),
            DocumentLocation::Discovery { issuer, .. } => format!("issuer {issuer}"),
        };
        let key = (source.cluster.clone(), place);
        let Some((id, first)) = self.known.get(&key) else {
            let id = SourceId::new(self.list.len());
            self.known.insert(key, (id, at.clone()));
            self.list.push(source);
            return id;
        };
        if let Some(shared) = self.list.get_mut(id.index()) {
            if shared.location != source.location {
                let than = first.to_owned();
                sink.report(at, ProviderProblem::OtherHosts { than });
            }
            shared.timeout = shared.timeout.min(source.timeout);
            shared.refresh = shared.refresh.min(source.refresh);
            shared.max_stale = shared.max_stale.min(source.max_stale);
        }
        *id
    }
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
