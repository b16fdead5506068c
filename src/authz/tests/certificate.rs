//! Tokens that are bound to a client certificate (RFC 8705 section 3).

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;

use super::doubted::{NAMED, Pair, Sets, now};
use super::traced::policy;
use crate::authz::{CertificateUnknown, Connection, Context, NoUsedProofs, evaluate_traced};
use crate::crypto::NoHostSignatures;
use crate::http::{HeaderMap, RequestHead};
use crate::telemetry::Reason;

/// What is known about the certificate of a connection.
struct Shown(Result<Option<[u8; 32]>, CertificateUnknown>);

impl Connection for Shown {
    fn client_certificate(&self) -> Result<Option<[u8; 32]>, CertificateUnknown> {
        self.0
    }
}

#[test]
fn a_bound_token_needs_a_connection_with_exactly_its_certificate() {
    let key = Pair::new();
    let policy = policy(&key);
    let digest = [7; 32];
    let claim = format!(
        r#","cnf":{{"x5t#S256":"{}"}}"#,
        URL_SAFE_NO_PAD.encode(digest)
    );
    let credentials = format!("Bearer {}", key.token_with(NAMED, &claim));
    let head = RequestHead::new(HeaderMap::from_pairs([
        (":method", "GET"),
        (":path", "/token"),
        (":authority", "a.example"),
        ("authorization", &credentials),
    ]));
    let sets = Sets::of(&[]);
    let mut almost = digest;
    almost[31] = 6;
    for (shown, reason) in [
        (Ok(Some(digest)), Reason::Allowed),
        (Ok(Some(almost)), Reason::OtherCertificate),
        (Ok(Some([0; 32])), Reason::OtherCertificate),
        (Ok(None), Reason::NoCertificate),
        (Err(CertificateUnknown), Reason::InternalError),
    ] {
        let context = Context {
            keys: &sets,
            remembered: &sets,
            host_signatures: &NoHostSignatures,
            connection: &Shown(shown),
            proofs: &NoUsedProofs,
            arrived: now(),
            now: now(),
        };
        let decision = evaluate_traced(&policy, &head, context, &mut ());
        assert_eq!(decision.reason(), Some(reason), "{shown:?}");
    }
}
