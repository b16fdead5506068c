//! The memory that reading and keeping a key set takes, compared with the stated bounds.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use edge_authz::jwk::{KeyOrigin, KeySet, MAX_KEY_SET_BYTES, MAX_KEYS, memory_needed};

#[path = "support/counting.rs"]
mod counting;
#[path = "support/filled.rs"]
mod filled;

use counting::{Taken, taken};

fn filled(start: &str, part: impl Fn(usize) -> String, end: &str, most: usize) -> String {
    filled::filled(MAX_KEY_SET_BYTES, start, part, end, most)
}

fn rsa(bits: usize) -> String {
    let modulus = vec![0xf5; bits / 8];
    let modulus = URL_SAFE_NO_PAD.encode(modulus);
    format!(r#"{{"kty":"RSA","n":"{modulus}","e":"AQAB"}},"#)
}

const EC: &str = r#"{"kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"},"#;
const OKP: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"},"#;
const END: &str =
    r#"{"kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo"}]}"#;

/// Key sets with the maximum number of keys.
fn key_sets() -> Vec<(&'static str, String)> {
    let keys = |key: &str| filled(r#"{"keys":["#, |_| key.to_owned(), END, MAX_KEYS - 1);
    let named = EC.replacen('{', &format!(r#"{{"kid":"{}","#, "k".repeat(1900)), 1);
    vec![
        ("RSA of 2048 bits", keys(&rsa(2048))),
        ("RSA of 8192 bits", keys(&rsa(8192))),
        ("P-256", keys(EC)),
        ("Ed25519", keys(OKP)),
        ("P-256 with long names", keys(&named)),
        ("unusable keys", keys("0,")),
        ("one key", format!(r#"{{"keys":[{END}"#)),
    ]
}

/// Documents made to take as much memory as possible.
fn hostile() -> Vec<(&'static str, String)> {
    let all = |start, part: &str, end| filled(start, |_| part.to_owned(), end, usize::MAX);
    let members = |start, name: &str, end| {
        let member = |number| format!(r#""{name}{number:x}":0,"#);
        filled(start, member, end, usize::MAX)
    };
    let keys = r#"{"keys":["#;
    vec![
        ("elements", all(keys, "0,", "0]}")),
        ("objects", all(keys, "{},", "0]}")),
        ("members", members("{", "", r#""keys":[]}"#)),
        ("escapes in members", members("{", r"\n", r#""keys":[]}"#)),
        (
            "members of a key",
            members(r#"{"keys":[{"#, "", r#""kty":"oct"}]}"#),
        ),
        (
            "objects of a key",
            all(r#"{"keys":[{"a":["#, r#"{"a":0},"#, "0]}]}"),
        ),
        (
            "operations",
            all(
                r#"{"keys":[{"kty":"RSA","key_ops":["#,
                r#""","#,
                r#"""]}]}"#,
            ),
        ),
        ("escapes", all(r#"{"keys":[{"kty":""#, r"\n", r#""}]}"#)),
    ]
}

#[test]
fn no_document_takes_more_than_estimated() {
    for (name, document) in [key_sets(), hostile()].concat() {
        let parse = || KeySet::parse(document.as_bytes(), KeyOrigin::Fetched);
        let (parsed, taken) = taken(parse);
        let Taken { peak, block, kept } = taken;
        let (keys, said) = parsed.as_ref().map_or((0, 0), |parsed| {
            (parsed.set.len(), parsed.set.memory_bytes())
        });
        println!(
            "{name}: {} bytes, {keys} keys; peak {peak}, block {block}, kept {kept} of {said}",
            document.len()
        );
        let need = memory_needed(document.len());
        assert!(peak <= need.all, "{name}: {peak} of {need:?}");
        assert!(block <= need.block, "{name}: {block} of {need:?}");
        assert!(parsed.is_err() || kept <= said, "{name}: {kept} of {said}");
    }
}
