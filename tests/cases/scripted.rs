//! Issuers for the server's key service.

use std::collections::BTreeMap;

use edge_authz::engine::FetchCall;
use edge_authz::http::HeaderMap;
use edge_authz::keys::answer::AnswerHead;
use edge_authz_cli::cases::FetchAnswer;
use edge_authz_server::service::{Answered, Issuers};

/// Issuers that answer as a case file says.
#[derive(Debug)]
pub(crate) struct Scripted(pub(crate) BTreeMap<String, FetchAnswer>);

impl Issuers for Scripted {
    async fn fetch(&self, call: &FetchCall) -> Answered {
        let Some(answer) = self.0.get(&call.uri.to_string()) else {
            return Answered::default();
        };
        let status = [(":status".to_owned(), answer.status.to_string())];
        let fields = status.iter().chain(&answer.headers);
        let fields = fields.map(|(name, value)| (name, value));
        Answered {
            head: AnswerHead::read(&HeaderMap::from_pairs(fields), answer.body.len()),
            body: Some(answer.body.clone()),
        }
    }
}
