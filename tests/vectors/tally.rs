//! What was run, what was not run and why, and the deviations.

use std::collections::BTreeMap;
use std::io::Write;

use edge_authz::crypto::{Algorithm, NoHostSignatures};

use crate::host::AwsLc;
use crate::keys::Key;

/// The counts of one corpus, by algorithm.
pub(crate) struct Tally {
    corpus: &'static str,
    host: AwsLc,
    counts: BTreeMap<Algorithm, Counts>,
    skipped: BTreeMap<String, usize>,
    deviations: Vec<String>,
}

#[derive(Default)]
struct Counts {
    accepted: usize,
    refused: usize,
    natively: usize,
}

impl Tally {
    pub(crate) fn new(corpus: &'static str) -> Self {
        Self {
            corpus,
            host: AwsLc::default(),
            counts: BTreeMap::new(),
            skipped: BTreeMap::new(),
            deviations: Vec::new(),
        }
    }

    /// Checks one signature with the host, with the module, and with the module's tables if
    /// there are any. The host is not asked for what the module refuses by its form.
    pub(crate) fn check(
        &mut self,
        name: &str,
        key: &Key,
        algorithm: Algorithm,
        message: &[u8],
        signature: &[u8],
        expected: bool,
    ) {
        let asked = self.host.asked();
        let plain = key.plain();
        let by_host = plain.verify(algorithm, message, signature, &self.host);
        let here = plain.verify(algorithm, message, signature, &NoHostSignatures);
        let by_tables = key
            .prepared()
            .map(|key| key.verify(algorithm, message, signature, &NoHostSignatures));
        for (path, verified) in [
            ("by the host", Some(by_host)),
            ("here", Some(here)),
            ("by tables", by_tables),
        ] {
            if let Some(verified) = verified
                && verified != expected
            {
                let deviation =
                    format!("{algorithm} {name}: {verified} {path}, should be {expected}");
                self.deviations.push(deviation);
            }
        }
        let counts = self.counts.entry(algorithm).or_default();
        counts.natively += self.host.asked() - asked;
        if expected {
            counts.accepted += 1;
        } else {
            counts.refused += 1;
        }
    }

    /// Counts vectors that do not apply to us.
    pub(crate) fn skip(&mut self, reason: impl Into<String>, vectors: usize) {
        *self.skipped.entry(reason.into()).or_default() += vectors;
    }

    /// Prints the counts. It fails on a deviation, or if one of `algorithms` was not both
    /// accepted and refused at least once.
    pub(crate) fn finish(self, algorithms: &[Algorithm]) {
        // It bypasses the test runner, which captures the output of tests.
        let mut out = std::io::stdout().lock();
        for (algorithm, counts) in &self.counts {
            writeln!(
                out,
                "{}: {algorithm}: {} run, {} to accept, {} to refuse, {} of them natively, too",
                self.corpus,
                counts.accepted + counts.refused,
                counts.accepted,
                counts.refused,
                counts.natively,
            )
            .unwrap();
        }
        for (reason, vectors) in &self.skipped {
            writeln!(out, "{}: {vectors} skipped: {reason}", self.corpus).unwrap();
        }
        drop(out);
        assert!(self.deviations.is_empty(), "{:#?}", self.deviations);
        for algorithm in algorithms {
            let counts = self.counts.get(algorithm);
            assert!(
                counts.is_some_and(|counts| counts.accepted > 0 && counts.refused > 0),
                "{}: {algorithm} was not tested",
                self.corpus
            );
            let natively = counts.map_or(0, |counts| counts.natively);
            assert!(
                algorithm.is_symmetric() || natively > 0,
                "{}: no host was asked for {algorithm}",
                self.corpus
            );
        }
    }
}
