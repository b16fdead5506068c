//! Tokens of a real user pool.

use serde_json::json;

use crate::support::bootstrap::Builder;
use crate::support::cognito::Cognito;
use crate::support::echo::{Echo, received};
use crate::support::http::Request;

#[test]
fn both_tokens_of_a_user_pool_are_good_and_the_refresh_token_is_not() {
    let cognito = Cognito::start();
    let pool = cognito.user_pool("test");
    let sub = cognito.sign_up(&pool, "ada", "Passw0rd!");
    let tokens = cognito.sign_in(&pool, "ada", "Passw0rd!");
    let upstream = Echo::start();
    let envoy = Builder::new(upstream.address())
        .cluster("cognito", cognito.address())
        .edge_authz(json!({
            "providers": [{
                "name": "cognito",
                "issuer": pool.issuer(),
                // The ID token has it as `aud`, the access token as `client_id`.
                "audiences": [pool.client],
                "jwks": {
                    "cluster": "cognito",
                    "uri": format!("{}/.well-known/jwks.json", pool.issuer()),
                },
            }],
            "upstream": {"claims": {"x-user-id": "sub"}},
            "routes": [
                {"match": "GET /me"},
                {"match": "GET /account", "scopes": ["aws.cognito.signin.user.admin"]},
            ],
        }))
        .start();
    let get = |path: &str, token: &str| envoy.send(&Request::get(path).bearer(token));
    for token in [&tokens.id, &tokens.access] {
        let account = get("/me", token).expect(200).json();
        assert_eq!(received(&account, "x-user-id"), [sub.as_str()]);
    }
    get("/account", &tokens.id).expect(403);
    get("/account", &tokens.access).expect(200);
    get("/me", &tokens.refresh).expect(401);
}
