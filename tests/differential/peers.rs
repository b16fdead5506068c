//! The verdicts of other libraries, used as their documentation shows.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::Command;
use std::str::FromStr;

use jsonwebtoken::jwk::{Jwk, JwkSet};
use jsonwebtoken::{Algorithm, DecodingKey, Validation, decode, decode_header};
use serde_json::{Value, json};

use crate::generate::{ALGORITHMS, AUDIENCE, Case, ISSUER, World};
use crate::root;

pub(crate) fn jsonwebtoken(world: &World, cases: &[Case]) -> Vec<bool> {
    let sets: Vec<Option<JwkSet>> = world
        .sets
        .iter()
        .map(|set| serde_json::from_str(set).ok())
        .collect();
    let accepts = |case: &Case| accepted(sets[case.set].as_ref()?, &case.token).then_some(());
    cases.iter().map(|case| accepts(case).is_some()).collect()
}

fn accepted(set: &JwkSet, token: &str) -> bool {
    let Ok(header) = decode_header(token) else {
        return false;
    };
    let chosen: Option<&Jwk> = match (&header.kid, &set.keys[..]) {
        (Some(kid), _) => set.find(kid),
        (None, [only]) => Some(only),
        (None, _) => None,
    };
    let Some(chosen) = chosen else { return false };
    let Ok(key) = DecodingKey::from_jwk(chosen) else {
        return false;
    };
    // A key determines its algorithm, if it names one.
    let named = chosen.common.key_algorithm;
    let named = named.map(|named| Algorithm::from_str(&named.to_string()));
    let algorithm = match named {
        Some(Ok(named)) => named,
        Some(Err(_)) => return false,
        None => header.alg,
    };
    if !ALGORITHMS
        .iter()
        .any(|known| Algorithm::from_str(known) == Ok(algorithm))
    {
        return false;
    }
    let mut validation = Validation::new(algorithm);
    validation.set_audience(&[AUDIENCE]);
    validation.set_issuer(&[ISSUER]);
    validation.set_required_spec_claims(&["exp", "iss", "aud"]);
    validation.validate_nbf = true;
    decode::<Value>(token, &key, &validation).is_ok()
}

/// `PyJWT` and joserfc, each in its environment.
pub(crate) fn python(world: &World, cases: &[Case]) -> [Vec<bool>; 2] {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("differential");
    fs::create_dir_all(&folder).unwrap();
    let mut lines = String::new();
    for case in cases {
        writeln!(lines, "{}", json!([case.set, case.token])).unwrap();
    }
    fs::write(folder.join("tokens"), lines).unwrap();
    fs::write(folder.join("sets"), world.sets.join("\n")).unwrap();
    [("mcp", "pyjwt"), ("venv", "joserfc")].map(|(environment, library)| {
        let python = root().join(format!(".tools/{environment}/bin/python"));
        let output = Command::new(python)
            .arg(root().join("tests/differential/judge.py"))
            .args([library, ISSUER, AUDIENCE, &ALGORITHMS.join(",")])
            .arg(&folder)
            .output()
            .expect("Python: run `make setup`");
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stderr)
        );
        let verdicts: Vec<bool> = output
            .stdout
            .trim_ascii()
            .iter()
            .map(|byte| *byte == b'1')
            .collect();
        assert_eq!(verdicts.len(), cases.len());
        verdicts
    })
}
