//! The codes of findings: each is shown in a recorded output, and has an explanation.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use super::golden::{folder, run};

/// The codes in the recorded outputs of a folder, as in `error[EA101]: …`.
fn recorded(folder: &Path, found: &mut BTreeSet<String>) {
    for file in fs::read_dir(folder).unwrap() {
        let file = file.unwrap().path();
        if file.is_dir() {
            recorded(&file, found);
        } else if file.extension().is_some_and(|it| it == "out") {
            let text = fs::read_to_string(file).unwrap();
            for level in ["error[", "warning["] {
                let parts = text.split(level).skip(1);
                let ids = parts.filter_map(|part| part.split(']').next());
                found.extend(ids.map(str::to_owned));
            }
        }
    }
}

#[test]
fn each_code_is_in_a_recorded_output_and_has_an_explanation() {
    let listed = run(&["explain-error"], "").out;
    let listed: BTreeSet<String> = listed
        .lines()
        .filter_map(|line| line.split_once("  "))
        .map(|(id, _)| id.to_owned())
        .collect();
    let mut found = BTreeSet::new();
    recorded(&folder(), &mut found);
    assert_eq!(found, listed);
    for id in listed {
        let ran = run(&["explain-error", &id], "");
        assert_eq!(ran.code, 0);
        let (title, text) = ran.out.split_once("\n\n").unwrap();
        assert!(title.starts_with(&format!("{id}: ")), "{title}");
        assert!(text.len() > 40 && text.ends_with(".\n"), "{id}: {text}");
    }
}
