//! Writes the examples of the repository for the page: each document with those of its cases
//! that the page can play. `make playground` runs it.

use std::collections::BTreeMap;
use std::error::Error;
use std::fs;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_authz_cli::cases::{Case, CaseFile, Outcome, Player, Request, Side, World};
use edge_authz_cli::named_configuration;
use serde_json::{Map, Value, json};

/// The document of each example.
const DOCUMENT: &str = "edge-authz.yaml";

/// The reasons that depend on the key of a token. The page always signs with the right one.
const ABOUT_KEYS: [&str; 3] = ["bad_algorithm", "bad_signature", "unknown_key"];

/// The claims that are points in time.
const TIMES: [&str; 4] = ["iat", "nbf", "exp", "auth_time"];

fn main() -> Result<(), Box<dyn Error>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples");
    let mut examples = Vec::new();
    for folder in entries(&root)? {
        let cases = folder.is_dir().then(|| entries(&folder)).transpose()?;
        let mut cases = cases.into_iter().flatten();
        let cases = cases.find(|path| path.to_string_lossy().ends_with(".cases.yaml"));
        if let Some(cases) = cases.filter(|_| folder.join(DOCUMENT).is_file()) {
            examples.push(example(&folder, &cases)?);
        }
    }
    // The smallest example comes first.
    examples.sort_by_key(|example| example["name"] != "getting-started");
    writeln!(io::stdout(), "{:#}", Value::from(examples))?;
    Ok(())
}

fn entries(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path()));
    let mut entries: Vec<PathBuf> = entries.collect::<io::Result<_>>()?;
    entries.sort();
    Ok(entries)
}

/// A document, and its cases that need nothing but a token with certain claims.
fn example(folder: &Path, cases: &Path) -> Result<Value, Box<dyn Error>> {
    let read = |name: &str| named_configuration(cases, name);
    let file = CaseFile::parse_with(&fs::read_to_string(cases)?, &read)?;
    let mut shown = Vec::new();
    for world in file.worlds.iter().filter(|world| world.is_own()) {
        let player = Player::new(world)?;
        for case in world.cases.iter().filter(|case| case.is_for(Side::Native)) {
            let (request, _) = world.prepare(case, world.now(), |_| None)?;
            let [outcome, _] = player.play(&request, world.now());
            shown.extend(entry(world, case, &request, &outcome));
        }
    }
    Ok(json!({
        "name": folder.file_name().map(|name| name.to_string_lossy()),
        "about": file.about,
        "document": fs::read_to_string(folder.join(DOCUMENT))?,
        "cases": shown,
    }))
}

/// A case as the page shows it. `None` if the page cannot make its request.
fn entry(world: &World, case: &Case, request: &Request, outcome: &Outcome) -> Option<Value> {
    let path = text(request.path.as_deref()?)?;
    let target = match &request.host {
        Some(host) => format!("https://{}{path}", text(host)?),
        None => path,
    };
    let mut lines = Vec::new();
    for (name, value) in &request.headers {
        lines.push(format!("{}: {}", text(name)?, text(value)?));
    }
    let reason = outcome.reason.as_deref()?;
    // A proof of possession is signed for one request.
    if ABOUT_KEYS.contains(&reason) || request.headers.iter().any(|(name, _)| name == b"dpop") {
        return None;
    }
    let mut token = None;
    for line in &mut lines {
        let mut words = line.split([' ', '=', ';']);
        if let Some((jwt, read)) = words.find_map(|word| Some((word.to_owned(), parts(word)?))) {
            *line = line.replace(&jwt, "{token}");
            token = Some(described(world, read)?);
        }
    }
    Some(json!({
        "name": case.name,
        "method": text(&request.method)?,
        "target": target,
        "headers": lines,
        "token": token,
        "expect": {"status": outcome.status, "reason": reason},
    }))
}

fn text(bytes: &[u8]) -> Option<String> {
    String::from_utf8(bytes.to_vec()).ok()
}

/// Header and claims of a token.
fn parts(token: &str) -> Option<[Map<String, Value>; 2]> {
    let mut parts = token.split('.').map(|part| {
        let json = URL_SAFE_NO_PAD.decode(part).ok()?;
        serde_json::from_slice(&json).ok()
    });
    Some([parts.next()??, parts.next()??])
}

/// A token as the page writes it: its provider and its claims, with times relative to now.
/// `None` if its header is an unusual one, which the page does not make.
fn described(world: &World, [header, mut claims]: [Map<String, Value>; 2]) -> Option<Value> {
    let usual = ["alg", "kid", "typ"];
    if header.keys().any(|name| !usual.contains(&&**name)) {
        return None;
    }
    for name in TIMES {
        if let Some(time) = claims.get(name).and_then(Value::as_i64) {
            let offset = time.checked_sub(world.now())?;
            claims.insert(name.to_owned(), relative(offset).into());
        }
    }
    let providers = world.config()["providers"].as_array()?;
    let of_issuer = providers
        .iter()
        .find(|provider| Some(&provider["issuer"]) == claims.get("iss"));
    let provider = of_issuer.or_else(|| providers.first())?;
    Some(json!({"provider": provider["name"], "typ": header.get("typ"), "claims": claims}))
}

/// A time as case files write it: `now`, `now+1h`.
fn relative(offset: i64) -> String {
    let units = BTreeMap::from([(86_400, 'd'), (3600, 'h'), (60, 'm')]);
    let unit = units
        .iter()
        .rev()
        .find(|(seconds, _)| offset.checked_rem(**seconds) == Some(0));
    match (offset, unit) {
        (0, _) => "now".to_owned(),
        (_, Some((seconds, unit))) => {
            format!(
                "now{:+}{unit}",
                offset.checked_div(*seconds).unwrap_or(offset)
            )
        }
        (_, None) => format!("now{offset:+}s"),
    }
}
