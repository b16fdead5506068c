//! The documentation as readers of the site see it, with its includes.

use std::fs;
use std::path::{Path, PathBuf};

/// The root of the repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A document with its includes expanded.
pub(crate) struct Page {
    pub(crate) path: PathBuf,
    pub(crate) text: String,
}

impl Page {
    pub(crate) fn read(path: &Path) -> Self {
        let text = fs::read_to_string(path).unwrap();
        Self {
            path: path.to_owned(),
            text: text.lines().map(|line| expanded(path, line)).collect(),
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

/// A line of a page, as mdBook renders it.
fn expanded(page: &Path, line: &str) -> String {
    let include = line.strip_prefix("{{#include ");
    let Some(what) = include.and_then(|rest| rest.strip_suffix("}}")) else {
        assert!(!line.contains("{{#"), "{}: {line}", page.display());
        return format!("{line}\n");
    };
    let (file, anchor) = what.split_once(':').unwrap_or((what, ""));
    let path = page.parent().unwrap().join(file);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {}: {error}", page.display(), path.display()));
    let is_mark = |line: &&str| line.contains("ANCHOR");
    let part: Vec<&str> = if anchor.is_empty() {
        text.lines().filter(|line| !is_mark(line)).collect()
    } else {
        let begin = text
            .lines()
            .position(|line| line.contains(&format!("ANCHOR: {anchor} ")));
        let end = text
            .lines()
            .position(|line| line.contains(&format!("ANCHOR_END: {anchor} ")));
        let (Some(begin), Some(end)) = (begin, end) else {
            panic!("{}: {what}: no such anchor", page.display());
        };
        let lines = text.lines().take(end).skip(begin + 1);
        lines.filter(|line| !is_mark(line)).collect()
    };
    assert!(!part.is_empty(), "{}: {what} is empty", page.display());
    part.join("\n") + "\n"
}
