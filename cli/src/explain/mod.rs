//! `edge-authz explain`: why a request is decided as it is.
//!
//! The core reports the steps of its decision as it takes them, and this module describes
//! them in words. It never shows a token, or what may contain one: queries, cookies, the
//! values of request headers.

mod documents;
mod moment;
mod place;
mod render;
mod request;
mod step;
mod token;

use std::io::Write;
use std::sync::Arc;

use serde_json::{Value, json};

pub(crate) use documents::DocumentFiles;
pub(crate) use moment::Moment;
pub(crate) use request::RequestArguments;

use super::load::Loaded;
use super::patterns::written;
use documents::NothingRemembered;
use edge_authz::authz::{
    Connection, Context, Decision, Forward, NeededDocument, NoConnection, NoUsedProofs, Refusal,
    Verdict, evaluate_traced,
};
use edge_authz::crypto::NoHostSignatures;
use edge_authz::http::{HeaderEdit, RequestHead};
use edge_authz::policy::Policy;
use edge_authz::telemetry::Reason;
use render::Renderer;
use step::{Result, Step};

/// The steps of a decision and their result.
pub(crate) struct Explanation {
    method: String,
    steps: Vec<Step>,
    verdict: String,
    status: Option<u16>,
    reason: &'static str,
    /// Why the request would have been refused, if refusals are only reported.
    reported: Option<&'static str>,
    /// The effects on the client or the upstream.
    effects: Vec<String>,
}

/// Explains how a request is decided.
pub(crate) fn explain(
    loaded: &Loaded,
    head: &RequestHead,
    documents: &DocumentFiles,
    now: Moment,
) -> Explanation {
    decide(loaded, head, documents, &NoConnection, now).1
}

/// Decides a request of this connection, and explains the decision.
pub(crate) fn decide(
    loaded: &Loaded,
    head: &RequestHead,
    documents: &DocumentFiles,
    connection: &dyn Connection,
    now: Moment,
) -> (Decision, Explanation) {
    let policy = &loaded.policy;
    let context = Context {
        keys: documents,
        remembered: &NothingRemembered,
        host_signatures: &NoHostSignatures,
        connection,
        proofs: &NoUsedProofs,
        arrived: now.0,
        now: now.0,
    };
    let mut renderer = Renderer {
        policy,
        written: &written(policy, &loaded.subject),
        head,
        now,
        steps: Vec::new(),
    };
    let decision = evaluate_traced(policy, head, context, &mut renderer);
    let (verdict, status, effects) = verdict(policy, &decision);
    // A request that waits is refused for this reason in the end.
    let reason = match &decision.verdict {
        Verdict::Wait(needed) => NeededDocument::unavailable(needed, policy),
        Verdict::Forward(_) | Verdict::Reply(..) => {
            decision.reason().unwrap_or(Reason::InternalError)
        }
    };
    let explanation = Explanation {
        method: quote(head.method().unwrap_or_default()),
        steps: renderer.steps,
        verdict,
        status,
        reason: reason.name(),
        reported: reported(&decision),
        effects,
    };
    (decision, explanation)
}

fn reported(decision: &Decision) -> Option<&'static str> {
    match &decision.verdict {
        Verdict::Forward(forward) => Some(forward.unenforced()?.reason().name()),
        Verdict::Reply(..) | Verdict::Wait(_) => None,
    }
}

fn verdict(policy: &Policy, decision: &Decision) -> (String, Option<u16>, Vec<String>) {
    let cors = decision.facts.cors.as_ref();
    let cors = cors.map(|_| "the answer gets the headers of a CORS policy".to_owned());
    match &decision.verdict {
        Verdict::Forward(forward) => {
            let mut effects: Vec<_> = forward
                .edits
                .iter()
                .map(|edit| shown(policy, edit))
                .collect();
            if forward.dropped > 0 {
                effects.push(format!(
                    "{} headers are omitted: a header cannot carry their values",
                    forward.dropped
                ));
            }
            effects.extend(cors);
            (forwarded(policy, forward), None, effects)
        }
        Verdict::Reply(_, reply) => {
            let headers = reply.headers.iter();
            let mut effects: Vec<_> = headers
                .map(|(name, value)| format!("{name}: {}", value.as_str()))
                .collect();
            let body = String::from_utf8_lossy(&reply.body).into_owned();
            effects.extend(Some(body).filter(|body| !body.is_empty()));
            effects.extend(cors);
            (
                format!("is answered {}", reply.status),
                Some(reply.status),
                effects,
            )
        }
        Verdict::Wait(needed) => {
            let reason = NeededDocument::unavailable(needed, policy);
            let verdict = if reason == Reason::RevocationListUnavailable {
                "waits for the revocation list, and is answered 503 if it does not arrive"
            } else {
                "waits for keys, and is answered 503 if they do not arrive"
            };
            (verdict.to_owned(), None, Vec::new())
        }
    }
}

/// The verdict about a request that passes.
fn forwarded(policy: &Policy, forward: &Forward) -> String {
    let Some(unenforced) = forward.unenforced() else {
        return "goes to the upstream".to_owned();
    };
    let reason = unenforced.reason();
    let otherwise = if reason == Reason::KeysUnavailable {
        "would wait for keys".to_owned()
    } else if reason == Reason::RevocationListUnavailable {
        "would wait for the revocation list".to_owned()
    } else {
        let status = Refusal::from(reason).reply(&policy.responses).status;
        format!("would be answered {status}")
    };
    format!(
        "goes to the upstream, because refusals are only reported here; otherwise it {otherwise}: {}",
        reason.name()
    )
}

/// A change to the request, without parts that may contain a token.
fn shown(policy: &Policy, edit: &HeaderEdit<'_>) -> String {
    match edit {
        HeaderEdit::Remove(name) => format!("removes {}", quote(name)),
        HeaderEdit::Set(name, value) | HeaderEdit::Add(name, value) => {
            let is = |header: &Option<Arc<str>>| {
                header
                    .as_ref()
                    .is_some_and(|header| header.as_bytes() == &**name)
            };
            let value = if is(&policy.upstream.payload) {
                "the claims part of the token".to_owned()
            } else if is(&policy.upstream.context) {
                "the claims and scopes, as JSON".to_owned()
            } else if &**name == b":path" || &**name == b"cookie" {
                "what it is, without the token".to_owned()
            } else {
                quote(value)
            };
            format!("sets {}: {value}", quote(name))
        }
    }
}

/// Bytes as text that is safe to print on a terminal.
fn quote(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes)
        .escape_debug()
        .to_string()
        .replace("\\'", "'")
        .replace("\\\"", "\"")
}

impl Explanation {
    /// Writes the steps and the verdict as text.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub(crate) fn show(&self, out: &mut dyn Write) -> std::io::Result<()> {
        for step in &self.steps {
            let mark = match step.result {
                Result::Passed => '✓',
                Result::Decided => '●',
                Result::Skipped => '–',
            };
            let lines = Some(&step.input).filter(|input| !input.is_empty());
            let mut lines: Vec<&str> = lines.map(String::as_str).into_iter().collect();
            let outcome = format!("→ {}", step.outcome);
            lines.push(if step.input.is_empty() {
                &step.outcome
            } else {
                &outcome
            });
            lines.extend(step.details.iter().map(String::as_str));
            let head = format!("{mark} {:>2} {:<10}", step.number, step.name);
            for (number, line) in lines.into_iter().enumerate() {
                let head = if number == 0 { &head } else { "" };
                writeln!(out, "{head:<15}{line}")?;
            }
        }
        writeln!(out, "\n{} {} ({})", self.method, self.verdict, self.reason)?;
        for effect in &self.effects {
            writeln!(out, "  {effect}")?;
        }
        Ok(())
    }

    /// The same, for other programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "steps": self.steps,
            "verdict": self.verdict,
            "status": self.status,
            "reason": self.reason,
            "reported": self.reported,
            "effects": self.effects,
        })
    }
}
