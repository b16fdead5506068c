//! What issuers answer: key sets of generated keys, metadata, revocation lists, or anything
//! else.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::key::Keys;
use super::{CaseError, Problem, World, text};
use edge_authz::policy::FetchUri;

/// An answer to a fetch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FetchAnswer {
    /// The status.
    pub status: u16,
    /// Header fields.
    pub headers: Vec<(String, String)>,
    /// The body.
    pub body: Vec<u8>,
}

/// What issuers publish, as a file describes it.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Published {
    /// By provider.
    pub(super) key_sets: Map<String, Value>,
    /// By provider.
    pub(super) revocation_lists: Map<String, Value>,
    /// By URI.
    pub(super) answers: Map<String, Value>,
}

/// An answer in its long form.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct AnswerText {
    #[serde(default = "ok")]
    status: u16,
    #[serde(default)]
    headers: BTreeMap<String, Lines>,
    #[serde(default)]
    body: Value,
}

/// The values of a field, one line each.
#[derive(Deserialize)]
#[serde(untagged)]
enum Lines {
    One(String),
    Several(Vec<String>),
}

const fn ok() -> u16 {
    200
}

/// What the issuers of a world answer, by URI.
pub(super) fn of(world: &World) -> Result<BTreeMap<String, FetchAnswer>, CaseError> {
    let keys = &world.shared.keys;
    let mut all = BTreeMap::new();
    let providers = world.config.get("providers").and_then(Value::as_array);
    for provider in providers.into_iter().flatten() {
        let name = provider.get("name").and_then(Value::as_str);
        let set = name.and_then(|name| world.published.key_sets.get(name));
        let at = |problem: Problem| problem.at(format!("key_sets.{}", name.unwrap_or_default()));
        let answer = match set {
            Some(set) => answer(set, keys).map_err(at)?,
            None => FetchAnswer::json(&published(keys)),
        };
        if let Some((uri, list)) = revocation_list(world, provider)? {
            all.insert(uri, list);
        }
        let jwks = provider.get("jwks").unwrap_or(&Value::Null);
        if jwks.get("inline").is_some() {
            continue;
        }
        if let Some(uri) = jwks.get("uri").and_then(Value::as_str) {
            all.insert(normal(uri), answer);
        } else if let Some(issuer) = provider.get("issuer").and_then(Value::as_str) {
            let base = issuer.strip_suffix('/').unwrap_or(issuer);
            let jwks_uri = format!("{base}/.well-known/jwks.json");
            let metadata = json!({"issuer": issuer, "jwks_uri": jwks_uri});
            all.insert(
                normal(&format!("{base}/.well-known/openid-configuration")),
                FetchAnswer::json(&metadata),
            );
            all.insert(normal(&jwks_uri), answer);
        }
    }
    for (uri, described) in &world.published.answers {
        let answer =
            answer(described, keys).map_err(|problem| problem.at(format!("answers.{uri}")))?;
        all.insert(normal(uri), answer);
    }
    Ok(all)
}

/// The answer with a provider's revocation list, and its URI. The list is empty unless the
/// file has one.
fn revocation_list(
    world: &World,
    provider: &Value,
) -> Result<Option<(String, FetchAnswer)>, CaseError> {
    let Some(uri) = provider.pointer("/revoked/uri").and_then(Value::as_str) else {
        return Ok(None);
    };
    let name = provider.get("name").and_then(Value::as_str);
    let name = name.unwrap_or_default();
    let described = world.published.revocation_lists.get(name);
    let has = |list: &Value, member| list.get(member).is_some();
    let answer = match described {
        None => FetchAnswer::json(&json!({"jti": []})),
        Some(list)
            if ["status", "headers", "body"]
                .iter()
                .any(|name| has(list, name)) =>
        {
            answer(list, &world.shared.keys)
                .map_err(|problem| problem.at(format!("revocation_lists.{name}")))?
        }
        Some(list @ Value::Object(_)) => FetchAnswer::json(list),
        Some(text) => answer(text, &world.shared.keys)
            .map_err(|problem| problem.at(format!("revocation_lists.{name}")))?,
    };
    Ok(Some((normal(uri), answer)))
}

/// Puts generated keys into the inline sets of a configuration.
pub(super) fn fill_inline(
    config: &mut Value,
    sets: &Map<String, Value>,
    keys: &Keys,
) -> Result<(), CaseError> {
    let providers = config.get_mut("providers").and_then(Value::as_array_mut);
    for provider in providers.into_iter().flatten() {
        let name = provider.get("name").and_then(Value::as_str);
        let name = name.unwrap_or_default().to_owned();
        let at = |problem: Problem| problem.at(format!("the inline keys of `{name}`"));
        let Some(inline) = provider.pointer_mut("/jwks/inline") else {
            continue;
        };
        if let Some(Value::Array(set)) = sets.get(&name) {
            *inline = key_set(set, keys).map_err(at)?;
        } else if let Some(Value::Array(set)) = inline.get("keys") {
            let filled = key_set(set, keys).map_err(at)?;
            *inline = filled;
        }
    }
    Ok(())
}

/// A list of keys, the text of a body, or an answer with a status and so on.
fn answer(described: &Value, keys: &Keys) -> Result<FetchAnswer, Problem> {
    if described.is_object() {
        let text: AnswerText = serde_json::from_value(described.clone())?;
        return Ok(FetchAnswer {
            status: text.status,
            headers: text.headers.into_iter().flat_map(fields).collect(),
            body: body(&text.body, keys)?,
        });
    }
    Ok(FetchAnswer {
        status: 200,
        headers: Vec::new(),
        body: body(described, keys)?,
    })
}

fn fields((name, lines): (String, Lines)) -> Vec<(String, String)> {
    let lines = match lines {
        Lines::One(line) => vec![line],
        Lines::Several(lines) => lines,
    };
    let field = |line| (name.clone(), line);
    lines.into_iter().map(field).collect()
}

fn body(described: &Value, keys: &Keys) -> Result<Vec<u8>, Problem> {
    match described {
        Value::Null => Ok(Vec::new()),
        Value::Array(set) => Ok(key_set(set, keys)?.to_string().into_bytes()),
        Value::String(body) => text::bytes(body, &|name| super::key::reference(keys, name)),
        json @ (Value::Object(_) | Value::Bool(_) | Value::Number(_)) => {
            Ok(json.to_string().into_bytes())
        }
    }
}

/// A JWK Set: names of keys, keys with changes (`{key: NAME, use: enc}`), and literal
/// keys.
fn key_set(members: &[Value], keys: &Keys) -> Result<Value, Problem> {
    let mut set = Vec::new();
    for member in members {
        set.push(if let Some(name) = member.as_str() {
            Value::Object(jwk(name, keys)?)
        } else if let Some(changes) = member.as_object() {
            match changes.get("key").and_then(Value::as_str) {
                None => member.clone(),
                Some(name) => Value::Object(changed(jwk(name, keys)?, changes, keys)?),
            }
        } else {
            return Err(Problem::invalid(member.to_string(), "a key of a key set"));
        });
    }
    Ok(json!({"keys": set}))
}

fn changed(
    mut jwk: Map<String, Value>,
    changes: &Map<String, Value>,
    keys: &Keys,
) -> Result<Map<String, Value>, Problem> {
    for (name, value) in changes {
        match (name.as_str(), value) {
            ("key", _) => {}
            ("without", Value::Array(names)) => {
                jwk.retain(|name, _| !names.iter().any(|gone| gone == name));
            }
            (_, Value::String(text)) => {
                let bytes = text::bytes(text, &|name| super::key::reference(keys, name))?;
                let text = String::from_utf8_lossy(&bytes).into_owned();
                jwk.insert(name.clone(), Value::String(text));
            }
            _ => {
                jwk.insert(name.clone(), value.clone());
            }
        }
    }
    Ok(jwk)
}

fn jwk(name: &str, keys: &Keys) -> Result<Map<String, Value>, Problem> {
    let key = keys.get(name);
    Ok(key.ok_or_else(|| Problem::unknown("key", name))?.jwk())
}

fn published(keys: &Keys) -> Value {
    let published = keys.values().filter(|key| key.published);
    let set: Vec<_> = published.map(|key| Value::Object(key.jwk())).collect();
    json!({"keys": set})
}

/// A URI in the form that fetches use.
fn normal(uri: &str) -> String {
    FetchUri::parse(uri).map_or_else(|_| uri.to_owned(), |uri| uri.to_string())
}

impl FetchAnswer {
    fn json(body: &Value) -> Self {
        Self {
            status: 200,
            headers: vec![("content-type".to_owned(), "application/json".to_owned())],
            body: body.to_string().into_bytes(),
        }
    }
}
