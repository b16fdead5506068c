//! Finds and reads the case files: those next to this file, and those of the examples.

use std::fs;
use std::path::{Path, PathBuf};

use edge_authz_cli::cases::CaseFile;
use edge_authz_cli::named_configuration;

use crate::support::tools;

/// A case file with its name.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) file: CaseFile,
}

/// All case files: those next to this file, then those of the examples.
pub(crate) fn all() -> Vec<Loaded> {
    let own = case_files(&tools::root().join("tests/cases"));
    let own = own.iter().map(|path| load(path)).filter(Loaded::has_cases);
    own.chain(examples()).collect()
}

/// The case files of the examples, each named after its folder.
pub(crate) fn examples() -> Vec<Loaded> {
    let folders = entries(&tools::root().join("examples"));
    let paths: Vec<_> = folders.iter().flat_map(|path| case_files(path)).collect();
    assert!(paths.len() >= 5, "examples are missing: {paths:?}");
    let examples = paths.iter().map(|path| load(path));
    examples.filter(Loaded::has_cases).collect()
}

fn case_files(folder: &Path) -> Vec<PathBuf> {
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

fn load(path: &Path) -> Loaded {
    let name = path.file_name().unwrap().to_string_lossy();
    let name = name.trim_end_matches(".cases.yaml").to_owned();
    let text = fs::read_to_string(path).expect("a case file");
    let read = |name: &str| named_configuration(path, name);
    let mut file = CaseFile::parse_with(&text, &read)
        .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    if let Ok(wanted) = std::env::var("CASES") {
        for world in &mut file.worlds {
            world.cases.retain(|case| {
                let row = case.row.as_deref().unwrap_or_default();
                [name.as_str(), &case.name, row]
                    .iter()
                    .any(|text| text.contains(&wanted))
            });
        }
        file.worlds.retain(|world| !world.cases.is_empty());
    }
    Loaded { name, file }
}

impl Loaded {
    fn has_cases(&self) -> bool {
        !self.file.worlds.is_empty()
    }
}
