//! A document, its findings and its decisions as values, for programs without a terminal.

use edge_authz::authz::{
    CertificateUnknown, Connection, Decision, NeededDocument, Refusal, Verdict,
};
use edge_authz::http::{LocalReply, RequestHead};
use edge_authz::policy::Policy;
use edge_authz::time::UnixTime;
use serde_json::Value;

use crate::check::{Checked, Host, check};
use crate::explain::{DocumentFiles, Moment, RequestArguments, decide};
use crate::load::{Loaded, load};
use crate::seen::{self, Fields};
use crate::source::Source;

/// The host for which a document is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReadFor {
    /// A module in Envoy, which fetches through Envoy's clusters.
    Envoy,
    /// `edge-authz-server`, which fetches directly.
    Server,
}

/// A document that has been read: what `check` finds in it, and the only policy in it.
#[derive(Debug)]
pub struct Inspected {
    checked: Checked,
    loaded: Option<Loaded>,
}

/// A request, and what is known when it arrives.
#[derive(Debug, Clone, Copy)]
pub struct Question<'q> {
    /// The method.
    pub method: &'q str,
    /// A path, or a whole URL.
    pub target: &'q str,
    /// `name: value` each.
    pub headers: &'q [String],
    /// Key sets, each with the name of its provider, as if they had just been fetched.
    pub keys: &'q [(String, String)],
    /// Revocation lists, in the same way.
    pub revoked: &'q [(String, String)],
    /// The time, in seconds since 1970.
    pub now: i64,
}

/// A decision and its explanation.
#[derive(Debug)]
pub struct Decided {
    head: RequestHead,
    decision: Decision,
    /// The filter's own answer. If the request waits: the answer if what it waits for does not
    /// arrive.
    reply: Option<LocalReply>,
    /// The steps in words, as `explain --json` shows them.
    pub explanation: Value,
    /// Notes about keys that cannot be used.
    pub notes: Vec<String>,
}

impl Inspected {
    /// Reads a document. A `name` that ends in `.json` makes it JSON; otherwise it is JSON or
    /// YAML.
    #[must_use]
    pub fn read(name: &str, text: &str, host: ReadFor) -> Self {
        let source = Source::new(name, text.as_bytes().to_vec());
        // A request is decided in the same way in every host, as by `explain`.
        let loaded = load(&source, Host::Any).ok();
        let host = match host {
            ReadFor::Envoy => Host::Envoy,
            ReadFor::Server => Host::Server,
        };
        Self {
            checked: check(source, host),
            loaded,
        }
    }

    /// The findings as `check --json` shows them for a file.
    #[must_use]
    pub fn findings(&self) -> Value {
        self.checked.to_json()
    }

    /// The policy. `None` if the document has errors, or has no configuration or several.
    #[must_use]
    pub fn policy(&self) -> Option<&Policy> {
        self.loaded.as_ref().map(|loaded| &loaded.policy)
    }

    /// Decides a request that arrives over a connection without a client certificate.
    ///
    /// # Errors
    ///
    /// The document has no policy, a header is not written `name: value`, or a key set or a
    /// revocation list is wrong; as a sentence.
    pub fn decide(&self, question: &Question<'_>) -> Result<Decided, String> {
        let loaded = self.loaded.as_ref();
        let loaded = loaded.ok_or("the document has errors, or not exactly one configuration")?;
        let now = UnixTime::from_secs(question.now);
        let mut documents = DocumentFiles::new(now);
        for (provider, text) in question.keys {
            documents.add_keys(&loaded.policy, provider, text.as_bytes())?;
        }
        for (provider, text) in question.revoked {
            documents.add_list(&loaded.policy, provider, text.as_bytes())?;
        }
        let request = RequestArguments {
            method: question.method,
            target: question.target,
            headers: question.headers,
            token: None,
        };
        let head = request.head()?;
        let (decision, explanation) = decide(loaded, &head, &documents, &Plaintext, Moment(now));
        Ok(Decided {
            reply: reply(&loaded.policy, &decision),
            head,
            decision,
            explanation: explanation.to_json(),
            notes: documents.notes,
        })
    }
}

impl Decided {
    /// What the core decided.
    #[must_use]
    pub fn verdict(&self) -> &Verdict {
        &self.decision.verdict
    }

    /// The filter's own answer with its status, header fields and body. `None` if the request
    /// goes to the upstream. If the request waits, it is the answer if nothing arrives.
    #[must_use]
    pub fn answer(&self) -> Option<(u16, Fields, &[u8])> {
        let reply = self.reply.as_ref()?;
        let fields = seen::of_reply(reply, &self.decision.facts);
        // An answer to HEAD has no body (RFC 9110 section 9.3.2).
        let body = match self.head.method() {
            Some(b"HEAD") => &[][..],
            Some(_) | None => &reply.body,
        };
        Some((reply.status, fields, body))
    }

    /// The path and the header fields of the request that reaches the upstream. `None` if none
    /// does.
    #[must_use]
    pub fn upstream(&self) -> Option<(Vec<u8>, Fields)> {
        match &self.decision.verdict {
            Verdict::Forward(forward) => Some(seen::by_upstream(&self.head, &forward.edits)),
            Verdict::Reply(..) | Verdict::Wait(_) => None,
        }
    }

    /// The header fields of the request as it arrived, without pseudo-headers.
    #[must_use]
    pub fn arrived(&self) -> Fields {
        seen::by_upstream(&self.head, &[]).1
    }

    /// What the client gets if the upstream answers with these header fields.
    #[must_use]
    pub fn response(&self, headers: Fields) -> Fields {
        seen::of_upstream(headers, &self.decision.facts)
    }
}

fn reply(policy: &Policy, decision: &Decision) -> Option<LocalReply> {
    match &decision.verdict {
        Verdict::Forward(_) => None,
        Verdict::Reply(_, reply) => Some(reply.clone()),
        Verdict::Wait(needed) => {
            let reason = NeededDocument::unavailable(needed, policy);
            Some(Refusal::from(reason).reply(&policy.responses))
        }
    }
}

/// A connection without TLS, and so without a client certificate.
struct Plaintext;

impl Connection for Plaintext {
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown> {
        Ok(None)
    }
}
