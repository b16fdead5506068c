//! `dpop`: the rules for proofs of possession.

use super::Seen;
use super::providers::listed_algorithms;
use crate::config::error::Sink;
use crate::config::problem::ProviderProblem;
use crate::config::reader::{Field, List, Text};
use crate::config::written;
use crate::crypto::Algorithm;
use crate::dpop::{Origin, ProofRules};

/// Compiles `dpop`.
pub(super) fn compile(written: written::Dpop<'_>, sink: &mut Sink) -> ProofRules {
    let algorithms = match written.algorithms {
        Field::Is(list) => listed_algorithms(&list, symmetric, sink),
        Field::Absent => Some(ProofRules::DEFAULT_ALGORITHMS.into_iter().collect()),
        Field::Unreadable => None,
    };
    let max_age = written.max_age.read();
    ProofRules {
        origins: origins(written.origins, sink),
        algorithms: algorithms.unwrap_or_default(),
        max_age: max_age.unwrap_or(ProofRules::DEFAULT_MAX_AGE),
    }
}

/// Everybody who can check a symmetric signature can make it.
fn symmetric(algorithm: Algorithm) -> Option<ProviderProblem> {
    algorithm
        .is_symmetric()
        .then_some(ProviderProblem::SymmetricProof(algorithm))
}

fn origins(written: Field<List<Text<'_>>>, sink: &mut Sink) -> Vec<Origin> {
    let Some(list) = written.read() else {
        return Vec::new();
    };
    let mut seen = Seen::default();
    let mut origins = Vec::with_capacity(list.items.len());
    for text in &list.items {
        match Origin::parse(text.value) {
            Ok(origin) => {
                if seen.check(&text.at, origin.clone(), sink) {
                    origins.push(origin);
                }
            }
            Err(reason) => {
                sink.report(
                    &text.at,
                    ProviderProblem::ProofOrigin(text.excerpt(), reason),
                );
            }
        }
    }
    origins
}
