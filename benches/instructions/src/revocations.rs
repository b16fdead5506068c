//! A revocation list, as its server publishes it.

use std::time::Duration;

use edge_authz::engine::{Effect, Engine, Env};
use edge_authz::keys::answer::{AnswerHead, Ending};
use serde_json::{Map, Value, json};

/// The number of ticks in which the list must be fetched.
const TICKS: u32 = 10;

/// Lets an engine fetch a list with this number of entries, half of them token IDs and
/// half subjects, so that a token is looked up twice. None of them names a token here.
pub(crate) fn load(engine: &mut Engine, entries: usize, env: Env<'_>) {
    let list = list(entries);
    let body = || Some(list.clone().into_bytes());
    let head = AnswerHead {
        ending: Ending::Status(200),
        body_size: list.len(),
        ..AnswerHead::default()
    };
    let mut effects = engine.start(env);
    for tick in 0..TICKS {
        for effect in std::mem::take(&mut effects) {
            if let Effect::Fetch(call) = effect {
                engine.fetched(call.id, &head, &body, env);
                return;
            }
        }
        let now = env.now.saturating_add(Duration::from_millis(20) * tick);
        effects = engine.tick(Env { now, ..env });
    }
    panic!("the revocation list was not fetched");
}

fn list(entries: usize) -> String {
    let ids: Vec<String> = (0..entries / 2).map(|it| format!("revoked-{it}")).collect();
    let subjects: Map<String, Value> = (0..entries / 2)
        .map(|it| (format!("user-{it}"), json!(1_800_000_000)))
        .collect();
    json!({"jti": ids, "sub": subjects}).to_string()
}
