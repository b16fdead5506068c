//! Collects differences from the expectations.

use std::fmt::Write;

use edge_authz_cli::cases::{Case, Difference};

/// The differences in all files, to be reported together.
#[derive(Default)]
pub(crate) struct Report {
    text: String,
    wrong: usize,
    pub(crate) played: usize,
}

impl Report {
    /// Adds the differences of one case.
    pub(crate) fn add(&mut self, file: &str, how: &str, case: &Case, found: &[Difference]) {
        self.played += 1;
        if found.is_empty() {
            return;
        }
        self.wrong += 1;
        let row = case.row.as_deref().unwrap_or("-");
        writeln!(self.text, "{file} ({how}): {} ({row})", case.name).unwrap();
        for difference in found {
            writeln!(self.text, "    {difference}").unwrap();
        }
    }

    /// Fails the test if there are any.
    pub(crate) fn finish(self, least: usize) {
        eprintln!("{} cases played, {} wrong", self.played, self.wrong);
        assert!(self.wrong == 0, "{} cases:\n{}", self.wrong, self.text);
        let filtered = std::env::var_os("CASES").is_some();
        assert!(
            filtered || self.played >= least,
            "only {} cases were played, there have been {least}",
            self.played
        );
    }
}
