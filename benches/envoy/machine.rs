//! The machine, and its other load.

use std::fs;
use std::process::Command;
use std::time::Duration;

/// The core reserved for Envoy, and the core for everything else. On a machine with one
/// core nothing is pinned.
pub(crate) const ENVOY_CORE: &str = "1";
pub(crate) const LOAD_CORE: &str = "0";

/// A command that runs on one core.
pub(crate) fn pinned(core: &str, program: &std::path::Path) -> Command {
    if cores() < 2 {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", core]).arg(program);
    command
}

fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The CPU time of a process's threads, as reported by the scheduler.
pub(crate) fn cpu_of(process: u32) -> Duration {
    let Ok(threads) = fs::read_dir(format!("/proc/{process}/task")) else {
        return Duration::ZERO;
    };
    let nanos: u64 = threads
        .filter_map(|thread| fs::read_to_string(thread.ok()?.path().join("schedstat")).ok())
        .filter_map(|text| text.split_whitespace().next()?.parse::<u64>().ok())
        .sum();
    Duration::from_nanos(nanos)
}

/// Waits until a process is idle, for five seconds at most: otherwise its queued work
/// would be done in the next sample.
pub(crate) fn wait_until_idle(process: u32) {
    const GLANCE: Duration = Duration::from_millis(20);
    for _ in 0..250 {
        let before = cpu_of(process);
        std::thread::sleep(GLANCE);
        if cpu_of(process).saturating_sub(before) < GLANCE / 10 {
            return;
        }
    }
}

/// The CPU time of this process and of its ended children.
pub(crate) fn cpu_of_load() -> Duration {
    let stat = fs::read_to_string("/proc/self/stat").expect("Linux");
    let after_name = stat.rsplit_once(") ").map_or("", |(_, rest)| rest);
    let fields: Vec<u64> = after_name
        .split_whitespace()
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // utime, stime, cutime, cstime: fields 14 to 17 of proc(5).
    ticks(fields[11..15].iter().sum())
}

/// The CPU time of all processes on the machine.
pub(crate) fn cpu_of_all() -> Duration {
    let stat = fs::read_to_string("/proc/stat").expect("Linux");
    let fields: Vec<u64> = stat
        .lines()
        .next()
        .unwrap_or_default()
        .split_whitespace()
        .skip(1)
        .map(|field| field.parse().unwrap_or(0))
        .collect();
    // All except idle, I/O wait and stolen time (proc(5)).
    ticks(fields[0] + fields[1] + fields[2] + fields[5] + fields[6])
}

/// The kernel counts in hundredths of a second.
fn ticks(count: u64) -> Duration {
    Duration::from_millis(count * 10)
}

/// The processor, for the report.
pub(crate) fn processor() -> String {
    let text = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = text.lines().find_map(|line| {
        let (name, value) = line.split_once(':')?;
        (name.trim() == "model name").then(|| value.trim().to_owned())
    });
    format!(
        "{}, {} cores",
        model.unwrap_or_else(|| "unknown".to_owned()),
        cores()
    )
}

/// The first line of a program's output with these arguments.
pub(crate) fn version(program: &std::path::Path, arguments: &[&str]) -> String {
    let output = Command::new(program).args(arguments).output();
    let text = output.map_or_else(
        |error| error.to_string(),
        |output| {
            let output = [output.stdout, output.stderr].concat();
            String::from_utf8_lossy(&output).into_owned()
        },
    );
    let line = text.lines().find(|line| !line.trim().is_empty());
    line.unwrap_or_default().trim().to_owned()
}
