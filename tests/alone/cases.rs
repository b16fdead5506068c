//! The case files on the core alone, without what the tests in Envoy need.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test ends at the first unexpected result"
)]

#[path = "../cases/load.rs"]
mod load;
#[path = "../cases/native.rs"]
mod native;
#[path = "../cases/report.rs"]
mod report;

mod support {
    pub(crate) mod tools {
        use std::path::Path;

        pub(crate) fn root() -> &'static Path {
            Path::new(env!("CARGO_MANIFEST_DIR"))
        }
    }
}
