//! The commands of Docker and Compose.

use std::process::Command;
use std::sync::OnceLock;

/// Runs a command and returns its output.
#[track_caller]
pub(crate) fn output(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(
        output.status.success(),
        "{command:?}: {}\n{}",
        output.status,
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout)
        .trim_end()
        .to_owned()
}

/// Runs `docker …`.
#[track_caller]
pub(crate) fn docker(arguments: &[&str]) -> String {
    output(Command::new("docker").args(arguments))
}

/// `docker compose`, or `docker-compose` if the plugin is not installed.
pub(crate) fn compose() -> Command {
    static PLUGIN: OnceLock<bool> = OnceLock::new();
    let works = |program: &str, arguments: &[&str]| {
        let output = Command::new(program).args(arguments).output();
        output.is_ok_and(|output| output.status.success())
    };
    let plugin = *PLUGIN.get_or_init(|| {
        let plugin = works("docker", &["compose", "version"]);
        assert!(
            plugin || works("docker-compose", &["version"]),
            "Compose is missing: apt-get install docker-compose"
        );
        plugin
    });
    if plugin {
        let mut command = Command::new("docker");
        command.arg("compose");
        command
    } else {
        Command::new("docker-compose")
    }
}
