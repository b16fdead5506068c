//! Checks the YAML of the documentation: blocks marked `yaml` are configurations that
//! compile, those marked `yaml server` compile for the server, and those marked `yaml refused`
//! do not compile. Those marked `yaml envoy` and `yaml proxy` are parts of the configurations
//! of Envoy and of other proxies, and `yaml resources` resources of Kubernetes. Those marked
//! `yaml cases` are case files, or cases of one, that pass. Those marked `yaml source` are
//! configurations of others that can be imported. Those marked `yaml cases above` are cases
//! that pass with the configuration above them, and with what is imported from the source
//! above it.
//!
//! A block may be a part of a configuration; missing `providers` and `routes` are added.
#![allow(
    clippy::unwrap_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::arithmetic_side_effects,
    reason = "a test ends at the first unexpected result"
)]

#[path = "documents/copies.rs"]
mod copies;
#[path = "documents/links.rs"]
mod links;
#[path = "documents/log_lines.rs"]
mod log_lines;
#[path = "documents/mutants.rs"]
mod mutants;
#[path = "documents/pages.rs"]
mod pages;

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use edge_authz::config::{self, Fetching};
use edge_authz_cli::cases::{CaseFile, Player, Request};
use edge_authz_cli::{imported, named_configuration};
use serde_json::{Value, json};

/// A fenced block of a document.
struct Block {
    /// The document and the line, for the error message.
    place: String,
    kind: String,
    text: String,
}

fn blocks() -> Vec<Block> {
    let mut blocks: Vec<Block> = Vec::new();
    for page in pages::all() {
        let name = page.name();
        let mut inside = false;
        for (number, line) in (1..).zip(page.text.lines()) {
            match line.strip_prefix("```") {
                Some(kind) if !inside => {
                    inside = true;
                    blocks.push(Block {
                        place: format!("{name}, line {number}"),
                        kind: kind.to_owned(),
                        text: String::new(),
                    });
                }
                Some(_) => inside = false,
                None if inside => {
                    let text = &mut blocks.last_mut().unwrap().text;
                    text.push_str(line);
                    text.push('\n');
                }
                None => {}
            }
        }
        assert!(!inside, "{name}: a block does not end");
    }
    blocks
}

fn read(block: &Block) -> Value {
    serde_saphyr::from_str(&block.text).unwrap_or_else(|error| panic!("{}: {error}", block.place))
}

/// Adds the members that a part of a configuration leaves out.
fn complete(mut part: Value) -> Value {
    let members = part.as_object_mut().unwrap();
    members.entry("providers").or_insert(json!([{
        "name": "cognito",
        "issuer": "https://issuer.example.com",
        "audiences": ["api"],
        "jwks": {"cluster": "issuer"},
    }]));
    members
        .entry("routes")
        .or_insert(json!([{"match": "$default"}]));
    part
}

#[test]
fn every_configuration_in_the_documentation_compiles() {
    let blocks = blocks();
    let configurations = blocks.iter().filter(|block| block.kind == "yaml");
    for block in configurations.clone() {
        let whole = complete(read(block));
        if let Err(errors) = config::compile(whole.to_string().as_bytes()) {
            panic!("{}:\n{errors}", block.place);
        }
    }
    assert!(configurations.count() >= 30, "blocks are missing");
    let of_server = blocks.iter().filter(|block| block.kind == "yaml server");
    for block in of_server.clone() {
        let whole = complete(read(block)).to_string();
        if let Err(errors) = config::compile_for(whole.as_bytes(), Fetching::Direct) {
            panic!("{}:\n{errors}", block.place);
        }
    }
    assert!(of_server.count() >= 1, "blocks are missing");
    for block in blocks.iter().filter(|block| block.kind == "yaml refused") {
        let whole = complete(read(block));
        let compiled = config::compile(whole.to_string().as_bytes());
        assert!(compiled.is_err(), "{}: is accepted", block.place);
    }
}

#[test]
fn the_rest_of_the_yaml_is_yaml_and_no_other_kind_of_block_is_mistaken_for_it() {
    for block in blocks() {
        match block.kind.as_str() {
            "yaml" | "yaml cases" | "yaml cases above" | "yaml refused" | "yaml server"
            | "yaml source" => {}
            "yaml envoy" | "yaml proxy" => drop(read(&block)),
            // Several documents.
            "yaml resources" => {
                for text in block.text.split("\n---\n") {
                    let resource: Value = serde_saphyr::from_str(text)
                        .unwrap_or_else(|error| panic!("{}: {error}", block.place));
                    assert!(resource["kind"].is_string(), "{}", block.place);
                }
            }
            kind => assert!(!kind.contains("yaml"), "{}: {kind}", block.place),
        }
    }
}

/// The configuration of cases that come without one.
fn usual() -> Value {
    complete(json!({"providers": [{
        "name": "main",
        "issuer": "https://issuer.example.com",
        "audiences": ["api"],
        "jwks": {"cluster": "issuer"},
    }]}))
}

/// A case file that contains a list of cases.
fn case_file(config: &Value, cases: &Value) -> Value {
    json!({
        "about": "The documentation.",
        "config": config,
        "keys": {"main": "ES256"},
        "cases": cases,
    })
}

/// Plays the cases of a file, and returns their number.
fn play(place: &str, text: &str) -> usize {
    let beside = pages::root().join("examples/getting-started/any.cases.yaml");
    let file = CaseFile::parse_with(text, &|name| named_configuration(&beside, name))
        .unwrap_or_else(|error| panic!("{place}: {error}"));
    let mut count = 0;
    each_passes(place, &file, |_, _, _| count += 1);
    count
}

/// Plays the cases of a file. `passed` gets each request, with the player of its world and
/// the time.
fn each_passes(place: &str, file: &CaseFile, mut passed: impl FnMut(&Player, &Request, i64)) {
    for world in &file.worlds {
        let player = Player::new(world).unwrap();
        let now = world.now();
        for case in &world.cases {
            let ask = |request: &Request| player.nonce(request, now);
            let (request, [expected, _]) = world.prepare(case, now, ask).unwrap();
            let [outcome, _] = player.play(&request, now);
            let found = expected.differences(&outcome);
            assert!(found.is_empty(), "{place}, {}: {found:?}", case.name);
            passed(&player, &request, now);
        }
    }
}

#[test]
fn the_case_files_in_the_documentation_pass() {
    let mut count = 0;
    for block in blocks().iter().filter(|block| block.kind == "yaml cases") {
        let read = read(block);
        let text = if read.is_array() {
            case_file(&usual(), &read).to_string()
        } else {
            block.text.clone()
        };
        count += play(&block.place, &text);
    }
    assert!(count >= 12, "blocks are missing");
}

/// A page that compares others with this project shows that both decide alike.
#[test]
fn cases_pass_with_the_configuration_above_them_and_with_its_source() {
    let (mut sources, mut count) = (0, 0);
    let (mut above, mut source) = (None, None);
    for block in blocks() {
        match block.kind.as_str() {
            "yaml source" => source = Some(block),
            "yaml" => above = Some(block),
            "yaml cases above" => {
                let config = complete(read(above.as_ref().expect("a configuration")));
                count += play(&block.place, &case_file(&config, &read(&block)).to_string());
                let Some(source) = source.take() else {
                    continue;
                };
                let (imported, _) = imported(&source.text)
                    .unwrap_or_else(|problems| panic!("{}: {problems} problems", source.place));
                let imported = serde_saphyr::from_str(&imported).unwrap();
                let place = format!("{}, imported", block.place);
                play(&place, &case_file(&imported, &read(&block)).to_string());
                sources += 1;
            }
            _ => {}
        }
    }
    assert!(sources >= 2 && count >= 20, "blocks are missing");
}

/// The names of all members in a configuration, at every depth.
fn names(value: &Value, found: &mut BTreeSet<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                found.insert(name.clone());
                names(member, found);
            }
        }
        Value::Array(elements) => elements.iter().for_each(|element| names(element, found)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[test]
fn the_reference_names_every_member() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let whole = fs::read_to_string(root.join("tests/fixtures/whole.yaml")).unwrap();
    let reference = fs::read_to_string(root.join("docs/configuration.md")).unwrap();
    let mut members = BTreeSet::new();
    names(&serde_saphyr::from_str(&whole).unwrap(), &mut members);
    let ours = members.iter().filter(|name| {
        // Names that the author chooses, and names in keys.
        !name.starts_with("x-")
            && !name.contains([':', '.'])
            && !["azp", "tid", "sub", "k", "keys", "kty"].contains(&name.as_str())
    });
    for name in ours {
        assert!(
            reference.contains(&format!("`{name}`")),
            "{name} is not explained"
        );
    }
}

#[test]
fn the_errors_in_the_reference_are_exact() {
    let wrong = json!({
        "providers": [{
            "name": "cognito",
            "issuer": "https://issuer.example.com",
            "audiences": ["api"],
            "jwks": {"cluster": "issuer", "refresh": 5},
        }],
        "routes": [
            {"match": "GET /pets/{id}", "scopes": "pets:read"},
            {"match": "GET /pets"},
            {"match": ["GET /pets/{name}"]},
        ],
        "tokencache": {},
    });
    let errors = config::compile(wrong.to_string().as_bytes()).unwrap_err();
    let shown = blocks()
        .into_iter()
        .find(|block| block.place.starts_with("docs/configuration.md") && block.kind == "text");
    assert_eq!(shown.unwrap().text, format!("{errors}\n"));
}
