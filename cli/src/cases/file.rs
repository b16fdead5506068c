//! Reads a case file.

use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Deserialize;
use serde_json::{Map, Value};

use super::answers::{Published, fill_inline};
use super::expand::{self, Node, patched};
use super::key::{KeySpec, Keys, make_all};
use super::token::Recipe;
use super::{Case, CaseError, DEFAULT_NOW, Problem, World};

/// A case file: worlds with the cases that are played in them.
#[derive(Clone, Debug)]
pub struct CaseFile {
    /// What the file shows.
    pub about: String,
    /// Its worlds: the file's own, and those of groups and cases that change it.
    pub worlds: Vec<World>,
}

/// What all worlds of a file share.
#[derive(Debug)]
pub(super) struct Shared {
    pub(super) keys: Keys,
    pub(super) tokens: BTreeMap<String, Recipe>,
    pub(super) now: i64,
}

/// The members of a file that do not belong to its outermost group.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct FileText {
    about: String,
    now: Option<i64>,
    config: Value,
    keys: BTreeMap<String, KeySpec>,
    #[serde(default)]
    tokens: BTreeMap<String, Recipe>,
    #[serde(default)]
    key_sets: Map<String, Value>,
    #[serde(default)]
    revocation_lists: Map<String, Value>,
    #[serde(default)]
    answers: Map<String, Value>,
}

/// The changes that a group or a case makes to the world.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
struct With {
    config: Option<Value>,
    key_sets: Option<Map<String, Value>>,
    revocation_lists: Option<Map<String, Value>>,
    answers: Option<Map<String, Value>>,
}

/// The members of a file besides those of its outermost case.
pub(crate) const FILE_MEMBERS: &[&str] = &[
    "about",
    "now",
    "config",
    "keys",
    "tokens",
    "key_sets",
    "revocation_lists",
    "answers",
];

impl CaseFile {
    /// Reads a file that contains its configuration, and generates its keys.
    ///
    /// # Errors
    ///
    /// The first error in the file.
    pub fn parse(yaml: &str) -> Result<Self, CaseError> {
        let nowhere = |_: &str| Err("files cannot be read here".to_owned());
        Self::parse_with(yaml, &nowhere)
    }

    /// The same for a file whose `config` may name another file. `read` finds the
    /// configuration in that file.
    ///
    /// # Errors
    ///
    /// The first error in the file, or the error of `read`.
    pub fn parse_with(
        yaml: &str,
        read: &dyn Fn(&str) -> Result<Value, String>,
    ) -> Result<Self, CaseError> {
        let yaml_error = |error: serde_saphyr::Error| Problem::Yaml(error.to_string()).at("YAML");
        // `y`, `n` and `off` are strings.
        let options = serde_saphyr::options! { strict_booleans: true };
        let mut group: Node =
            serde_saphyr::from_str_with_options(yaml, options).map_err(yaml_error)?;
        let mut own = Map::new();
        for name in FILE_MEMBERS {
            if let Some(value) = group.remove(*name) {
                own.insert((*name).to_owned(), value);
            }
        }
        let mut file: FileText = serde_json::from_value(Value::Object(own))
            .map_err(|error| Problem::from(error).at("the file"))?;
        if let Value::String(name) = &file.config {
            file.config = read(name).map_err(|message| Problem::File(message).at("config"))?;
        }
        let shared = Arc::new(Shared {
            keys: make_all(file.keys)?,
            tokens: file.tokens,
            now: file.now.unwrap_or(DEFAULT_NOW),
        });
        let outermost = Published {
            key_sets: file.key_sets,
            revocation_lists: file.revocation_lists,
            answers: file.answers,
        };
        let mut worlds: Vec<World> = Vec::new();
        for mut node in expand::cases(group).map_err(|problem| problem.at("cases"))? {
            let with = node.remove("with");
            let case = Case::read(node)?;
            let world = changed(&file.config, &outermost, with, &shared)
                .map_err(|problem| problem.at(format!("case `{}`", case.name)))?;
            let known = worlds
                .iter_mut()
                .find(|known| known.config == world.config && known.published == world.published);
            match known {
                Some(known) => known.cases.push(case),
                None => worlds.push(World {
                    cases: vec![case],
                    ..world
                }),
            }
        }
        for world in &mut worlds {
            fill_inline(&mut world.config, &world.published.key_sets, &shared.keys)?;
        }
        Ok(Self {
            about: file.about,
            worlds,
        })
    }

    /// Uses these tokens wherever a case names them, instead of making tokens.
    pub fn give(&mut self, tokens: &BTreeMap<String, String>) {
        let given = Arc::new(tokens.clone());
        for world in &mut self.worlds {
            world.given = Arc::clone(&given);
        }
    }
}

/// The world of a case.
fn changed(
    config: &Value,
    published: &Published,
    with: Option<Value>,
    shared: &Arc<Shared>,
) -> Result<World, Problem> {
    let with: With = match with {
        Some(with) => serde_json::from_value(with)?,
        None => With::default(),
    };
    // Key sets, lists and answers are replaced as a whole, each by its name.
    let replaced = |outer: &Map<String, Value>, patch: Option<Map<String, Value>>| {
        let mut whole = outer.clone();
        whole.extend(patch.unwrap_or_default());
        whole
    };
    let changed = match with.config {
        None => config.clone(),
        Some(patch) => patched(config.clone(), patch),
    };
    let replacing = Published {
        key_sets: replaced(&published.key_sets, with.key_sets),
        revocation_lists: replaced(&published.revocation_lists, with.revocation_lists),
        answers: replaced(&published.answers, with.answers),
    };
    Ok(World {
        cases: Vec::new(),
        is_own: changed == *config && replacing == *published,
        config: changed,
        published: replacing,
        given: Arc::default(),
        shared: Arc::clone(shared),
    })
}
