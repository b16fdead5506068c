//! Finds and reads the case files: those next to this file, and those of the examples.

#[path = "files.rs"]
mod files;

use std::path::Path;

use edge_authz_cli::cases::CaseFile;

use crate::support::tools;

/// A case file with its name.
pub(crate) struct Loaded {
    pub(crate) name: String,
    pub(crate) file: CaseFile,
}

/// All case files: those next to this file, then those of the examples.
pub(crate) fn all() -> Vec<Loaded> {
    let own = files::own(tools::root());
    let own = own.iter().map(|path| load(path)).filter(Loaded::has_cases);
    own.chain(examples()).collect()
}

/// The case files of the examples, each named after its folder.
pub(crate) fn examples() -> Vec<Loaded> {
    let paths = files::of_examples(tools::root());
    assert!(paths.len() >= 5, "examples are missing: {paths:?}");
    let examples = paths.iter().map(|path| load(path));
    examples.filter(Loaded::has_cases).collect()
}

fn load(path: &Path) -> Loaded {
    let name = path.file_name().unwrap().to_string_lossy();
    let name = name.trim_end_matches(".cases.yaml").to_owned();
    let mut file = files::read(path);
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
