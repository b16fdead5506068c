//! An issuer that signs users in and issues tokens with OAuth's authorization code flow and
//! PKCE. It represents your identity provider.

use std::net::SocketAddr;
use std::sync::{Arc, OnceLock};

use serde_json::{Value, json};

use crate::codes::{Codes, Grant};
use crate::sign_in::{self, Form, Registered, SignIn};
use crate::support::server::{Answer, Received, Server};
use crate::support::tokens::{self, TokenMaker};

/// The users who may sign in: name, password and scopes.
const USERS: [(&str, &str, &str); 2] = [
    ("ada", "lovelace", "notes:read notes:write"),
    ("bob", "builder", "notes:read"),
];

/// The client ID of the page.
pub(crate) const CLIENT: &str = "notes-page";

/// A running issuer.
pub(crate) struct Issuer {
    server: Server,
    /// The origin of the page that may use this issuer.
    page: Arc<OnceLock<String>>,
}

/// What the handlers of an issuer share.
struct State {
    key: TokenMaker,
    codes: Codes,
    page: Arc<OnceLock<String>>,
}

impl Issuer {
    /// Starts an issuer on a free port with a new key.
    pub(crate) fn start() -> Self {
        let page = Arc::new(OnceLock::new());
        let state = State {
            key: TokenMaker::generate("ES256", "key-1"),
            codes: Codes::default(),
            page: Arc::clone(&page),
        };
        let server = Server::start(Arc::new(move |received, stream| {
            let name = format!("http://{}", stream.local_addr()?);
            let answer = state.answer(&name, received);
            answer
                .header("cache-control", "no-store")
                .write(stream, false)
        }));
        Self { server, page }
    }

    /// Registers the page that may sign users in: its origin with the path `/`.
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

impl State {
    fn answer(&self, name: &str, received: &Received) -> Answer {
        let target = String::from_utf8_lossy(&received.target);
        let (path, query) = target.split_once('?').unwrap_or((&target, ""));
        match (received.method.as_slice(), path) {
            (b"GET", "/.well-known/jwks.json") => {
                self.readable(Answer::json(&json!({"keys": [self.key.public_jwk()]})))
            }
            (b"GET", "/.well-known/openid-configuration") => {
                self.readable(Answer::json(&metadata(name)))
            }
            (b"GET", "/authorize") => self.authorize(name, &Form::read(query.as_bytes()), false),
            (b"POST", "/authorize") => self.authorize(name, &Form::read(&received.body), true),
            (b"POST", "/token") => self.readable(self.token(name, &Form::read(&received.body))),
            _ => Answer::new(404, ""),
        }
    }

    /// An answer that the page may read. The issuer has its own CORS policy.
    fn readable(&self, answer: Answer) -> Answer {
        let origin = self.page.get().map_or("null", String::as_str);
        answer
            .header("access-control-allow-origin", origin)
            .header("vary", "Origin")
    }

    /// The authorization endpoint (RFC 6749 section 4.1): a form, or a redirect with a code.
    fn authorize(&self, name: &str, form: &Form, is_filled: bool) -> Answer {
        let page = self.page.get().map_or("", String::as_str);
        let registered = Registered {
            client: CLIENT,
            redirect: format!("{page}/"),
        };
        let request = match SignIn::check(form, &registered) {
            Ok(request) => request,
            Err(refusal) => return refusal.answer(name),
        };
        if !is_filled {
            return request.form("").answer(page);
        }
        let user = USERS.iter().find(|(user, password, _)| {
            *user == form.one("username") && *password == form.one("password")
        });
        let Some((user, _, may)) = user else {
            let message = "nobody has this name and password";
            return request.form(message).answer(page);
        };
        let lifetime: u64 = form.one("lifetime").parse().unwrap_or(3600).min(3600);
        let asked: Vec<&str> = request.scope.split(' ').collect();
        let scopes = may.split(' ').filter(|scope| asked.contains(scope));
        let code = self.codes.issue(Grant {
            user: (*user).to_owned(),
            scope: scopes.collect::<Vec<_>>().join(" "),
            lifetime,
            challenge: request.challenge.clone(),
        });
        request.redirect(name, &[("code", &code)])
    }

    /// The token endpoint (RFC 6749 sections 5.1 and 5.2, RFC 7636 section 4.6).
    fn token(&self, name: &str, form: &Form) -> Answer {
        let error = |error: &str| {
            let mut answer = Answer::json(&json!({"error": error}));
            answer.status = 400;
            answer
        };
        if form.one("grant_type") != "authorization_code" {
            return error("unsupported_grant_type");
        }
        let page = self.page.get().map_or("", String::as_str);
        if form.one("client_id") != CLIENT || form.one("redirect_uri") != format!("{page}/") {
            return error("invalid_grant");
        }
        let grant = self.codes.redeem(form.one("code"));
        let Some(grant) = grant.filter(|grant| grant.is_for(form.one("code_verifier"))) else {
            return error("invalid_grant");
        };
        Answer::json(&json!({
            "access_token": self.key.token(&claims(name, &grant)),
            "token_type": "Bearer",
            "expires_in": grant.lifetime,
            "scope": grant.scope,
        }))
    }
}

/// The issuer's metadata (RFC 8414, RFC 9207).
fn metadata(name: &str) -> Value {
    json!({
        "issuer": name,
        "authorization_endpoint": format!("{name}/authorize"),
        "token_endpoint": format!("{name}/token"),
        "jwks_uri": format!("{name}/.well-known/jwks.json"),
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code"],
        "code_challenge_methods_supported": [sign_in::METHOD],
        "token_endpoint_auth_methods_supported": ["none"],
        "authorization_response_iss_parameter_supported": true,
    })
}

fn claims(issuer: &str, grant: &Grant) -> Value {
    let now = tokens::now();
    json!({
        "iss": issuer,
        "aud": "notes",
        "client_id": CLIENT,
        "sub": grant.user,
        "scope": grant.scope,
        "iat": now,
        "exp": now + grant.lifetime,
    })
}
