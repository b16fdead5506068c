#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::arithmetic_side_effects,
    reason = "a test ends at the first unexpected result"
)]

mod calls;
mod cases;
#[path = "../../../../tests/cases/files.rs"]
mod files;

use serde_json::{Value, json};

use crate::session::Session;

/// The answer to a call.
fn ask(session: &mut Session, call: &Value) -> Result<Value, String> {
    let answer: Value = serde_json::from_str(&session.answer(call.to_string().as_bytes())).unwrap();
    match (answer.get("ok"), answer.get("error")) {
        (Some(value), None) => Ok(value.clone()),
        (None, Some(sentence)) => Err(sentence.as_str().unwrap().to_owned()),
        _ => panic!("{answer}"),
    }
}

fn document(text: &str) -> Value {
    json!({"text": text, "host": "envoy"})
}
