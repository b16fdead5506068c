//! `explain`: requests, and the explanation of each.

use std::collections::BTreeMap;
use std::fs;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use serde_json::{Map, Value, json};
use sha2::Sha256;

use super::golden::{Golden, Ran, folder, run_in};

/// RFC 7515 appendix A.3: ES256, issuer `joe`, valid until 1300819380.
const JOE: &str = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";

const KEY: &str = "ThGV3wIN5Z4NZaM6QnnxGD565OXZgOMJ-LVa3_LmHD4";

/// The token that a case describes.
fn token(case: &Value) -> String {
    match case {
        Value::Null => String::new(),
        Value::String(name) if name == "joe" => JOE.to_owned(),
        Value::String(text) => text.clone(),
        Value::Object(claims) => signed(claims),
        Value::Bool(_) | Value::Number(_) | Value::Array(_) => panic!("no token: {case}"),
    }
}

/// A token of the provider `local` with further claims. A claim called `signature`
/// invalidates the signature.
fn signed(claims: &Map<String, Value>) -> String {
    let mut all = json!({
        "iss": "https://local.example",
        "aud": "api",
        "exp": 2_000_000_000,
        "sub": "alice",
    });
    all.as_object_mut().unwrap().extend(claims.clone());
    let encode = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let header = json!({"alg": "HS256", "kid": "k1", "typ": "JWT"});
    let signed = format!("{}.{}", encode(&header), encode(&all));
    let key = URL_SAFE_NO_PAD.decode(KEY).unwrap();
    let mut mac = Hmac::<Sha256>::new_from_slice(&key).unwrap();
    mac.update(signed.as_bytes());
    if claims.contains_key("signature") {
        mac.update(b"wrong");
    }
    let signature = URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes());
    format!("{signed}.{signature}")
}

fn explain(arguments: &[&str], token: &str) -> Ran {
    let mut all = vec!["explain", "--config", "config.yaml"];
    if !token.is_empty() {
        all.extend(["--token-file", "-"]);
    }
    if !arguments.contains(&"--at") {
        all.extend(["--at", "2026-01-31T12:00:00Z"]);
    }
    all.extend(arguments);
    run_in(&folder().join("explain"), &all, &format!("{token}\n"))
}

#[test]
fn explain_shows_each_step_and_never_the_token() {
    let folder = folder().join("explain");
    let cases = fs::read_to_string(folder.join("cases.yaml")).unwrap();
    let cases: BTreeMap<String, Value> = serde_saphyr::from_str(&cases).unwrap();
    let mut golden = Golden::default();
    for (name, case) in cases {
        let arguments = case["arguments"].as_array().unwrap();
        let arguments: Vec<_> = arguments
            .iter()
            .map(|text| text.as_str().unwrap())
            .collect();
        let token = token(&case["token"]);
        let ran = explain(&arguments, &token);
        assert_eq!((ran.code, ran.err.as_str()), (0, ""), "{name}");
        for part in token.split('.').filter(|part| part.len() > 3) {
            assert!(!ran.out.contains(part), "{name} shows the token");
        }
        let hidden = ["secret", "\u{1b}"];
        assert!(
            !hidden.iter().any(|hidden| ran.out.contains(hidden)),
            "{name}"
        );
        golden.compare(&folder.join(format!("{name}.out")), &ran.out);
        assert_same_content(&name, &arguments, &token, &ran);
    }
    golden.finish();
}

/// Checks that `--json` has the same content, and that exactly one step decides about a
/// refused request.
fn assert_same_content(name: &str, arguments: &[&str], token: &str, ran: &Ran) {
    let arguments: Vec<_> = arguments.iter().copied().chain(["--json"]).collect();
    let output: Value = serde_json::from_str(&explain(&arguments, token).out).unwrap();
    assert!(
        ran.out.contains(output["verdict"].as_str().unwrap()),
        "{name}"
    );
    let steps = output["steps"].as_array().unwrap();
    let last = steps.last().unwrap();
    let forwarded = ["allowed", "public", "anonymous", "reported"]
        .contains(&output["reason"].as_str().unwrap());
    assert_eq!(
        output["status"].is_null(),
        forwarded
            || ["keys_unavailable", "revocation_list_unavailable"]
                .contains(&output["reason"].as_str().unwrap()),
        "{name}"
    );
    if output["reason"] == "allowed" {
        assert_ne!(last["result"], "decided", "{name}");
    } else {
        assert_eq!(last["result"], "decided", "{name}");
    }
}

#[test]
fn explain_refuses_what_it_cannot_use() {
    for (arguments, words) in [
        (&["/", "--at", "yesterday"][..], "2026-01-31T12:00:00Z"),
        (&["/", "--jwks", "joe"], "PROVIDER=FILE"),
        (
            &["/", "--jwks", "nobody=joe.jwks.json"],
            "no provider `nobody`",
        ),
        (
            &["/", "--jwks", "local=joe.jwks.json"],
            "are in the configuration",
        ),
        (&["/", "--jwks", "joe=config.yaml"], "the key set of `joe`"),
        (&["/", "--revoked", "listed"], "--revoked PROVIDER=FILE"),
        (
            &["/", "--revoked", "nobody=listed.revoked.json"],
            "no provider `nobody`",
        ),
        (
            &["/", "--revoked", "joe=listed.revoked.json"],
            "`joe` has no `revoked`",
        ),
        (
            &["/", "--revoked", "listed=joe.jwks.json"],
            "none of the members `jti`, `sid` and `sub`",
        ),
        (&["/", "-H", "no colon"], "name: value"),
        (&["/", "--token-file", "missing.jwt"], "missing.jwt"),
    ] {
        let ran = explain(arguments, "");
        assert_eq!(ran.code, 2, "{arguments:?}: {}", ran.out);
        assert!(ran.err.contains(words), "{arguments:?}: {}", ran.err);
    }
}

#[test]
fn a_wrong_configuration_is_shown_by_every_command() {
    let folder = folder().join("check");
    for arguments in [
        &["explain", "--config", "members.yaml", "/"][..],
        &["routes", "members.yaml"],
    ] {
        let ran = run_in(&folder, arguments, "");
        assert_eq!(ran.code, 1);
        assert!(ran.out.contains("did you mean `issuer`?"), "{}", ran.out);
    }
}
