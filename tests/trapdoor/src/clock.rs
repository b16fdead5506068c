//! A module clock that can panic. Every hook that makes a decision or handles keys reads
//! it.

#[path = "../../../hosts/dynamic-module/src/clock.rs"]
mod real;

use edge_authz::time::UnixTime;

pub(crate) fn now() -> Option<UnixTime> {
    panic_at("clock");
    real::now()
}

/// Panics if the file that the environment variable names contains this word.
pub(crate) fn panic_at(word: &str) {
    let told = std::env::var_os("EDGE_AUTHZ_TRAP")
        .and_then(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default();
    if told.split_whitespace().any(|trap| trap == word) {
        trap();
    }
}

#[expect(clippy::panic, reason = "the purpose of this module")]
fn trap() {
    panic!("a deliberate panic");
}
