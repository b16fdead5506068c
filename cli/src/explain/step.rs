//! One step of a decision, as shown.

use serde::Serialize;

/// A step with its input and its outcome.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Step {
    /// Its number in the order of decisions.
    pub(crate) number: u8,
    pub(crate) name: &'static str,
    /// What was checked.
    pub(crate) input: String,
    pub(crate) result: Result,
    /// The result.
    pub(crate) outcome: String,
    /// Further details.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) details: Vec<String>,
}

/// Whether the request continues with the next step.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Result {
    /// The request continues.
    Passed,
    /// The decision is made here.
    Decided,
    /// The step did not apply.
    Skipped,
}

impl Step {
    /// A step after which the request continues.
    pub(crate) fn passed(number: u8, name: &'static str, input: String, outcome: String) -> Self {
        Self {
            number,
            name,
            input,
            result: Result::Passed,
            outcome,
            details: Vec::new(),
        }
    }

    /// A step that decides.
    pub(crate) fn decided(number: u8, name: &'static str, input: String, outcome: String) -> Self {
        Self {
            result: Result::Decided,
            ..Self::passed(number, name, input, outcome)
        }
    }

    /// A step that does not apply.
    pub(crate) fn skipped(number: u8, name: &'static str, outcome: &str) -> Self {
        Self {
            result: Result::Skipped,
            ..Self::passed(number, name, String::new(), outcome.to_owned())
        }
    }

    /// Adds a detail to the step.
    pub(crate) fn with(mut self, details: impl IntoIterator<Item = String>) -> Self {
        self.details.extend(details);
        self
    }
}
