//! The requests of each scenario, and their tokens and proofs.

use edge_authz::http::{HeaderMap, RequestHead};
use serde_json::{Value, json};

use crate::scenario::{API, ISSUER, NOW, ORIGIN, Setting};
use crate::tokens::{access_claims, encode, thumbprint, unsigned_proof};

/// The path of the metadata of `API`'s resource `/mcp` (RFC 9728 section 3.1).
const METADATA: &str = "/.well-known/oauth-protected-resource/mcp";
/// The public key of RFC 7515, appendix A.3, to which tokens are bound.
const POINT: [&str; 2] = [
    "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU",
    "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0",
];

impl Setting {
    /// The request of this round.
    pub(crate) fn head(&self, round: u64) -> RequestHead {
        let mut fields: Vec<(String, String)> = [
            (":authority", "api.example.com"),
            (":method", "GET"),
            (":path", "/pets-7/42"),
            (":scheme", "https"),
            ("user-agent", "curl/8.5.0"),
            ("accept", "application/json"),
            ("origin", ORIGIN),
            ("x-request-id", "6f1c2f2e-4a0b-4f34-9e4c-1d9a4c1f2b3a"),
        ]
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .to_vec();
        self.shape(round, &mut fields);
        RequestHead::new(HeaderMap::from_pairs(fields))
    }

    fn shape(&self, round: u64, fields: &mut Vec<(String, String)>) {
        let path = |fields: &mut Vec<(String, String)>, path: String| fields[2].1 = path;
        let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
        match self.name.as_str() {
            "public" => path(fields, "/public".to_owned()),
            "no-token" => {}
            "good-remembered"
            | "good-remembered-10000-routes"
            | "good-remembered-list-of-2"
            | "good-remembered-list-of-50000"
            | "hostile-forged" => {
                add("authorization", Self::bearer(0));
            }
            "good-new" => add("authorization", Self::bearer(round)),
            "good-bound-remembered" => add("authorization", Self::bound("Bearer", 0)),
            "good-bound-new" => add("authorization", Self::bound("Bearer", round)),
            "good-proof-remembered" => Self::prove(0, round, fields),
            "good-proof-new" => Self::prove(round, round, fields),
            "good-remembered-implied" => {
                add("authorization", Self::with_scope("owner"));
            }
            "good-remembered-mcp" => {
                add("authorization", Self::bearer(0));
                add("mcp-protocol-version", "2026-07-28".to_owned());
                add("mcp-method", "tools/call".to_owned());
                add("mcp-name", "read_pet".to_owned());
                "POST".clone_into(&mut fields[1].1);
                path(fields, "/mcp".to_owned());
            }
            "good-remembered-reported" => {
                add("authorization", Self::bearer(0));
                path(fields, "/reported/42".to_owned());
            }
            "metadata" => path(fields, METADATA.to_owned()),
            "preflight" => {
                add("access-control-request-method", "GET".to_owned());
                add("access-control-request-headers", "authorization".to_owned());
                "OPTIONS".clone_into(&mut fields[1].1);
            }
            _ => self.shape_hostile(fields),
        }
    }

    fn shape_hostile(&self, fields: &mut Vec<(String, String)>) {
        let path = |fields: &mut Vec<(String, String)>, path: String| fields[2].1 = path;
        let mut add = |name: &str, value: String| fields.push((name.to_owned(), value));
        match self.name.as_str() {
            // The maximum length of a token.
            "hostile-many-claims" => {
                let members: Vec<String> = (0..1_000)
                    .map(|number| format!("\"{number:05}\":[]"))
                    .collect();
                add("authorization", Self::unsigned(&members.join(",")));
            }
            "hostile-deep" => {
                let deep = format!("\"a\":{}{}", "[".repeat(5_500), "]".repeat(5_500));
                add("authorization", Self::unsigned(&deep));
            }
            "hostile-escapes" => {
                let escapes = format!("\"a\":\"{}\"", "\\u0041".repeat(1_900));
                add("authorization", Self::unsigned(&escapes));
            }
            "hostile-dots" => add("authorization", format!("Bearer {}", ".".repeat(16_000))),
            "hostile-encoded-path" => path(fields, format!("/pets-7/{}", "%41".repeat(2_600))),
            "hostile-segments" => path(fields, "/a".repeat(4_000)),
            "hostile-parameters" => {
                let parameters: Vec<String> =
                    (0..1_000).map(|number| format!("%61{number}=b")).collect();
                path(fields, format!("/pets-7/42?{}", parameters.join("&")));
            }
            "hostile-cookies" => {
                let cookies: Vec<String> =
                    (0..5_000).map(|number| format!("%61{number}=b")).collect();
                add("cookie", cookies.join("; "));
            }
            "hostile-fields" => {
                for number in 0..85 {
                    add(&format!("x_user.id{number}"), "v".repeat(600));
                }
            }
            other => panic!("no such scenario: {other}"),
        }
    }

    fn bearer(user: u64) -> String {
        format!(
            "Bearer {}",
            token(&claims(user, "pets:read").to_string(), user)
        )
    }

    /// A token without `pets:read`.
    fn with_scope(scope: &str) -> String {
        format!("Bearer {}", token(&claims(0, scope).to_string(), 0))
    }

    fn unsigned(members: &str) -> String {
        let claims = format!("{{\"iss\":\"{ISSUER}\",\"exp\":9999999999,{members}}}");
        format!("Bearer {}", token(&claims, 0))
    }

    /// A token that is bound to the client's key.
    fn bound(scheme: &str, user: u64) -> String {
        let mut claims = claims(user, "pets:read");
        claims["cnf"] = json!({"jkt": thumbprint(POINT)});
        format!("{scheme} {}", token(&claims.to_string(), user))
    }

    /// Adds a bound token, and a proof that was not used before.
    fn prove(user: u64, number: u64, fields: &mut Vec<(String, String)>) {
        let authorization = Self::bound("DPoP", user);
        let token = authorization.strip_prefix("DPoP ").expect("a token");
        let uri = format!("{API}{}", fields[2].1);
        let proof = unsigned_proof(POINT, &uri, token, number, NOW);
        let signature = (number + 1).to_be_bytes().repeat(64 / 8);
        let proof = format!("{proof}.{}", encode(signature));
        fields.push(("dpop".to_owned(), proof));
        fields.push(("authorization".to_owned(), authorization));
    }
}

fn claims(user: u64, scope: &str) -> Value {
    let number = usize::try_from(user).expect("a small number");
    access_claims(ISSUER, "4t0example", scope, number, NOW)
}

/// A token with a well-formed signature: the proxy decides whether it is valid.
fn token(claims: &str, number: u64) -> String {
    let header = r#"{"alg":"RS256","kid":"key-1","typ":"JWT"}"#;
    let signature = number.to_be_bytes().repeat(256 / 8);
    let (header, claims) = (encode(header), encode(claims));
    format!("{header}.{claims}.{}", encode(signature))
}
