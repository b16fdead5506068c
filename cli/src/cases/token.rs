//! Makes the text of a token from its description in a file.

use std::cell::Cell;
use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::key::{Key, Keys};
use super::proof::{self, Shown};
use super::token_parts::{Made, encode};
use super::{Problem, signature, text};

/// The default token on which others are based.
pub(super) const USUAL: &str = "good";

/// The maximum depth to which tokens may be like, or inside, other tokens.
const MAX_DEPTH: u8 = 16;

/// A token as a file describes it: its differences from another token.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(super) struct Recipe {
    like: Option<String>,
    /// The signing key.
    key: Option<String>,
    /// The provider that determines its issuer and audience.
    provider: Option<String>,
    /// The algorithm of the signature, if it is not the key's own.
    sign_as: Option<String>,
    header: Option<Part>,
    claims: Option<Part>,
    /// Header members and claims to leave out.
    without: Vec<String>,
    /// What is signed: `${header}.${claims}`.
    signs: Option<String>,
    /// What is sent: `${header}.${claims}.${signature}`.
    form: Option<String>,
    /// Changes to the signature.
    signature: Option<Alterations>,
    /// The whole token, unchanged.
    text: Option<String>,
}

/// Members that replace the usual ones or are added to them; or the JSON text, in which
/// `...` stands for the usual members.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Part {
    Members(Map<String, Value>),
    Text(String),
}

#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
enum Alterations {
    One(String),
    Several(Vec<String>),
}

/// A token or its name.
#[derive(Clone, Debug, Deserialize)]
#[serde(untagged)]
pub(super) enum TokenRef {
    Name(String),
    Inline(Box<Recipe>),
}

/// The input for making tokens.
#[derive(Clone, Copy)]
pub(super) struct Workshop<'a> {
    pub(super) keys: &'a Keys,
    pub(super) tokens: &'a BTreeMap<String, Recipe>,
    /// Tokens that are used as they are.
    pub(super) given: &'a BTreeMap<String, String>,
    pub(super) config: &'a Value,
    /// Seconds since 1970.
    pub(super) now: i64,
    pub(super) nonce: &'a Nonce<'a>,
}

/// The server's nonce, for which `${nonce}` stands.
#[derive(Debug, Default)]
pub(super) struct Nonce<'a> {
    /// `None` before the server was asked.
    pub(super) value: Option<&'a [u8]>,
    /// Whether some text refers to it.
    pub(super) is_used: Cell<bool>,
}

/// A description together with those of the tokens that it is like.
#[derive(Debug, Default)]
struct Whole {
    recipe: Recipe,
    header: Map<String, Value>,
    claims: Map<String, Value>,
    header_text: Option<String>,
    claims_text: Option<String>,
}

impl Workshop<'_> {
    /// Makes a token.
    pub(super) fn make(&self, token: &TokenRef) -> Result<Made, Problem> {
        self.make_at(token, 0)
    }

    /// The meaning of `good`, `claims of good`, `pem of rsa` and similar references.
    pub(super) fn reference(&self, name: &str) -> Result<Vec<u8>, Problem> {
        self.reference_at(name, 0)
    }

    fn reference_at(&self, name: &str, depth: u8) -> Result<Vec<u8>, Problem> {
        let named = |name: &str| {
            let token = TokenRef::Name(name.trim().to_owned());
            self.make_at(&token, depth.saturating_add(1))
        };
        match name.split_once(" of ") {
            Some((part @ ("header" | "claims" | "signature"), name)) => named(name)?.part(part),
            Some(_) => super::key::reference(self.keys, name),
            None if name == "nonce" && !self.tokens.contains_key(name) => {
                self.nonce.is_used.set(true);
                Ok(self.nonce.value.unwrap_or(b"none").to_vec())
            }
            None => Ok(named(name)?.text),
        }
    }

    fn make_at(&self, token: &TokenRef, depth: u8) -> Result<Made, Problem> {
        let mut whole = Whole::default();
        if let TokenRef::Name(name) = token
            && let Some(text) = self.given.get(name)
        {
            return Ok(Made::given(text));
        }
        match token {
            TokenRef::Name(name) => self.add_named(&mut whole, name, depth)?,
            TokenRef::Inline(recipe) => self.add(&mut whole, recipe, depth)?,
        }
        let refer = |name: &str| self.reference_at(name, depth);
        if let Some(literal) = &whole.recipe.text {
            let text = text::bytes(literal, &refer)?;
            return Ok(Made {
                text,
                ..Made::default()
            });
        }
        let key = self.key(&whole)?;
        let usual = (usual_header(key), self.claims(&whole)?);
        self.sign(&whole, key, usual, depth)
    }

    /// Makes a token from its usual header and claims, and the changes to them.
    fn sign(
        &self,
        whole: &Whole,
        key: &Key,
        (header, claims): (Map<String, Value>, Map<String, Value>),
        depth: u8,
    ) -> Result<Made, Problem> {
        let refer = |name: &str| self.reference_at(name, depth);
        let header = whole.part(header, &whole.header, whole.header_text.as_deref());
        let claims = whole.part(claims, &whole.claims, whole.claims_text.as_deref());
        let mut made = Made {
            header: encode(&text::bytes(&header, &refer)?),
            claims: encode(&text::bytes(&self.dated(&claims), &refer)?),
            ..Made::default()
        };
        let alg = whole.recipe.sign_as.as_deref().unwrap_or(&key.alg);
        let signs = whole.recipe.signs.as_deref();
        let signed = text::bytes(signs.unwrap_or("${header}.${claims}"), &|name| {
            made.part(name).or_else(|_| refer(name))
        })?;
        let mut signature = key.sign(alg, &signed)?;
        for how in whole.recipe.signature.iter().flat_map(Alterations::list) {
            signature = signature::altered(signature, how)?;
        }
        made.signature = encode(&signature);
        let form = whole.recipe.form.as_deref();
        let form = form.unwrap_or("${header}.${claims}.${signature}");
        made.text = text::bytes(form, &|name| made.part(name).or_else(|_| refer(name)))?;
        Ok(made)
    }

    /// Makes a proof of possession (RFC 9449) for a request. The key is the named one,
    /// the one called `client`, or the only one.
    pub(super) fn prove(&self, proof: &TokenRef, shown: &Shown<'_>) -> Result<Made, Problem> {
        let mut whole = Whole::default();
        match proof {
            TokenRef::Name(name) if name == USUAL => {}
            TokenRef::Name(name) => return Err(Problem::unknown("proof", name)),
            TokenRef::Inline(recipe) => whole.add(recipe),
        }
        let refer = |name: &str| self.reference_at(name, 0);
        if let Some(literal) = &whole.recipe.text {
            let text = text::bytes(literal, &refer)?;
            return Ok(Made {
                text,
                ..Made::default()
            });
        }
        let client = self
            .keys
            .get("client")
            .filter(|_| whole.recipe.key.is_none());
        let key = match client {
            Some(key) => key,
            None => self.key(&whole)?,
        };
        let usual = (proof::header(key), proof::claims(self.config, shown)?);
        self.sign(&whole, key, usual, 0)
    }

    fn add_named(&self, whole: &mut Whole, name: &str, depth: u8) -> Result<(), Problem> {
        match self.tokens.get(name) {
            Some(recipe) if name == USUAL && recipe.like.is_none() => {
                whole.add(recipe);
                Ok(())
            }
            Some(recipe) => self.add(whole, recipe, depth),
            // A file need not describe the usual token.
            None if name == USUAL => Ok(()),
            None => Err(Problem::unknown("token", name)),
        }
    }

    fn add(&self, whole: &mut Whole, recipe: &Recipe, depth: u8) -> Result<(), Problem> {
        let like = recipe.like.as_deref().unwrap_or(USUAL);
        if depth > MAX_DEPTH {
            return Err(Problem::Circular(like.to_owned()));
        }
        self.add_named(whole, like, depth.saturating_add(1))?;
        whole.add(recipe);
        Ok(())
    }

    /// The signing key: the named one, or the only one.
    fn key(&self, whole: &Whole) -> Result<&Key, Problem> {
        if let Some(name) = &whole.recipe.key {
            let key = self.keys.get(name);
            return key.ok_or_else(|| Problem::unknown("key", name));
        }
        let mut all = self.keys.values();
        let only = all.next().filter(|_| all.next().is_none());
        only.ok_or(Problem::Missing("with several keys, a token's `key`"))
    }

    /// The claims of a token that its provider accepts.
    fn claims(&self, whole: &Whole) -> Result<Map<String, Value>, Problem> {
        let mut claims = Map::new();
        let providers = self.config.get("providers").and_then(Value::as_array);
        let mut providers = providers.into_iter().flatten();
        let provider = match &whole.recipe.provider {
            None => providers.next(),
            Some(name) => Some(
                providers
                    .find(|provider| provider["name"] == **name)
                    .ok_or_else(|| Problem::unknown("provider", name))?,
            ),
        };
        if let Some(provider) = provider {
            claims.insert("iss".to_owned(), provider["issuer"].clone());
            if let Some(audience) = provider["audiences"].get(0) {
                claims.insert("aud".to_owned(), audience.clone());
            }
        }
        claims.insert("sub".to_owned(), json!("user-1"));
        claims.insert("iat".to_owned(), json!("now"));
        claims.insert("exp".to_owned(), json!("now+1h"));
        Ok(claims)
    }

    /// Converts times such as `"now+1h"` to seconds.
    fn dated(&self, json: &str) -> String {
        let mut out = String::with_capacity(json.len());
        let mut rest = json;
        while let Some((before, after)) = rest.split_once("\"now") {
            out.push_str(before);
            match after.split_once('"') {
                Some((offset, after)) if self.time(offset).is_some() => {
                    out.extend(self.time(offset).map(|time| time.to_string()));
                    rest = after;
                }
                _ => {
                    out.push_str("\"now");
                    rest = after;
                }
            }
        }
        out.push_str(rest);
        out
    }

    /// The time for `""`, `"+1h"` and `"-30s"`, relative to `now`.
    fn time(&self, offset: &str) -> Option<i64> {
        if offset.is_empty() {
            return Some(self.now);
        }
        let unit = offset.chars().next_back()?;
        let seconds = match unit {
            's' => 1,
            'm' => 60,
            'h' => 3600,
            'd' => 86_400,
            _ => return None,
        };
        let number: i64 = offset.strip_suffix(unit)?.parse().ok()?;
        let signed = offset.starts_with(['+', '-']);
        signed.then(|| self.now.saturating_add(number.saturating_mul(seconds)))
    }
}

fn usual_header(key: &Key) -> Map<String, Value> {
    let mut header = Map::new();
    header.insert("alg".to_owned(), json!(key.alg));
    header.insert("typ".to_owned(), json!("JWT"));
    if let Some(kid) = &key.kid {
        header.insert("kid".to_owned(), json!(kid));
    }
    header
}

impl Whole {
    /// Adds the description of a token to those of the tokens that it is like.
    fn add(&mut self, recipe: &Recipe) {
        let Recipe {
            like: _,
            key,
            provider,
            sign_as,
            header,
            claims,
            without,
            signs,
            form,
            signature,
            text,
        } = recipe.clone();
        let mine = &mut self.recipe;
        mine.key = key.or(mine.key.take());
        mine.provider = provider.or(mine.provider.take());
        mine.sign_as = sign_as.or(mine.sign_as.take());
        mine.signs = signs.or(mine.signs.take());
        mine.form = form.or(mine.form.take());
        mine.signature = signature.or(mine.signature.take());
        mine.text = text.or(mine.text.take());
        for (part, members, text) in [
            (header, &mut self.header, &mut self.header_text),
            (claims, &mut self.claims, &mut self.claims_text),
        ] {
            match part {
                None => {}
                Some(Part::Members(more)) => {
                    mine.without.retain(|name| !more.contains_key(name));
                    members.extend(more);
                }
                Some(Part::Text(more)) => *text = Some(more),
            }
        }
        mine.without.extend(without);
    }

    /// The JSON text of a part.
    fn part(
        &self,
        mut members: Map<String, Value>,
        more: &Map<String, Value>,
        text: Option<&str>,
    ) -> String {
        members.extend(more.clone());
        members.retain(|name, _| !self.recipe.without.contains(name));
        let json = Value::Object(members).to_string();
        match text {
            None => json,
            Some(text) => {
                let inner = json
                    .strip_prefix('{')
                    .and_then(|json| json.strip_suffix('}'));
                text.replacen("...", inner.unwrap_or_default(), 1)
            }
        }
    }
}

impl Alterations {
    fn list(&self) -> &[String] {
        match self {
            Self::One(one) => std::slice::from_ref(one),
            Self::Several(several) => several,
        }
    }
}
