//! The modules of `src` import downwards only, as the table in DESIGN.md has
//! it: what a module may use stands in the row below, and nothing else does.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test that meets a surprise ends"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

/// Each module with what it may import, apart from itself.
const TABLE: &[(&str, &[&str])] = &[
    ("time", &[]),
    ("order", &[]),
    ("json", &[]),
    ("memory", &[]),
    ("crypto", &["memory"]),
    ("http", &[]),
    ("jwk", &["crypto", "json", "memory"]),
    ("jws", &["crypto", "json", "jwk"]),
    ("rules", &[]),
    (
        "jwt",
        &["order", "crypto", "json", "jwk", "jws", "rules", "time"],
    ),
    ("cors", &["order", "http"]),
    ("telemetry", &["cors", "json", "jwk"]),
    (
        "policy",
        &[
            "order",
            "cors",
            "crypto",
            "http",
            "jwk",
            "jwt",
            "rules",
            "telemetry",
        ],
    ),
    (
        "config",
        &[
            "memory",
            "order",
            "cors",
            "crypto",
            "http",
            "jwk",
            "json",
            "jwt",
            "policy",
            "rules",
            "telemetry",
        ],
    ),
    (
        "keys",
        &["http", "json", "jwk", "policy", "telemetry", "time"],
    ),
    (
        "authz",
        &[
            "cors",
            "crypto",
            "http",
            "jwk",
            "jwt",
            "policy",
            "rules",
            "telemetry",
            "time",
        ],
    ),
    (
        "engine",
        &[
            "authz",
            "cors",
            "crypto",
            "http",
            "jwk",
            "jwt",
            "keys",
            "memory",
            "policy",
            "telemetry",
            "time",
        ],
    ),
    (
        "host",
        &[
            "authz",
            "cors",
            "crypto",
            "engine",
            "http",
            "keys",
            "policy",
            "telemetry",
            "time",
        ],
    ),
];

#[test]
fn modules_import_downwards_only() {
    let allowed: BTreeMap<&str, BTreeSet<&str>> = TABLE
        .iter()
        .map(|(module, uses)| (*module, uses.iter().copied().collect()))
        .collect();
    let mut wrong = Vec::new();
    let mut seen = BTreeSet::new();
    for file in sources("") {
        let module = module_of("", &file);
        if module == "lib" {
            continue;
        }
        let Some(allowed) = allowed.get(&*module) else {
            wrong.push(format!(
                "{}: module `{module}` is not in the table",
                file.display()
            ));
            continue;
        };
        seen.insert(module.clone());
        for used in imports(&file) {
            if used != module && !allowed.contains(&*used) {
                wrong.push(format!(
                    "{}: `{module}` must not use `{used}`",
                    file.display()
                ));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
    assert!(seen.len() > 10, "the test found only {seen:?}");
}

#[test]
fn the_table_has_no_circle() {
    for (index, (module, uses)) in TABLE.iter().enumerate() {
        for used in *uses {
            let below = TABLE.iter().take(index).any(|(below, _)| below == used);
            assert!(below, "`{module}` uses `{used}`, which stands above it");
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
fn only_one_folder_of_the_adapter_makes_host_calls() {
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

fn module_of(krate: &str, file: &Path) -> String {
    let src = source_folder(krate);
    let first = file.strip_prefix(src).unwrap().components().next().unwrap();
    let name = Path::new(first.as_os_str()).file_stem().unwrap();
    name.to_string_lossy().into_owned()
}

/// The file without comments, and without the tests inside it.
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

/// The modules named after `crate::`, one by one or in braces.
fn imports(file: &Path) -> BTreeSet<String> {
    let code = code(file);
    let mut found = BTreeSet::new();
    for (at, _) in code.match_indices("crate::") {
        let rest = &code[at + "crate::".len()..];
        match rest.strip_prefix('{') {
            Some(group) => {
                let group = group.split('}').next().unwrap();
                found.extend(group.split(',').map(|path| first_name(path.trim())));
            }
            None => {
                found.insert(first_name(rest));
            }
        }
    }
    found
}

fn first_name(path: &str) -> String {
    path.chars()
        .take_while(|c| c.is_alphanumeric() || *c == '_')
        .collect()
}
