//! Counts the instructions of one scenario.

use std::collections::BTreeMap;
use std::process::{Command, Stdio};

use crate::RUN;

/// The cost of one request.
#[derive(Clone, Debug)]
pub(crate) struct Cost {
    pub(crate) instructions: u64,
    /// Each function's own instructions.
    pub(crate) functions: Vec<(String, u64)>,
}

/// Runs a scenario under callgrind, which counts only the measured part.
pub(crate) fn count(scenario: &str, rounds: u64) -> Cost {
    let out = std::env::temp_dir().join(format!("callgrind.{}.out", std::process::id()));
    let program = std::env::current_exe().expect("this program");
    let status = Command::new("valgrind")
        .arg("--tool=callgrind")
        .arg("--quiet")
        .arg("--toggle-collect=*instructions_are_counted*")
        .arg("--compress-strings=no")
        .arg(format!("--callgrind-out-file={}", out.display()))
        .arg(program)
        .args([RUN, scenario])
        .stdout(Stdio::null())
        .status();
    match status {
        Ok(status) => assert!(status.success(), "{scenario} ended with {status}"),
        Err(error) => panic!("valgrind: {error}: apt-get install valgrind"),
    }
    let text = std::fs::read_to_string(&out).expect("callgrind's output");
    std::fs::remove_file(&out).expect("a file of this program");
    parse(&text, rounds)
}

/// Reads callgrind's output: `fn=` begins a function, and the lines after it are its own
/// costs, except the line after a `calls=`, which is the callee's cost.
fn parse(text: &str, rounds: u64) -> Cost {
    let mut functions: BTreeMap<String, u64> = BTreeMap::new();
    let mut function = String::new();
    let mut of_callee = false;
    for line in text.lines() {
        if let Some(name) = line.strip_prefix("fn=") {
            name.clone_into(&mut function);
        } else if line.starts_with("calls=") {
            of_callee = true;
        } else if line.starts_with(|first: char| first.is_ascii_digit() || "+-*".contains(first)) {
            let own = line.split_whitespace().nth(1);
            let own: u64 = own.and_then(|own| own.parse().ok()).unwrap_or(0);
            if !std::mem::take(&mut of_callee) {
                *functions.entry(function.clone()).or_default() += own;
            }
        }
    }
    let total: u64 = functions.values().sum();
    assert!(total > 0, "callgrind counted nothing");
    Cost {
        instructions: total / rounds,
        functions: functions
            .into_iter()
            .map(|(name, own)| (name, own / rounds))
            .collect(),
    }
}
