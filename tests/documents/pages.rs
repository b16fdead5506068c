//! The pages of the documentation.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        Self {
            path: path.to_owned(),
            text: fs::read_to_string(path).unwrap(),
        }
    }

    /// The path from the root of the repository.
    pub(crate) fn name(&self) -> String {
        let path = self.path.strip_prefix(root()).unwrap();
        path.to_string_lossy().into_owned()
    }
}

/// The pages of the site, and the READMEs and other documents outside of it.
pub(crate) fn all() -> Vec<Page> {
    let mut folders = vec![root().to_owned(), root().join("docs")];
    folders.extend(entries(&root().join("examples")));
    let mut paths: Vec<_> = folders.iter().flat_map(|folder| entries(folder)).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "md"));
    paths.iter().map(|path| Page::read(path)).collect()
}

fn entries(folder: &Path) -> Vec<PathBuf> {
    if !folder.is_dir() {
        return Vec::new();
    }
    let entries = fs::read_dir(folder).unwrap();
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths
}
