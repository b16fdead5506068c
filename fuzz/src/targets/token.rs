//! Tokens, compared with a second reader and with the signatures of another library.
//!
//! The input is a token or a description of one. A description has at least three lines:
//! `sign` with an algorithm, the header, the claims.

use edge_authz::crypto::NoHostSignatures;
use edge_authz::jwk::{KeyOrigin, KeySet};
use edge_authz::jwt::{TokenType, UnverifiedJwt};

use crate::reference::{jwt, keys};

pub(crate) fn target(data: &[u8]) {
    match recipe(data) {
        None => {
            judge(data);
        }
        Some(token) => {
            let verified = judge(&token);
            for forgery in forgeries(&token, data) {
                assert!(!judge(&forgery), "a forgery verified");
            }
            // If the algorithm has a key, the signature is valid. Then the token is
            // accepted if its form is.
            let good = jwt::read(&token).is_some_and(|form| {
                let signed_with = &*String::from_utf8_lossy(algorithm(data).unwrap());
                signed_with == form.algorithm && keys::SIGNED.contains(&signed_with)
            });
            assert!(verified || !good, "a good token did not verify");
        }
    }
}

fn algorithm(data: &[u8]) -> Option<&[u8]> {
    super::lines(data).next()?.strip_prefix(b"sign ")
}

fn recipe(data: &[u8]) -> Option<Vec<u8>> {
    let algorithm = std::str::from_utf8(algorithm(data)?).ok()?;
    let mut parts = data.splitn(3, |byte| *byte == b'\n').skip(1);
    let (header, claims) = (parts.next()?, parts.next()?);
    // The line end belongs to the file, not to the claims.
    let claims = claims.strip_suffix(b"\n").unwrap_or(claims);
    Some(keys::token(algorithm, header, claims).into_bytes())
}

/// The token with one bit flipped, with one character less, with one more, and with
/// padding. The input determines the position.
fn forgeries(token: &[u8], data: &[u8]) -> Vec<Vec<u8>> {
    let sum: usize = data.iter().map(|byte| usize::from(*byte)).sum();
    let mut flipped = token.to_vec();
    let at = sum % token.len();
    flipped[at] ^= 1 << (sum % 7);
    let mut shorter = token.to_vec();
    shorter.pop();
    let longer = |end: &[u8]| [token, end].concat();
    vec![flipped, shorter, longer(b"A"), longer(b"="), longer(b".")]
}

/// Whether the token verifies. Both readers must agree on it.
fn judge(token: &[u8]) -> bool {
    let parsed = UnverifiedJwt::parse(token);
    let Some(expected) = jwt::read(token) else {
        assert!(parsed.is_err(), "only the reference refuses the token");
        return false;
    };
    let parsed = parsed.expect("only the reference accepts the token");
    assert_eq!(parsed.algorithm().name(), expected.algorithm);
    assert_eq!(parsed.kid(), expected.kid.as_deref());
    let typ = parsed.token_type().map(TokenType::as_str);
    assert_eq!(typ, expected.typ.as_deref());
    assert_eq!(parsed.issuer(), expected.issuer);

    let keys = KeySet::parse(keys::KEY_SET.as_bytes(), KeyOrigin::Inline).unwrap();
    let mut verified = false;
    for key in keys.set.iter() {
        let jwt::Token {
            algorithm,
            signed,
            signature,
            ..
        } = &expected;
        let good = keys::verifies(key.kid().unwrap(), algorithm, signed, signature);
        let Some(jwt) = parsed.verify(key, &NoHostSignatures) else {
            // RFC 8032 permits stricter checks.
            assert!(!good || algorithm == "EdDSA", "a good signature is refused");
            continue;
        };
        assert!(good, "a wrong signature verified");
        assert_eq!(jwt.fingerprint(), key.key().fingerprint());
        assert_eq!(jwt.issuer(), expected.issuer);
        assert!(jwt.memory_bytes() > expected.payload.len());
        verified = true;
    }
    verified
}
