//! The module's clock, which can panic. Every hook that decides something, or does
//! something about keys, reads it.

#[path = "../../../hosts/dynamic-module/src/clock.rs"]
mod real;

use edge_authz::time::UnixTime;

pub(crate) fn now() -> Option<UnixTime> {
    spring("clock");
    real::now()
}

/// Panics if the file that the environment variable names contains this word.
pub(crate) fn spring(word: &str) {
    let told = std::env::var_os("EDGE_AUTHZ_TRAP")
        .and_then(|path| std::fs::read_to_string(path).ok())
        .unwrap_or_default();
    if told.split_whitespace().any(|trap| trap == word) {
        trap();
    }
}

#[expect(clippy::panic, reason = "it is what this module is for")]
fn trap() {
    panic!("a deliberate panic");
}
