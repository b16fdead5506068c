//! Finds and reads the case files.

use std::fs;
use std::path::{Path, PathBuf};

use edge_authz::cases::CaseFile;

/// A case file with its name.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) file: CaseFile,
}

/// All case files, in alphabetical order.
pub(crate) fn all() -> Vec<Loaded> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/cases");
    let entries = fs::read_dir(&directory).expect("the case files");
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.to_string_lossy().ends_with(".cases.yaml"));
    paths.sort();
    paths
        .iter()
        .map(|path| load(path))
        .filter(Loaded::has_cases)
        .collect()
}

fn load(path: &Path) -> Loaded {
    let name = path.file_name().unwrap().to_string_lossy();
    let name = name.trim_end_matches(".cases.yaml").to_owned();
    let text = fs::read_to_string(path).expect("a case file");
    let mut file =
        CaseFile::parse(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
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
