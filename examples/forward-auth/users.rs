//! The issuer's keys, and tokens as Cognito makes them.

use serde_json::{Value, json};

use crate::support::tokens::{TokenMaker, encode, now};

/// The names in `edge-authz.yaml`.
pub(crate) const ISSUER: &str = "https://cognito-idp.us-east-1.amazonaws.com/us-east-1_EXAMPLE";
const CLIENT: &str = "4t0example";
/// The user.
pub(crate) const ADA: &str = "9f3c1d20-7a51-4c1b-8e0d-3b6a2f4c5d61";

/// The keys: the issuer's first one, its next one, and one of somebody else with the
/// name of the first.
pub(crate) struct Users {
    pub(crate) first: TokenMaker,
    pub(crate) next: TokenMaker,
    stranger: TokenMaker,
}

impl Users {
    pub(crate) fn new() -> Self {
        let key = |kid| TokenMaker::generate("RS256", kid);
        Self {
            first: key("first"),
            next: key("next"),
            stranger: key("first"),
        }
    }

    /// Says who has signed in. It has no scopes.
    pub(crate) fn id_token(&self) -> String {
        self.first.token(&id_claims())
    }

    /// Has the scope for `/account`.
    pub(crate) fn access_token(&self) -> String {
        let mut claims = id_claims();
        claims["token_use"] = json!("access");
        claims["scope"] = json!("openid aws.cognito.signin.user.admin");
        self.first.token(&claims)
    }

    /// An ID token that is signed with the new key.
    pub(crate) fn id_token_of_next_key(&self) -> String {
        self.next.token(&id_claims())
    }

    /// An ID token that expired an hour ago.
    pub(crate) fn expired(&self) -> String {
        let mut claims = id_claims();
        claims["exp"] = json!(now() - 3600);
        self.first.token(&claims)
    }

    /// An ID token for another client.
    pub(crate) fn of_another_client(&self) -> String {
        let mut claims = id_claims();
        claims["aud"] = json!("another-client");
        self.first.token(&claims)
    }

    /// An ID token that somebody else has signed.
    pub(crate) fn forged(&self) -> String {
        self.stranger.token(&id_claims())
    }
}

/// An ID token that nobody has signed.
pub(crate) fn unsigned() -> String {
    let header = encode(r#"{"alg":"none","typ":"JWT"}"#);
    format!("{header}.{}.", encode(id_claims().to_string()))
}

fn id_claims() -> Value {
    json!({
        "iss": ISSUER, "aud": CLIENT, "sub": ADA, "token_use": "id",
        "iat": now(), "exp": now() + 3600,
    })
}
