//! The steps of a decision as text for the log.

use std::fmt::{self, Write};

use super::{Credentials, KeyOutcome, KeyStep, PreflightStep, RevocationOutcome, Step, Trace};
use crate::jwk::Lookup;

/// The maximum length of the text, in bytes. A thousand providers may trust one issuer, and each
/// takes a step.
const MAX_BYTES: usize = 1000;

/// Describes the steps of a decision, if the description is needed.
///
/// The text contains names of the configuration, numbers and descriptions from closed
/// sets. It contains nothing of the token and nothing that a client has chosen.
#[derive(Debug)]
pub struct Steps {
    text: Option<String>,
}

impl Steps {
    /// `needed` says whether the steps are described. Otherwise they cost nothing.
    #[must_use]
    pub const fn new(needed: bool) -> Self {
        Self {
            text: if needed { Some(String::new()) } else { None },
        }
    }

    /// The description. `None` if it is not needed.
    #[must_use]
    pub fn into_text(self) -> Option<Box<str>> {
        self.text.map(Into::into)
    }
}

impl Trace for Steps {
    #[inline]
    fn step(&mut self, step: Step<'_>) {
        if let Some(text) = &mut self.text {
            describe(text, step);
        }
    }
}

#[cold]
fn describe(text: &mut String, step: Step<'_>) {
    if text.len() > MAX_BYTES {
        if !text.ends_with('…') {
            text.push_str(", …");
        }
        return;
    }
    let before = text.len();
    if before > 0 {
        text.push_str(", ");
    }
    let started = text.len();
    // Writing to a string does not fail.
    let _ = write_step(text, step);
    if text.len() == started {
        text.truncate(before);
    }
}

/// Writes a step. Steps that every request passes are omitted.
fn write_step(out: &mut String, step: Step<'_>) -> fmt::Result {
    match step {
        Step::Connection { names_identity } => write_if(out, names_identity, "bad `Connection`"),
        Step::Method { has_one_reading } => write_if(out, !has_one_reading, "bad method"),
        Step::Path(Ok(_)) => out.write_str("path ok"),
        Step::Path(Err(error)) => write!(out, "path: {error}"),
        Step::Host(result) => write_if(out, result.is_err(), "bad host"),
        Step::Metadata { is_answered, .. } => write_if(out, is_answered, "metadata of a resource"),
        Step::Preflight(PreflightStep::Ordinary) => Ok(()),
        Step::Preflight(PreflightStep::NoPolicy(..)) => {
            out.write_str("preflight without a CORS policy")
        }
        Step::Preflight(PreflightStep::Answered(..)) => out.write_str("preflight"),
        Step::Route { reached, .. } => match reached {
            Some(_) => out.write_str("route found"),
            None => out.write_str("no route"),
        },
        Step::BadMcp { bad, .. } => write!(out, "{bad}"),
        Step::Credentials(credentials, _) => out.write_str(match credentials {
            Credentials::None => "no token",
            Credentials::Ambiguous => "a value that another parser may read as a token",
            Credentials::Token(_) => "one token",
            Credentials::Malformed => "malformed credentials",
            Credentials::Several => "several tokens",
        }),
        Step::Malformed(_, error) => write!(out, "form: {error}"),
        Step::Form(form, candidates) => {
            let algorithm = form.algorithm().name();
            let providers = candidates.iter().count();
            write!(out, "{algorithm}, providers with its issuer: {providers}")
        }
        Step::Key(provider, _, key) => {
            write!(out, "provider `{}`: ", provider.name)?;
            write_key(out, key)
        }
        Step::Claims { result: Ok(()), .. } => out.write_str("claims valid"),
        Step::Claims {
            result: Err(fault), ..
        } => write!(out, "claims: {}", fault.reason().name()),
        Step::Revocation(_, outcome) => out.write_str(match outcome {
            RevocationOutcome::NotNamed(_) => "not revoked",
            RevocationOutcome::Revoked => "revoked",
            RevocationOutcome::NoList => "no revocation list",
        }),
        Step::Rules { result, .. } => out.write_str(match result {
            Ok(()) => "rules of the route met",
            Err(_) => "rules of the route not met",
        }),
    }
}

fn write_if(out: &mut String, condition: bool, what: &str) -> fmt::Result {
    if condition {
        out.write_str(what)?;
    }
    Ok(())
}

fn write_key(out: &mut String, key: KeyStep<'_>) -> fmt::Result {
    match key {
        KeyStep::NotLookedFor(fault) => out.write_str(fault.reason().name()),
        KeyStep::NoKeys => out.write_str("has no keys"),
        KeyStep::LookedFor {
            set,
            lookup,
            outcome,
        } => {
            let fitting = match lookup {
                Lookup::Candidates { keys, .. } => keys.len(),
                Lookup::UnknownKid | Lookup::NoFittingKey => 0,
            };
            let what = match (outcome, lookup) {
                (KeyOutcome::Signed, _) => "signed",
                (_, Lookup::UnknownKid) => "no such `kid`",
                (_, Lookup::NoFittingKey) => "no key to choose",
                (_, Lookup::Candidates { .. }) => "not signed",
            };
            write!(out, "{what} (keys: {}, tried: {fitting})", set.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_above_the_limit_is_not_continued() {
        let step = || Step::Method {
            has_one_reading: false,
        };
        let mut full = "x".repeat(MAX_BYTES);
        describe(&mut full, step());
        assert_eq!(full.get(MAX_BYTES..), Some(", bad method"));
        let above = full.clone();
        for _ in 0..2 {
            describe(&mut full, step());
            assert_eq!(full, format!("{above}, …"));
        }
    }
}
