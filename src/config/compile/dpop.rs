//! `dpop`: the rules for proofs of possession.

use super::Seen;
use super::providers::listed_algorithms;
use crate::config::error::Sink;
use crate::config::problem::ProviderProblem;
use crate::config::reader::{Field, List, Text};
use crate::config::written;
use crate::crypto::Algorithm;
use crate::dpop::{Origin, ProofRules};
use crate::policy::Provider;

/// Compiles `dpop`.
pub(super) fn compile(written: written::Dpop<'_>, sink: &mut Sink) -> ProofRules {
    let algorithms = match written.algorithms {
        Field::Is(list) => listed_algorithms(&list, symmetric, sink),
        Field::Absent => Some(ProofRules::DEFAULT_ALGORITHMS.into_iter().collect()),
        Field::Unreadable => None,
    };
    let max_age = written.max_age.read();
    let max_age = max_age.unwrap_or(ProofRules::DEFAULT_MAX_AGE);
    ProofRules {
        origins: origins(written.origins, sink),
        algorithms: algorithms.unwrap_or_default(),
        max_age,
        nonce: written.nonce.read(),
        kept_for: max_age,
    }
}

/// Lets each provider's proofs be remembered as long as any of them accepts one. Routes for
/// one path may have different providers, and a proof does not name its route.
pub(super) fn keep_for_all(providers: &mut [Provider]) {
    let rules = providers.iter().filter_map(|one| one.dpop.as_ref());
    let longest = rules.map(|rules| rules.max_age).max().unwrap_or_default();
    for rules in providers.iter_mut().filter_map(|one| one.dpop.as_mut()) {
        rules.kept_for = longest;
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

#[cfg(test)]
mod tests {
    use crate::config::compile;
    use std::time::Duration;

    #[test]
    fn a_proof_is_remembered_as_long_as_any_provider_accepts_it() {
        let provider = |name: &str, dpop: &str| {
            format!(
                r#"{{"name":"{name}","issuer":"https://issuer.example","audiences":["{name}"],
                    "jwks":{{"cluster":"idp","uri":"https://issuer.example/jwks"}}{dpop}}}"#
            )
        };
        let dpop = |rest: &str| format!(r#","dpop":{{"origins":["https://api.example"]{rest}}}"#);
        let document = format!(
            r#"{{"providers":[{},{},{}],"routes":[{{"match":"$default"}}]}}"#,
            provider("short", &dpop("")),
            provider("long", &dpop(r#","max_age":"10m""#)),
            provider("none", ""),
        );
        let policy = compile(document.as_bytes()).unwrap();
        let rules = policy
            .providers
            .iter()
            .filter_map(|(_, one)| one.dpop.as_ref());
        let times: Vec<_> = rules.map(|rules| (rules.max_age, rules.kept_for)).collect();
        let (short, long) = (Duration::from_mins(1), Duration::from_mins(10));
        assert_eq!(times, [(short, long), (long, long)]);
    }
}
