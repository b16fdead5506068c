//! Runs the command and compares its output with files.

use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// The output and the exit status of a run.
pub(crate) struct Ran {
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: i32,
}

/// The root of the workspace.
pub(crate) fn root() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("..")
}

/// The folder of these tests.
pub(crate) fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/command")
}

/// Runs the command in the folder of these tests.
pub(crate) fn run(arguments: &[&str], input: &str) -> Ran {
    run_in(&folder(), arguments, input)
}

/// Runs the command in a folder.
pub(crate) fn run_in(folder: &Path, arguments: &[&str], input: &str) -> Ran {
    let mut child = Command::new(env!("CARGO_BIN_EXE_edge-authz"))
        .args(arguments)
        .current_dir(folder)
        .env_remove("NO_COLOR")
        .env("COLUMNS", "100")
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // A command that reads no input may have ended already.
    let _unread = child.stdin.take().unwrap().write_all(input.as_bytes());
    let output = child.wait_with_output().unwrap();
    Ran {
        out: String::from_utf8(output.stdout).unwrap(),
        err: String::from_utf8(output.stderr).unwrap(),
        code: output.status.code().unwrap(),
    }
}

/// Compares with many files and reports all differences together.
#[derive(Default)]
pub(crate) struct Golden {
    failures: String,
}

impl Golden {
    /// Compares a text with a file, or writes the file if `UPDATE_GOLDEN` is set.
    pub(crate) fn compare(&mut self, file: &Path, text: &str) {
        if std::env::var_os("UPDATE_GOLDEN").is_some() {
            fs::create_dir_all(file.parent().unwrap()).unwrap();
            fs::write(file, text).unwrap();
            return;
        }
        let expected = fs::read_to_string(file).unwrap_or_default();
        if expected == text {
            return;
        }
        writeln!(self.failures, "{}", file.display()).unwrap();
        let mut lines = expected.lines().zip(text.lines()).enumerate();
        let first = lines.find(|(_, (expected, line))| expected != line);
        match first {
            Some((number, (expected, line))) => writeln!(
                self.failures,
                "  line {}\n  expected: {expected}\n  printed:  {line}",
                number + 1
            ),
            None => writeln!(self.failures, "  one of the two is longer"),
        }
        .unwrap();
    }

    /// Fails the test if there are differences.
    pub(crate) fn finish(self) {
        assert!(self.failures.is_empty(), "\n{}", self.failures);
    }
}
