//! The sources of fetched documents.

use std::collections::BTreeMap;
use std::time::Duration;

use crate::config::duration::Written;
use crate::config::error::{Fetching, Sink};
use crate::config::path::Path;
use crate::config::problem::ProviderProblem;
use crate::config::reader::{Field, Text};
use crate::config::written::Times;
use crate::policy::{DocumentLocation, DocumentSource, SourceId};
use crate::telemetry::DocumentKind;

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(5);

/// The default times of a kind of document.
pub(super) struct DefaultTimes {
    pub(super) refresh: Duration,
    pub(super) max_stale: Duration,
}

/// The name of a source's cluster. It is empty if the host fetches directly, so that
/// providers with different clusters share a source there.
pub(super) fn cluster(written: &Field<Text<'_>>, sink: &Sink) -> Option<Box<str>> {
    match sink.fetching() {
        Fetching::Direct => Some("".into()),
        Fetching::Clusters => Some(written.as_ref().read()?.value.into()),
    }
}

/// The sources, each once.
#[derive(Default)]
pub(super) struct Sources<'d> {
    list: Vec<DocumentSource>,
    known: BTreeMap<(Box<str>, String), (SourceId, Path<'d>)>,
}

impl<'d> Sources<'d> {
    pub(super) fn into_policy(self) -> Vec<DocumentSource> {
        self.list
    }

    /// Adds a source, or returns the known one with the same location and kind. A shared
    /// source gets the strictest settings of the providers that share it.
    pub(super) fn add(
        &mut self,
        source: DocumentSource,
        at: &Path<'d>,
        sink: &mut Sink,
    ) -> SourceId {
        let place = match &source.location {
            DocumentLocation::Uri(uri) => match source.kind {
                DocumentKind::KeySet => format!("uri {uri}"),
                DocumentKind::RevocationList => format!("list {uri}"),
            },
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

/// The timeout, the refresh period and the maximum age of a document.
pub(super) fn times(
    written: &Times<'_>,
    default: &DefaultTimes,
    sink: &mut Sink,
) -> (Duration, Duration, Duration) {
    let or = |field: &Field<Duration>, default| field.as_ref().read().copied().unwrap_or(default);
    let refresh = or(&written.refresh, default.refresh);
    let max_stale = or(&written.max_stale, default.max_stale);
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
