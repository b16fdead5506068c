//! The case files of the tests and of the examples.

use std::fs;
use std::path::{Path, PathBuf};

use edge_authz_cli::cases::CaseFile;
use edge_authz_cli::named_configuration;

/// The case files beside this file, below the root of the project.
pub(crate) fn own(root: &Path) -> Vec<PathBuf> {
    in_folder(&root.join("tests/cases"))
}

/// The case files of the examples.
pub(crate) fn of_examples(root: &Path) -> Vec<PathBuf> {
    let folders = entries(&root.join("examples"));
    folders.iter().flat_map(|path| in_folder(path)).collect()
}

/// Reads a case file, and the configuration that it names.
pub(crate) fn read(path: &Path) -> CaseFile {
    let text = fs::read_to_string(path).expect("a case file");
    let named = |name: &str| named_configuration(path, name);
    CaseFile::parse_with(&text, &named)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn in_folder(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let mut paths = entries(folder);
    paths.retain(|path| path.to_string_lossy().ends_with(".cases.yaml"));
    paths
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).expect("a folder");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
