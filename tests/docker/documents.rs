//! The commands in `envoy/README.md` print the output that it shows.

use std::fs;
use std::process::Command;

use crate::compose::Services;
use crate::engine::{compose, output};
use crate::support::tools;

/// Stands for text that a document leaves out.
const LEFT_OUT: &str = "…";
/// Separates the output of two commands.
const SEPARATOR: &str = "\u{1e}";

/// A test uses other ports, and Compose may not be a plugin of Docker.
const SHELL: &str = r#"
set -uo pipefail
found() {
    command docker port "$(command docker ps -aqf "label=com.docker.compose.project=$COMPOSE_PROJECT_NAME" \
        -f "label=com.docker.compose.service=$1")" "$2" 2>/dev/null | head -1
}
here() {
    local front issuer argument program=$1
    front=$(found envoy 8080) issuer=$(found issuer 5000)
    shift
    for argument; do
        argument=${argument//localhost:8080/${front:-localhost:8080}}
        set -- "$@" "${argument//localhost:5000/${issuer:-localhost:5000}}"
        shift
    done
    command "$program" "$@"
}
curl() { here curl "$@"; }
aws() { here aws "$@"; }
docker() {
    if [ "$1" = compose ] && ! command docker compose version >/dev/null 2>&1; then
        shift
        command docker-compose "$@"
    else
        command docker "$@"
    fi
}
"#;

/// A command with its expected lines of output.
struct Example {
    line: usize,
    command: String,
    expected: Vec<String>,
}

fn examples(document: &str) -> Vec<Example> {
    let mut examples: Vec<Example> = Vec::new();
    let mut inside = false;
    for (line, text) in (1..).zip(document.lines()) {
        match text.strip_prefix("```") {
            Some(kind) => inside = kind == "console",
            None if !inside => {}
            None => match text.strip_prefix("$ ") {
                Some(command) => examples.push(Example {
                    line,
                    command: command.to_owned(),
                    expected: Vec::new(),
                }),
                None if text == LEFT_OUT => {}
                None => {
                    let example = examples.last_mut().expect("a command");
                    example.expected.push(text.to_owned());
                }
            },
        }
    }
    examples
}

#[test]
fn the_commands_in_the_readme_print_what_it_says() {
    let document = fs::read_to_string(tools::root().join("envoy/README.md"));
    let examples = examples(&document.expect("envoy/README.md"));
    assert!(examples.len() >= 25, "commands are missing");
    // `up` finds the containers running.
    let services = Services::start();
    let mut script = SHELL.to_owned();
    for example in &examples {
        script.push_str(&example.command);
        script.push_str(" 2>&1\nprintf '\\x1e'\n");
    }
    let variables = fs::read_to_string(tools::root().join("envoy/docker/local.env"));
    let variables = variables.expect("local.env");
    let images = variables.lines().filter_map(|line| line.split_once('='));
    let path = [
        tools::root().join(".tools/venv/bin").into(),
        std::env::var_os("PATH").expect("PATH"),
    ]
    .join(":".as_ref());
    let printed = output(
        Command::new("bash")
            .args(["-c", &script])
            .current_dir(tools::root())
            .envs(images.filter(|(name, _)| !name.starts_with('#')))
            .envs(services.environment())
            .env("COMPOSE_PROJECT_NAME", services.project())
            .env("PATH", path),
    );
    let mut printed = printed.split(SEPARATOR);
    for example in &examples {
        let printed = printed.next().expect("what it printed");
        for expected in &example.expected {
            assert!(
                printed.contains(expected),
                "line {}: {}\nexpected: {expected}\nprinted: {printed}",
                example.line,
                example.command
            );
        }
    }
    services.assert_no_trap();
}

#[test]
fn without_other_names_images_are_public_ones_of_the_pinned_versions() {
    let mut command = compose();
    for name in [
        "ENVOY_IMAGE",
        "ISSUER_IMAGE",
        "UPSTREAM_IMAGE",
        "ENVOY_YAML",
        "WASM",
        "PORT",
    ] {
        command.env_remove(format!("EDGE_AUTHZ_{name}"));
    }
    let file = tools::root().join("envoy/docker-compose.yaml");
    let read = output(command.arg("--file").arg(file).arg("config"));
    let envoy = format!("envoyproxy/envoy:v{}", tools::pinned_envoy_version());
    let docker = fs::read_to_string(tools::root().join("envoy/docker/Dockerfile"));
    let readme = fs::read_to_string(tools::root().join("envoy/README.md"));
    let python = "python:3.13-slim";
    assert!(read.contains(&format!("image: {envoy}\n")), "{read}");
    assert!(read.contains(&format!("image: {python}\n")), "{read}");
    assert!(docker.unwrap().contains(&format!("ARG PYTHON={python}\n")));
    let readme = readme.unwrap();
    assert!([&envoy, python].iter().all(|image| readme.contains(*image)));
}
