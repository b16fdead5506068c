//! A server that sends the answers of a case file's issuers.

use std::collections::BTreeMap;
use std::sync::Arc;

use edge_authz_cli::cases::{FetchAnswer, World};

use super::server::{Answer, Received, Server};

/// Answers for every host of a world: the server does not see the scheme.
pub(crate) fn serve(world: &World) -> Server {
    let answers = world.answers().expect("answers");
    let by_place: BTreeMap<String, FetchAnswer> = answers
        .into_iter()
        .map(|(uri, answer)| (uri.split_once("://").unwrap().1.to_owned(), answer))
        .collect();
    Server::start(Arc::new(move |received: &Received, stream| {
        let host = received.text("host").unwrap_or_default();
        let place = format!("{host}{}", String::from_utf8_lossy(&received.target));
        let answer = match by_place.get(&place) {
            None => Answer::new(404, "no such place"),
            Some(known) => {
                let answer = Answer::new(known.status, known.body.clone());
                let headers = known.headers.iter();
                headers.fold(answer, |answer, (name, value)| answer.header(name, value))
            }
        };
        answer.write(stream, false)
    }))
}
