//! The modules of every crate import downwards only, as DESIGN.md says: a module's row
//! lists what it may import, every row imports only rows above it, and every module has a
//! row.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test ends at the first unexpected result"
)]

#[path = "layering/tables.rs"]
mod tables;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use tables::CRATES;

#[test]
fn every_crate_has_a_table() {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.toml");
    let manifest = fs::read_to_string(manifest).unwrap();
    let members = manifest.split("\nmembers = [").nth(1).unwrap();
    let members = members.split(']').next().unwrap();
    for member in members.split(',').map(|name| name.trim().trim_matches('"')) {
        let is_known = CRATES.iter().any(|(krate, _)| *krate == member);
        assert!(member.is_empty() || is_known, "{member} has no table");
    }
}

#[test]
fn modules_import_downwards_only() {
    let mut wrong = Vec::new();
    for (krate, table) in CRATES {
        let allowed: BTreeMap<&str, &[&str]> = table.iter().copied().collect();
        let mut seen = BTreeSet::new();
        for file in sources(krate) {
            let module = module_path(krate, &file);
            let Some(top) = module.first().filter(|top| *top != "tests") else {
                continue;
            };
            let shown = file.display();
            let Some(allowed) = allowed.get(&**top) else {
                wrong.push(format!("{shown}: module `{top}` is not in the table"));
                continue;
            };
            seen.insert(top.clone());
            for used in imports(&file, &module) {
                if used != *top && !allowed.contains(&&*used) {
                    wrong.push(format!("{shown}: `{top}` must not use `{used}`"));
                }
            }
        }
        for (module, _) in *table {
            if !seen.contains(*module) {
                wrong.push(format!("`{module}` of `{krate}` is in the table only"));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn the_tables_have_no_circle() {
    for (krate, table) in CRATES {
        for (index, (module, uses)) in table.iter().enumerate() {
            for used in *uses {
                let below = table.iter().take(index).any(|(below, _)| below == used);
                assert!(
                    below,
                    "{krate}: `{module}` uses `{used}`, which stands above it"
                );
            }
        }
    }
}

#[test]
fn only_the_proxy_wasm_host_names_its_sdk() {
    let core_and_command = sources("").into_iter().chain(sources("cli"));
    for file in core_and_command {
        assert!(
            !code(&file).contains("proxy_wasm"),
            "{} names the host",
            file.display()
        );
    }
}

#[test]
fn the_core_knows_no_target() {
    for file in sources("") {
        let gated = code(&file).contains("target_arch") || code(&file).contains("target_os");
        assert!(!gated, "{} depends on the target", file.display());
    }
}

#[test]
fn only_one_folder_of_the_module_makes_host_calls() {
    let callers: Vec<PathBuf> = sources("hosts/proxy-wasm")
        .into_iter()
        .filter(|file| !file.components().any(|part| part.as_os_str() == "tests"))
        .filter(|file| code(file).contains("hostcalls") || code(file).contains("extern \"C\""))
        .filter(|file| {
            !file
                .to_string_lossy()
                .contains("hosts/proxy-wasm/src/host/")
        })
        .collect();
    assert!(callers.is_empty(), "{callers:?}");
}

#[test]
fn only_the_interface_of_the_dynamic_module_is_unsafe() {
    let known = [
        "hosts/dynamic-module/src/abi/",
        "hosts/dynamic-module/src/hooks.rs",
    ];
    for file in sources("hosts/dynamic-module") {
        let text = code(&file);
        let is_unsafe = text.contains("unsafe") || text.contains("extern \"C\"");
        let path = file.to_string_lossy();
        let is_known = known.iter().any(|known| path.contains(known));
        assert!(!is_unsafe || is_known, "{path} is not safe");
    }
}

#[test]
fn only_the_interface_of_the_playground_is_exported() {
    for file in sources("hosts/playground") {
        let text = code(&file);
        let is_exported = text.contains("unsafe") || text.contains("extern \"C\"");
        let path = file.to_string_lossy();
        assert_eq!(is_exported, path.ends_with("src/abi.rs"), "{path}");
    }
}

/// The files of the crate in this folder.
fn sources(krate: &str) -> Vec<PathBuf> {
    fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, found);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    let mut found = Vec::new();
    walk(&source_folder(krate), &mut found);
    found
}

fn source_folder(krate: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join(krate)
        .join("src")
}

/// The module path of a file, from its crate's root.
fn module_path(krate: &str, file: &Path) -> Vec<String> {
    let inner = file.strip_prefix(source_folder(krate)).unwrap();
    let names = inner.with_extension("");
    let names = names.iter().map(|name| name.to_string_lossy().into_owned());
    let mut path: Vec<String> = names.collect();
    if path
        .last()
        .is_some_and(|last| ["mod", "lib", "main"].contains(&&**last))
    {
        path.pop();
    }
    path
}

/// The file without comments and without inline tests.
fn code(file: &Path) -> String {
    if file.components().any(|part| part.as_os_str() == "tests")
        || file.file_name().is_some_and(|name| name == "tests.rs")
    {
        return String::new();
    }
    let text = fs::read_to_string(file).unwrap();
    let text = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
    let lines = text
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"));
    lines.collect::<Vec<_>>().join("\n")
}

/// The modules below the crate's root that a file names, by `crate::` or by as many
/// `super::` as lead there, one by one or in braces.
fn imports(file: &Path, module: &[String]) -> BTreeSet<String> {
    let code = code(file);
    let mut found = BTreeSet::new();
    for start in ["crate::", "super::"] {
        for (at, _) in code.match_indices(start) {
            let is_first = !code[..at].ends_with("::");
            let is_word = code[..at].ends_with(|before: char| before.is_alphanumeric());
            if !is_first || is_word {
                continue;
            }
            let mut rest = &code[at..];
            let mut above = module;
            if let Some(path) = rest.strip_prefix("crate::") {
                (rest, above) = (path, &[]);
            }
            while let Some(path) = rest.strip_prefix("super::") {
                (rest, above) = (path, above.split_last().map_or(above, |(_, rest)| rest));
            }
            match above.first() {
                Some(top) => {
                    found.insert(top.clone());
                }
                None => found.extend(names(rest)),
            }
        }
    }
    // The root also exports types and functions.
    found.retain(|name| name.starts_with(char::is_lowercase));
    found
}

/// The first names of a path or of a group of paths.
fn names(path: &str) -> Vec<String> {
    let Some(group) = path.strip_prefix('{') else {
        return vec![first_name(path)];
    };
    let mut depth = 0_usize;
    let mut names = vec![String::new()];
    for c in group.chars() {
        match c {
            '}' if depth == 0 => break,
            ',' if depth == 0 => names.push(String::new()),
            _ => names.last_mut().unwrap().push(c),
        }
        depth = match c {
            '{' => depth + 1,
            '}' => depth - 1,
            _ => depth,
        };
    }
    names.iter().map(|path| first_name(path.trim())).collect()
}

fn first_name(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
