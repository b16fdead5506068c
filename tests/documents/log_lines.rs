//! The log lines in the documentation are lines that the filter writes.
//!
//! `log_lines.cases.yaml` has a case for each line about a request or a fetch. Lines about
//! fetches that Envoy did not send are made here.

use std::collections::BTreeSet;
use std::fs;
use std::sync::Arc;

use edge_authz::telemetry::{
    DocumentKind, Event, FetchFailure, FetchPlace, NotSent, ProxyCause, Shown,
};
use edge_authz_cli::cases::CaseFile;

use super::pages::root;
use super::{Block, blocks, each_passes};

/// How the lines begin that the filter writes about requests and fetches.
const BEGINNINGS: [&str; 3] = ["refused: ", "reported: ", "provider `"];

#[test]
fn every_log_line_is_one_that_the_filter_writes() {
    let written = written();
    let mut unknown = Vec::new();
    let mut count = 0;
    for block in blocks().iter().filter(|block| block.kind == "text") {
        for line in lines(block) {
            if BEGINNINGS.iter().any(|begin| line.starts_with(begin)) {
                count += 1;
                if !written.contains(&line) {
                    unknown.push(format!("{}: {line}", block.place));
                }
            }
        }
    }
    let written: Vec<_> = written.into_iter().collect();
    assert!(
        unknown.is_empty(),
        "the filter writes no such lines:\n{}\n\nit writes:\n{}",
        unknown.join("\n"),
        written.join("\n")
    );
    assert!(count >= 20, "only {count} lines were found");
}

/// The lines of a block. A line that begins with blanks continues the one before.
fn lines(block: &Block) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for line in block.text.lines() {
        match lines.last_mut() {
            Some(last) if line.starts_with(' ') => {
                last.push(' ');
                last.push_str(line.trim_start());
            }
            _ => lines.push(line.to_owned()),
        }
    }
    lines
}

/// The lines that the filter writes in the cases.
fn written() -> BTreeSet<String> {
    let text = fs::read_to_string(root().join("tests/documents/log_lines.cases.yaml")).unwrap();
    let file = CaseFile::parse_with(&text, &|name| panic!("{name} is not here")).unwrap();
    let mut lines = BTreeSet::new();
    each_passes("log_lines.cases.yaml", &file, |player, request, now| {
        lines.extend(player.log(request, now));
    });
    lines.extend(about_fetches());
    lines
}

/// The lines about fetches that depend on Envoy or on the time.
fn about_fetches() -> Vec<String> {
    let login = ("login", "https://login.example.com/jwks.json", "login");
    let main = ("main", "https://issuer.example.com/jwks.json", "issuer");
    let timeout = ProxyCause::Timeout;
    let failed = [
        (
            login,
            FetchFailure::NotSent(NotSent::UnknownCluster),
            false,
            1,
        ),
        (login, FetchFailure::NotSent(NotSent::NoHost), false, 1),
        (
            main,
            FetchFailure::Proxy {
                status: 503,
                cause: timeout,
            },
            true,
            8,
        ),
    ];
    let failed =
        failed.map(
            |((provider, uri, cluster), failure, serving, retry_in)| Event::FetchFailed {
                provider: Arc::from(provider),
                document: DocumentKind::KeySet,
                place: FetchPlace {
                    uri: Shown::new(uri),
                    cluster: Arc::from(cluster),
                },
                failure,
                serving,
                retry_in,
            },
        );
    let old = [DocumentKind::KeySet, DocumentKind::RevocationList].map(|document| Event::TooOld {
        provider: Arc::from("login"),
        document,
    });
    let all = failed.iter().chain(&old);
    all.map(ToString::to_string).collect()
}
