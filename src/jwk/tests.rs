mod document;
mod key;
mod lookup;
mod shelf;

use super::*;

// RFC 7517 appendix A.1.
const EC: &str = r#""kty":"EC","crv":"P-256","x":"MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4","y":"4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM""#;
const RSA: &str = r#""kty":"RSA","n":"0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw","e":"AQAB""#;
// RFC 8037 appendix A.2.
const OKP: &str =
    r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;
const OCT: &str = r#""kty":"oct","k":"AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow""#;

fn document(keys: &[&str]) -> String {
    let keys: Vec<String> = keys
        .iter()
        .map(|members| format!("{{{members}}}"))
        .collect();
    format!(r#"{{"keys":[{}]}}"#, keys.join(","))
}

fn parse(document: &str) -> Result<ParsedKeySet, KeySetError> {
    KeySet::parse(document.as_bytes(), KeyOrigin::Inline)
}

fn set(keys: &[&str]) -> KeySet {
    let parsed = parse(&document(keys)).unwrap();
    assert_eq!(parsed.skipped, []);
    parsed.set
}

/// The result for one key, next to a usable one.
fn reason(members: &str) -> Option<SkipReason> {
    let parsed = parse(&document(&[members, OKP])).unwrap();
    assert!(parsed.skipped.len() <= 1);
    parsed.skipped.first().map(|key| key.reason)
}

fn with(members: &str, more: &str) -> String {
    format!("{members},{more}")
}
