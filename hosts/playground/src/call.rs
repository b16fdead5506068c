//! The calls of the page, as JSON.

use std::collections::BTreeMap;

use edge_authz_cli::ReadFor;
use serde::Deserialize;

/// A call. Its answer is `{"ok": …}` or `{"error": "a sentence"}`.
#[derive(Debug, Deserialize)]
#[serde(tag = "call", rename_all = "lowercase", deny_unknown_fields)]
pub(crate) enum Call {
    /// Checks a document: its findings, as `edge-authz check --json` shows them, its
    /// `providers`, and the header or other place for a token.
    Check {
        /// The document.
        document: Document,
    },
    /// Decides a request: verdict, answer, the upstream's request, and the steps as
    /// `edge-authz explain --json` shows them.
    Decide {
        /// The document.
        document: Document,
        /// The request.
        request: Request,
        /// The text of key sets by provider.
        #[serde(default)]
        keys: BTreeMap<String, String>,
        /// The text of revocation lists by provider.
        #[serde(default)]
        revoked: BTreeMap<String, String>,
        /// The time, in seconds since 1970.
        now: i64,
    },
    /// What can be written at the end of this text: the names and values of the schema.
    Complete {
        /// The document before the caret.
        before: String,
    },
}

/// A document as it is written.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Document {
    /// YAML, or JSON.
    pub(crate) text: String,
    /// For which host it is checked.
    pub(crate) host: Host,
}

/// The host for which a document is checked.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Host {
    /// A module in Envoy.
    Envoy,
    /// `edge-authz-server`.
    Server,
}

impl From<Host> for ReadFor {
    fn from(host: Host) -> Self {
        match host {
            Host::Envoy => Self::Envoy,
            Host::Server => Self::Server,
        }
    }
}

/// A request.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// A path, or a whole URL.
    pub(crate) target: String,
    /// `name: value` each.
    pub(crate) headers: Vec<String>,
}
