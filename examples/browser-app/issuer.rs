//! An issuer that signs in users with a password and issues tokens. It represents your
//! identity provider, from which a page gets tokens with OAuth's authorization code flow.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::support::server::{Answer, Received, Server};
use crate::support::tokens::{self, TokenMaker};

/// The users who may sign in: name, password and scopes.
const USERS: [(&str, &str, &str); 2] = [
    ("ada", "lovelace", "notes:read notes:write"),
    ("bob", "builder", "notes:read"),
];

/// A running issuer.
pub(crate) struct Issuer {
    server: Server,
    /// The origin of the page that may use this issuer.
    page: Arc<OnceLock<String>>,
}

impl Issuer {
    /// Starts an issuer on a free port with a new key.
    pub(crate) fn start() -> Self {
        let key = TokenMaker::generate("ES256", "key-1");
        let page = Arc::new(OnceLock::new());
        let allowed: Arc<OnceLock<String>> = Arc::clone(&page);
        let server = Server::start(Arc::new(move |received, stream| {
            let answer = match (received.method.as_slice(), received.target.as_slice()) {
                (b"GET", b"/.well-known/jwks.json") => {
                    Answer::json(&json!({"keys": [key.public_jwk()]}))
                }
                (b"POST", b"/token") => token(&key, stream.local_addr()?, received),
                _ => Answer::new(404, ""),
            };
            // The issuer has its own CORS policy: one page may read everything.
            let origin = allowed.get().map_or("null", String::as_str);
            answer
                .header("access-control-allow-origin", origin)
                .header("cache-control", "no-store")
                .write(stream, false)
        }));
        Self { server, page }
    }

    /// Allows the pages of an origin to sign in.
    pub(crate) fn allow(&self, origin: &str) {
        self.page
            .set(origin.to_owned())
            .expect("one page, set once");
    }

    /// The address on which it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.server.address()
    }
}

/// The token endpoint (RFC 6749 sections 5.1 and 5.2).
fn token(key: &TokenMaker, address: SocketAddr, received: &Received) -> Answer {
    let form = form(&received.body);
    let field = |name: &str| form.get(name).map_or("", String::as_str);
    let user = USERS
        .iter()
        .find(|(name, password, _)| *name == field("username") && *password == field("password"));
    let Some((name, _, scope)) = user else {
        let mut answer = Answer::json(&json!({
            "error": "invalid_grant",
            "error_description": "nobody has this name and password",
        }));
        answer.status = 400;
        return answer;
    };
    let lifetime: u64 = field("lifetime").parse().unwrap_or(3600).min(3600);
    let claims = claims(&format!("http://{address}"), name, scope, lifetime);
    Answer::json(&json!({
        "access_token": key.token(&claims),
        "token_type": "Bearer",
        "expires_in": lifetime,
        "scope": scope,
    }))
}

fn claims(issuer: &str, name: &str, scope: &str, lifetime: u64) -> Value {
    let now = tokens::now();
    json!({
        "iss": issuer,
        "aud": "notes",
        "sub": name,
        "scope": scope,
        "iat": now,
        "exp": now + lifetime,
    })
}

/// The fields of a form. Names and passwords consist of plain letters here, so nothing is
/// decoded.
fn form(body: &[u8]) -> BTreeMap<String, String> {
    let text = String::from_utf8_lossy(body);
    let fields = text.split('&').filter_map(|field| field.split_once('='));
    fields
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect()
}
