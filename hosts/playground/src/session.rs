//! Answers calls, and keeps the last document so that it is compiled once.

use edge_authz_cli::{Inspected, Question};
use serde_json::{Value, json};

use crate::call::{Call, Document, Request};
use crate::{complete, outcome, providers};

/// The name that messages about the document have.
const NAME: &str = "the document";

/// The last document.
pub(crate) struct Session {
    last: Option<(Document, Inspected)>,
}

impl Session {
    /// Before the first call.
    pub(crate) const EMPTY: Self = Self { last: None };

    /// Answers a call.
    pub(crate) fn answer(&mut self, call: &[u8]) -> String {
        let answer = match serde_json::from_slice(call) {
            Ok(call) => self.handle(call),
            Err(error) => Err(format!("not a call: {error}")),
        };
        let answer = match answer {
            Ok(value) => json!({"ok": value}),
            Err(sentence) => json!({"error": sentence}),
        };
        answer.to_string()
    }

    fn handle(&mut self, call: Call) -> Result<Value, String> {
        match call {
            Call::Check { document } => {
                let inspected = self.inspected(document);
                let mut value = inspected.findings();
                let providers = inspected.policy().map_or(Value::Null, providers::of);
                if let Value::Object(members) = &mut value {
                    members.insert("providers".to_owned(), providers);
                }
                Ok(value)
            }
            Call::Decide {
                document,
                request:
                    Request {
                        method,
                        target,
                        headers,
                    },
                keys,
                revoked,
                now,
            } => {
                let keys: Vec<_> = keys.into_iter().collect();
                let revoked: Vec<_> = revoked.into_iter().collect();
                let question = Question {
                    method: &method,
                    target: &target,
                    headers: &headers,
                    keys: &keys,
                    revoked: &revoked,
                    now,
                };
                let decided = self.inspected(document).decide(&question)?;
                Ok(outcome::of(decided))
            }
            Call::Complete { before } => Ok(complete::at_end(&before)),
        }
    }

    /// The document, read unless it is the last one.
    fn inspected(&mut self, document: Document) -> &Inspected {
        let last = self.last.take().filter(|(known, _)| *known == document);
        let last = last.unwrap_or_else(|| {
            let inspected = Inspected::read(NAME, &document.text, document.host.into());
            (document, inspected)
        });
        &self.last.insert(last).1
    }
}
