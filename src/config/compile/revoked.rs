//! The source of a provider's revocation list.

use std::sync::Arc;
use std::time::Duration;

use super::sources::{DefaultTimes, Sources, cluster, times};
use crate::config::error::Sink;
use crate::config::problem::ProviderProblem;
use crate::config::written::Revoked;
use crate::policy::{DocumentLocation, DocumentSource, FetchUri, SourceId};
use crate::telemetry::DocumentKind;

const DEFAULTS: DefaultTimes = DefaultTimes {
    refresh: Duration::from_secs(30),
    max_stale: Duration::from_hours(1),
};

/// Compiles `revoked` of the provider with this name.
pub(super) fn compile<'d>(
    written: Revoked<'d>,
    name: &str,
    sources: &mut Sources<'d>,
    sink: &mut Sink,
) -> Option<SourceId> {
    let (timeout, refresh, max_stale) = times(&written.times, &DEFAULTS, sink);
    let uri = written.uri.read();
    let uri = uri.and_then(|uri| match FetchUri::parse(uri.value) {
        Ok(parsed) => Some(parsed),
        Err(reason) => {
            sink.report(&uri.at, ProviderProblem::Uri(uri.excerpt(), reason));
            None
        }
    });
    let source = DocumentSource {
        kind: DocumentKind::RevocationList,
        name: Arc::from(name),
        cluster: cluster(&written.cluster, sink)?,
        location: DocumentLocation::Uri(uri?),
        timeout,
        refresh,
        max_stale,
    };
    Some(sources.add(source, &written.times.at, sink))
}
