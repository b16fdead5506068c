//! The hooks of pre-commit and the action for GitHub run the command on files.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use super::golden::root;

/// A repository with a configuration and its cases, removed in the end.
struct Repository(PathBuf);

impl Drop for Repository {
    fn drop(&mut self) {
        let _gone = fs::remove_dir_all(&self.0);
    }
}

impl Repository {
    fn new(name: &str) -> Self {
        let folder = std::env::temp_dir().join(format!("edge-authz-{name}-{}", std::process::id()));
        fs::create_dir_all(folder.join("api")).unwrap();
        for file in ["edge-authz.yaml", "getting-started.cases.yaml"] {
            let from = root().join("examples/getting-started").join(file);
            fs::copy(from, folder.join("api").join(file)).unwrap();
        }
        let this = Self(folder);
        for arguments in [&["init", "-q"][..], &["add", "-A"]] {
            let git = Command::new("git")
                .args(arguments)
                .current_dir(&this.0)
                .status();
            assert!(git.unwrap().success());
        }
        this
    }

    fn replace(&self, file: &str, from: &str, to: &str) {
        let file = self.0.join("api").join(file);
        let text = fs::read_to_string(&file).unwrap();
        assert!(text.contains(from), "{text}");
        fs::write(file, text.replace(from, to)).unwrap();
    }

    /// Runs a script of `deploy/hooks` with the command under test.
    fn run(
        &self,
        script: &str,
        arguments: &[&str],
        variables: &[(&str, &str)],
    ) -> (Option<i32>, String) {
        let variables: BTreeMap<_, _> = variables.iter().copied().collect();
        let output = Command::new(root().join("deploy/hooks").join(script))
            .args(arguments)
            .current_dir(&self.0)
            .env("EDGE_AUTHZ", env!("CARGO_BIN_EXE_edge-authz"))
            .envs(variables)
            .output()
            .unwrap();
        shown(&output)
    }
}

fn shown(output: &Output) -> (Option<i32>, String) {
    let text = [&*output.stdout, &*output.stderr].concat();
    (output.status.code(), String::from_utf8(text).unwrap())
}

/// The words of the entry of a hook, and its arguments.
fn hook(id: &str) -> Vec<String> {
    let text = fs::read_to_string(root().join(".pre-commit-hooks.yaml")).unwrap();
    let hooks: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
    let hooks = hooks.as_array().unwrap();
    let hook = hooks.iter().find(|hook| hook["id"] == id).unwrap();
    let entry = hook["entry"].as_str().unwrap().split(' ');
    let arguments = hook["args"].as_array().into_iter().flatten();
    let arguments = arguments.map(|argument| argument.as_str().unwrap());
    entry.chain(arguments).map(str::to_owned).collect()
}

#[test]
fn the_hooks_fail_for_a_wrong_configuration_and_a_failed_case() {
    let repository = Repository::new("hooks");
    let [check, test] = [hook("edge-authz-check"), hook("edge-authz-test")];
    let run = |hook: &[String], files: &[&str]| {
        let (entry, arguments) = hook.split_first().unwrap();
        let script = Path::new(entry).file_name().unwrap().to_str().unwrap();
        let arguments: Vec<_> = arguments.iter().map(|argument| &**argument).collect();
        repository.run(script, &[&arguments, files].concat(), &[])
    };
    for (hook, files) in [(&check, &["api/edge-authz.yaml"][..]), (&test, &[])] {
        let (code, output) = run(hook, files);
        assert_eq!(code, Some(0), "{output}");
    }
    repository.replace("edge-authz.yaml", "scopes: [pets:write]", "access: public");
    let (code, output) = run(&test, &[]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("Alice may not remove pets"), "{output}");
    repository.replace("edge-authz.yaml", "access: public", "acess: public");
    let (code, output) = run(&check, &["api/edge-authz.yaml"]);
    assert_eq!(code, Some(1), "{output}");
    assert!(output.contains("did you mean `access`"), "{output}");
}

#[test]
fn the_action_checks_and_tests_and_takes_no_input_for_a_command() {
    let repository = Repository::new("action");
    let check = |files: &str| {
        repository.run(
            "action",
            &["check"],
            &[("FILES", files), ("STRICT", "true")],
        )
    };
    let test = |cases: &str| repository.run("action", &["test"], &[("CASES", cases)]);
    for ran in [
        check("api"),
        test(""),
        test("none"),
        test("api/getting-started.cases.yaml"),
    ] {
        assert_eq!(ran.0, Some(0), "{}", ran.1);
    }
    let (code, output) = check("$(touch harm) ;touch harm api");
    assert_ne!(code, Some(0), "{output}");
    assert_ne!(
        test("--against http://127.0.0.1:1").0,
        Some(0),
        "an option in the input"
    );
    assert!(!repository.0.join("harm").exists());
    repository.replace(
        "edge-authz.yaml",
        "scopes: [pets:write]",
        "scops: [pets:write]",
    );
    let (code, output) = check("api");
    assert_eq!(code, Some(1), "{output}");
    assert!(
        output.contains("::error file=api/edge-authz.yaml,line="),
        "{output}"
    );
}

#[test]
fn the_action_runs_only_a_command_whose_provenance_is_verified() {
    let repository = Repository::new("install");
    let folder = repository.0.join("runner");
    fs::create_dir_all(&folder).unwrap();
    // Stands for GitHub's command: it records its arguments, and verifies nothing.
    let gh = folder.join("gh");
    fs::write(
        &gh,
        "#!/bin/sh\necho \"$@\" >>\"$RUNNER_TEMP/calls\"\ntest \"$1\" = release\n",
    )
    .unwrap();
    let path = format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    let status = Command::new("chmod").arg("+x").arg(&gh).status();
    assert!(status.unwrap().success());
    let place = folder.to_str().unwrap();
    let environment = folder.join("environment");
    let variables = [
        ("PATH", &*path),
        ("RUNNER_TEMP", place),
        ("GITHUB_ENV", environment.to_str().unwrap()),
        ("ACTION_REPOSITORY", "owner/edge-authz"),
        ("VERSION", "1.2.3"),
    ];
    let (code, output) = repository.run("action", &["install"], &variables);
    assert_ne!(code, Some(0), "{output}");
    assert!(!environment.exists(), "the command would be run");
    let calls = fs::read_to_string(folder.join("calls")).unwrap();
    let words = "release download v1.2.3 --repo owner/edge-authz --pattern edge-authz-1.2.3-linux-";
    assert!(calls.starts_with(words), "{calls}");
    assert!(calls.contains("attestation verify"), "{calls}");
}

#[test]
fn workflows_pin_the_actions_of_others_and_start_without_permissions() {
    let mut pinned = 0;
    for entry in fs::read_dir(root().join(".github/workflows")).unwrap() {
        let path = entry.unwrap().path();
        let text = fs::read_to_string(&path).unwrap();
        let workflow: serde_json::Value = serde_saphyr::from_str(&text).unwrap();
        assert_eq!(
            workflow["permissions"],
            serde_json::json!({}),
            "{}",
            path.display()
        );
        for line in text.lines().filter(|line| line.contains("uses: ")) {
            let (action, comment) = line.split_once(" # v").expect(line);
            let (_, commit) = action.split_once('@').expect(line);
            assert!(commit.len() == 40 && !comment.is_empty(), "{line}");
            pinned += 1;
        }
        // An expression in a script would execute what it contains.
        let jobs = workflow["jobs"].as_object().unwrap().values();
        for step in jobs.flat_map(|job| job["steps"].as_array().unwrap()) {
            let script = step["run"].as_str().unwrap_or_default();
            assert!(!script.contains("${{"), "{script}");
        }
    }
    assert!(pinned > 5);
}
