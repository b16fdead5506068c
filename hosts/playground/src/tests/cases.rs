//! The case files: the page decides each request as the core does behind its engine.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use edge_authz_cli::cases::{CaseFile, FetchAnswer, Fields, Outcome, Player, Request, Side, World};
use serde_json::{Value, json};

use super::{ask, document, files};
use crate::session::Session;

/// The files whose nonces are made from random bytes, which the page does not have.
const WITH_NONCES: &str = "dpop-nonces";

/// Cases about fetches, by the beginnings of their names. The page fetches nothing: it takes
/// every key set as one that has just been fetched.
const ABOUT_FETCHES: [&str; 8] = [
    "an answer other than 200",
    "discovery: the location of RFC 8414",
    "discovery: a byte order mark before the metadata",
    "discovery: metadata that are refused",
    "a byte order mark before the set is ignored",
    "a kid that is not published",
    "without a list: it is encoded",
    "other members and a byte order mark are ignored",
];

#[test]
fn the_page_decides_as_the_core() {
    let mut session = Session::EMPTY;
    let mut count = 0;
    let mut left_out: BTreeMap<&str, usize> = BTreeMap::new();
    let mut wrong = Vec::new();
    for (name, file) in case_files() {
        for world in &file.worlds {
            let player = Player::new(world).unwrap();
            for case in world.cases.iter().filter(|case| case.is_for(Side::Native)) {
                let ask_nonce = |request: &Request| player.nonce(request, world.now());
                let (request, _) = world.prepare(case, world.now(), ask_nonce).unwrap();
                let is_about = |begin: &&str| case.name.starts_with(*begin);
                if ABOUT_FETCHES.iter().any(is_about) {
                    *left_out.entry("fetches").or_default() += 1;
                    continue;
                }
                let question = match question(&name, &request) {
                    Ok(question) => question,
                    Err(why) => {
                        *left_out.entry(why).or_default() += 1;
                        continue;
                    }
                };
                let [expected, _] = player.play(&request, world.now());
                let found = decide(&mut session, world, &question);
                count += 1;
                if let Some(difference) = difference(&expected, &found) {
                    wrong.push(format!("{name}: {}: {difference}", case.name));
                }
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{} of {count}:\n{}",
        wrong.len(),
        wrong.join("\n")
    );
    assert!(count >= 3800, "only {count} cases were played");
    for (why, number) in left_out {
        let most = match why {
            "nonces" | "fetches" => 50,
            _ => 20,
        };
        assert!(number <= most, "{number} cases are left out: {why}");
    }
}

/// The case files with their names.
fn case_files() -> Vec<(String, CaseFile)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut paths = files::own(&root);
    paths.extend(files::of_examples(&root));
    let named = paths.iter().map(|path| {
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        (name, files::read(path))
    });
    named.collect()
}

/// The request for the page, or why the page cannot have it.
fn question(file: &str, request: &Request) -> Result<Value, &'static str> {
    if file.starts_with(WITH_NONCES) {
        return Err("nonces");
    }
    if request.sends > 1 {
        return Err("sent several times");
    }
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).map_err(|_| "not UTF-8");
    let path = request.path.as_ref().ok_or("no path")?;
    let mut lines = Vec::new();
    if let Some(host) = &request.host {
        lines.push(format!("host: {}", text(host)?));
    }
    for (name, value) in request.head().headers().iter() {
        if name.starts_with(b":") {
            continue;
        }
        let (name, value) = (text(name)?, text(value)?);
        if name == "host" || value != value.trim() || name.contains(':') || name.trim().is_empty() {
            return Err("a header that proxies change");
        }
        lines.push(format!("{name}: {value}"));
    }
    let target = text(path)?;
    if !target.starts_with('/') && target.contains("://") {
        return Err("a whole URL as the path");
    }
    Ok(json!({"method": text(&request.method)?, "target": target, "headers": lines}))
}

fn decide(session: &mut Session, world: &World, request: &Value) -> Value {
    let mut keys = key_sets(world);
    let mut revoked = lists(world);
    loop {
        let call = json!({
            "call": "decide",
            "document": document(&world.config().to_string()),
            "request": request,
            "keys": keys,
            "revoked": revoked,
            "now": world.now(),
        });
        let sentence = match ask(session, &call) {
            Ok(value) => return value,
            Err(sentence) => sentence,
        };
        // A proxy would wait for a better one.
        let name = sentence.split('`').nth(1).expect(&sentence);
        let removed = if sentence.starts_with("the key set") {
            keys.remove(name)
        } else {
            revoked.remove(name)
        };
        assert!(removed.is_some(), "{sentence}");
    }
}

fn providers(world: &World) -> impl Iterator<Item = &Value> {
    world.config()["providers"].as_array().into_iter().flatten()
}

/// What the issuers publish.
fn key_sets(world: &World) -> BTreeMap<String, String> {
    let answers = world.answers().unwrap();
    let mut sets = BTreeMap::new();
    for provider in providers(world) {
        let jwks = &provider["jwks"];
        let uri = match (&jwks["uri"], &jwks["inline"]) {
            (Value::String(uri), _) => Some(uri.clone()),
            (_, Value::Null) => discovered(&answers, provider["issuer"].as_str().unwrap()),
            _ => None,
        };
        let body = uri.and_then(|uri| good(&answers, &uri));
        sets.extend(body.map(|body| (provider["name"].as_str().unwrap().to_owned(), body)));
    }
    sets
}

fn lists(world: &World) -> BTreeMap<String, String> {
    let answers = world.answers().unwrap();
    let mut lists = BTreeMap::new();
    for provider in providers(world) {
        let body = provider["revoked"]["uri"]
            .as_str()
            .and_then(|uri| good(&answers, uri));
        lists.extend(body.map(|body| (provider["name"].as_str().unwrap().to_owned(), body)));
    }
    lists
}

fn discovered(answers: &BTreeMap<String, FetchAnswer>, issuer: &str) -> Option<String> {
    let issuer = issuer.trim_end_matches('/');
    let metadata = good(
        answers,
        &format!("{issuer}/.well-known/openid-configuration"),
    )?;
    let metadata: Value = serde_json::from_str(&metadata).ok()?;
    Some(metadata["jwks_uri"].as_str()?.to_owned())
}

fn good(answers: &BTreeMap<String, FetchAnswer>, uri: &str) -> Option<String> {
    let answer = answers.get(uri).filter(|answer| answer.status == 200)?;
    String::from_utf8(answer.body.clone()).ok()
}

/// What is different, if something is.
fn difference(expected: &Outcome, found: &Value) -> Option<String> {
    let mut wanted = BTreeSet::new();
    let mut got = BTreeSet::new();
    let mut compare = |what: &str, one: Value, other: &Value| {
        wanted.insert(format!("{what} {one}"));
        got.insert(format!("{what} {other}"));
    };
    compare("reason", json!(expected.reason), &found["reason"]);
    compare("reported", json!(expected.reported), &found["reported"]);
    if let Some(seen) = &expected.upstream {
        compare("verdict", json!("forward"), &found["verdict"]);
        let path = String::from_utf8_lossy(&seen.path);
        compare("path", json!(path), &found["upstream"]["path"]);
        compare(
            "headers",
            fields(&seen.headers),
            &sorted(&found["upstream"]["headers"]),
        );
    } else {
        compare("status", json!(expected.status), &found["answer"]["status"]);
        // While a request waits, nobody knows when the next try will be.
        if found["verdict"] == "reply" {
            let body = expected.body.as_deref().unwrap_or_default();
            let body = json!(String::from_utf8_lossy(body));
            compare("body", body, &found["answer"]["body"]);
            compare(
                "headers",
                fields(&expected.headers),
                &sorted(&found["answer"]["headers"]),
            );
        }
    }
    let missing: Vec<_> = wanted.difference(&got).collect();
    let surplus: Vec<_> = got.difference(&wanted).collect();
    (!missing.is_empty()).then(|| format!("{missing:?}, but found {surplus:?}"))
}

/// A list in the order of its texts.
fn sorted(list: &Value) -> Value {
    let mut list = list.as_array().cloned().unwrap_or_default();
    list.sort_by_key(ToString::to_string);
    list.into()
}

/// Fields as JSON, in the order of their texts.
fn fields(fields: &Fields) -> Value {
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let fields = fields.iter().filter(|(name, _)| name != b"host");
    let mut list: Vec<_> = fields
        .map(|(name, value)| json!([text(name), text(value)]))
        .collect();
    list.sort_by_key(ToString::to_string);
    list.into()
}
