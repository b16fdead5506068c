//! Proofs of possession (RFC 9449), compared with a second reader and with the signatures
//! of another library.
//!
//! The input is a proof or a description of one. A description has three lines: `sign`
//! with an algorithm, the header, the claims. In it, `$x` and `$y` stand for the
//! coordinates of the client's key, `$ath` for the hash of its token, and `$nonce` for the
//! server's nonce.
//!
//! Each proof is checked by rules with and without nonces.

use std::str;
use std::sync::{Arc, LazyLock};
use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use edge_authz::crypto::NoHostSignatures;
use edge_authz::dpop::{MAX_PROOF_BYTES, NonceKeys, Nonces, Origin, ProofError, ProofRules, Shown};
use edge_authz::jwk::Thumbprint;
use edge_authz::time::UnixTime;

use crate::reference::json::{self, Json};
use crate::reference::{base64url, jwt, keys};

const TOKEN: &[u8] = b"a.token.of-the-client";
const NOW: i64 = 1_800_000_000;

/// The hash of the token, and the coordinates of the client's key.
struct Client {
    ath: String,
    x: String,
    y: String,
}

static CLIENT: LazyLock<Client> = LazyLock::new(|| {
    let set = json::parse(keys::KEY_SET.as_bytes(), jwt::DEPTH).unwrap();
    let ec = &set.get("keys").unwrap().array().unwrap()[1];
    let text = |name| ec.get(name).unwrap().string().unwrap().to_owned();
    Client {
        ath: base64url::encode(digest(&SHA256, TOKEN).as_ref()),
        x: text("x"),
        y: text("y"),
    }
});

fn thumbprint() -> Thumbprint {
    let Client { x, y, .. } = &*CLIENT;
    let members = format!(r#"{{"crv":"P-256","kty":"EC","x":"{x}","y":"{y}"}}"#);
    let hash = digest(&SHA256, members.as_bytes());
    Thumbprint::parse(&base64url::encode(hash.as_ref())).unwrap()
}

pub(crate) fn target(data: &[u8]) {
    let (proof, is_described) = match described(data) {
        Some(proof) => (proof, true),
        None => (data.to_vec(), false),
    };
    let accepted = check(&proof);
    if accepted.is_ok() {
        assert!(is_good(&proof), "only the reference refuses the proof");
    }
    // Where a nonce is required, the same proofs are accepted if they have the server's.
    let with_nonce = check_by(&proof, Some(Duration::from_mins(1)));
    let expected = accepted.is_ok() && has_nonce(&proof);
    assert_eq!(with_nonce.is_ok(), expected, "{with_nonce:?}");
    if let Err(ProofError::NonceUnavailable | ProofError::NonceExpired) = with_nonce {
        panic!("there are keys, and no nonce is old");
    }
    if let Err(ProofError::Missing | ProofError::Several | ProofError::Used) = accepted {
        panic!("an error of another check");
    }
    // White space after the third line is no part of the description.
    if data.trim_ascii_end() == GOOD.as_bytes() {
        assert!(is_described && accepted.is_ok(), "{accepted:?}");
        for forgery in forgeries(&proof) {
            assert!(check(&forgery).is_err(), "a forgery is accepted");
        }
    }
}

const GOOD: &str = r#"sign ES256
{"typ":"dpop+jwt","alg":"ES256","jwk":{"kty":"EC","crv":"P-256","x":"$x","y":"$y"}}
{"jti":"a","htm":"GET","htu":"https://api.example.com/pets","iat":1800000000,"ath":"$ath"}"#;

/// The keys of the server's nonces, and the nonce of the second of the check.
static NONCES: LazyLock<(Nonces, String)> = LazyLock::new(|| {
    let now = UnixTime::from_secs(NOW);
    let keys = NonceKeys::starting(now, [[7; 32], [8; 32]]);
    let nonce = keys.issue(now).unwrap();
    (Nonces::Of(Arc::new(keys)), nonce)
});

fn has_nonce(proof: &[u8]) -> bool {
    let claims = proof.split(|byte| *byte == b'.').nth(1);
    let claims = claims.and_then(base64url::decode);
    let claims = claims
        .as_deref()
        .and_then(|claims| json::parse(claims, jwt::DEPTH));
    let nonce = claims.as_ref().and_then(|claims| claims.get("nonce"));
    nonce.and_then(Json::string) == Some(&*NONCES.1)
}

fn check(proof: &[u8]) -> Result<(), ProofError> {
    check_by(proof, None)
}

fn check_by(proof: &[u8], nonce: Option<Duration>) -> Result<(), ProofError> {
    let rules = ProofRules {
        origins: vec![Origin::parse("https://api.example.com").unwrap()],
        algorithms: ProofRules::DEFAULT_ALGORITHMS.into_iter().collect(),
        max_age: Duration::from_mins(1),
        nonce,
        kept_for: Duration::from_mins(1),
    };
    let shown = Shown {
        method: b"GET",
        path: b"/pets?limit=1",
        token: TOKEN,
        key: &thumbprint(),
        nonces: &NONCES.0,
        now: UnixTime::from_secs(NOW),
    };
    let checked = rules.check(proof, &shown, &NoHostSignatures);
    checked.map(|proof| {
        // It is remembered as long as it could be accepted.
        let until = proof.until.as_secs();
        assert!((NOW + 60..=NOW + 120).contains(&until), "{until}");
    })
}

fn described(data: &[u8]) -> Option<Vec<u8>> {
    let mut lines = str::from_utf8(data).ok()?.splitn(3, '\n');
    let algorithm = lines.next()?.strip_prefix("sign ")?;
    let Client { ath, x, y } = &*CLIENT;
    let filled = |text: &str| {
        let text = text.replace("$ath", ath).replace("$nonce", &NONCES.1);
        text.replace("$x", x).replace("$y", y)
    };
    let (header, claims) = (filled(lines.next()?), filled(lines.next()?.trim_end()));
    Some(keys::token(algorithm, header.as_bytes(), claims.as_bytes()).into_bytes())
}

/// The proof with a changed, a missing and a further character, in each part.
fn forgeries(proof: &[u8]) -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for at in (0..proof.len()).step_by(7) {
        let mut changed = proof.to_vec();
        changed[at] ^= 1;
        all.push(changed);
        let mut shorter = proof.to_vec();
        shorter.remove(at);
        all.push(shorter);
        let mut longer = proof.to_vec();
        longer.insert(at, b'A');
        all.push(longer);
    }
    all
}

/// Whether a second reader accepts the proof.
fn is_good(proof: &[u8]) -> bool {
    read(proof).is_some()
}

fn read(proof: &[u8]) -> Option<()> {
    let parts: Vec<&[u8]> = proof.split(|byte| *byte == b'.').collect();
    let [header, claims, signature] = parts.as_slice() else {
        return None;
    };
    let signed = [*header, b".", *claims].concat();
    let (header, claims) = (base64url::decode(header)?, base64url::decode(claims)?);
    let header = json::parse(&header, jwt::DEPTH)?;
    let claims = json::parse(&claims, jwt::DEPTH)?;
    let is = |object: &Json<'_>, name: &str, value: &str| {
        object.get(name).and_then(Json::string) == Some(value)
    };
    let typ = header.get("typ")?.string()?.to_ascii_lowercase();
    let key = header.get("jwk")?;
    let holds = proof.len() <= MAX_PROOF_BYTES
        && ["dpop+jwt", "application/dpop+jwt"].contains(&&*typ)
        && ["ES256", "ESP256"].contains(&header.get("alg")?.string()?)
        && header.get("crit").is_none()
        && header.get("enc").is_none()
        && is(key, "kty", "EC")
        && is(key, "crv", "P-256")
        && is(key, "x", &CLIENT.x)
        && is(key, "y", &CLIENT.y)
        && ["d", "k", "p"].iter().all(|name| key.get(name).is_none())
        && !claims.get("jti")?.string()?.is_empty()
        && is(&claims, "htm", "GET")
        && is(&claims, "ath", &CLIENT.ath)
        && is_uri(claims.get("htu")?.string()?)
        && keys::verifies("ec", "ES256", &signed, &base64url::decode(signature)?);
    let seconds: f64 = claims.get("iat")?.scalar()?.parse().ok()?;
    let is_near = (seconds - 1_800_000_000.0).abs() <= 60.0;
    (holds && is_near).then_some(())
}

/// Whether the URI is that of the request in some form: this reader decodes everything, and
/// resolves dots from the end.
fn is_uri(uri: &str) -> bool {
    let uri = uri.split(['?', '#']).next().unwrap_or_default();
    let mut decoded = String::new();
    let mut rest = uri;
    while let Some((before, after)) = rest.split_once('%') {
        decoded.push_str(before);
        let octet = after
            .get(..2)
            .and_then(|two| u8::from_str_radix(two, 16).ok());
        let Some(octet) = octet else { return false };
        decoded.push(char::from(octet));
        rest = &after[2..];
    }
    decoded.push_str(rest);
    let lower = decoded.to_ascii_lowercase();
    let start = ["https://api.example.com:443/", "https://api.example.com:/"];
    let start = start.iter().find(|start| lower.starts_with(**start));
    let start = start.map_or("https://api.example.com/".len(), |start| start.len());
    if !lower.starts_with("https://api.example.com") {
        return false;
    }
    let mut skipped = 0_usize;
    let mut kept = Vec::new();
    for segment in decoded.get(start..).unwrap_or_default().rsplit('/') {
        match segment {
            "." => {}
            ".." => skipped += 1,
            _ if skipped > 0 => skipped -= 1,
            _ => kept.push(segment),
        }
    }
    kept == ["pets"]
}
