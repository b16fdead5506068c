//! The requests of the walk-through, and the expected responses.

use crate::support::http::{Request, Response};
pub(crate) use crate::support::walk::Check;
use crate::support::walk::{allowed_origin, body, refusal, user};
use crate::users::{ADA, Users, unsigned};

const PAGE: &str = "https://app.example.com";

fn me(token: &str) -> Request {
    Request::get("/me").bearer(token)
}

fn account(token: &str) -> Request {
    Request::get("/account").bearer(token)
}

/// Each route, with credentials that are accepted and credentials that are refused.
pub(crate) fn routes(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            Request::get("/catalog"),
            "without a token",
            200,
            "the route is public",
        )
        .showing(user, "nobody"),
        Check::new(
            Request::get("/me"),
            "without a token",
            401,
            "the route asks for one",
        )
        .showing(refusal, r#"{"message":"Unauthorized"} Bearer"#),
        Check::new(
            me(&users.id_token()),
            "with the ID token",
            200,
            "it is good, and the upstream learns its `sub`",
        )
        .showing(user, ADA),
        Check::new(
            account(&users.id_token()),
            "with the ID token",
            403,
            "an ID token has no scopes",
        )
        .showing(refusal, "aws.cognito.signin.user.admin"),
        Check::new(
            account(&users.access_token()),
            "with the access token",
            200,
            "its `scope` has what the route asks for",
        )
        .showing(user, ADA),
        Check::new(
            Request::get("/anything-else"),
            "without a token",
            401,
            "`$default` asks for one",
        ),
    ]
}

/// The web page of another origin.
pub(crate) fn page(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            Request::preflight("/me", PAGE, "GET")
                .header("access-control-request-headers", "authorization"),
            "from the web page",
            204,
            "a browser asks first, and has no token yet",
        )
        .showing(allowed_origin, PAGE),
        Check::new(
            Request::get("/me").header("origin", PAGE),
            "from the web page, without a token",
            401,
            "the page may read the refusal",
        )
        .showing(allowed_origin, PAGE),
        Check::new(
            me(&users.id_token()).header("origin", PAGE),
            "from the web page, with the ID token",
            200,
            "the page may read this response, too",
        )
        .showing(allowed_origin, PAGE),
    ]
}

/// Credentials that resemble a token of this user but are not valid.
pub(crate) fn impostors(users: &Users) -> Vec<Check> {
    let refused = |token: &str, with, because| {
        Check::new(me(token), with, 401, because).showing(refusal, r#"error="invalid_token""#)
    };
    vec![
        refused(
            &users.expired(),
            "with an expired token",
            "its signature is good and its time is over",
        ),
        refused(
            &users.of_another_client(),
            "with a token for another client",
            "its `aud` is not among the audiences",
        ),
        refused(
            &users.forged(),
            "with a token that somebody else has signed",
            "its signature is not of the issuer's key",
        ),
        refused(&unsigned(), "with `alg: none`", "nobody signed it"),
    ]
}

/// Requests with which a client tries to choose what the server, the proxy or the upstream
/// believes.
pub(crate) fn tricks(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            Request::get("/catalog").header("x-user-id", "root"),
            "with X-User-Id: root, without a token",
            200,
            "the route is public, and the client's header is removed",
        )
        .showing(user, "nobody"),
        Check::new(
            me(&users.id_token()).header("x-user-id", "root"),
            "with X-User-Id: root and the ID token",
            200,
            "the client's header is replaced",
        )
        .showing(user, &format!("x-user-id: {ADA}")),
        Check::new(
            Request::get("/me").header("x-edge-authz", "allow"),
            "with X-Edge-Authz: allow, without a token",
            401,
            "only the server's own answer has this mark",
        ),
        Check::new(
            Request::get("/me")
                .header("x-original-uri", "/catalog")
                .header("x-forwarded-uri", "/catalog"),
            "with X-Original-URI: /catalog, without a token",
            401,
            "the proxy says which path was requested, and replaces the client's header",
        ),
        Check::new(
            Request::get("/catalog/..%2fme"),
            "without a token",
            400,
            "the server and the upstream could read this path in two ways",
        )
        .showing(body, "Bad Request"),
    ]
}

pub(crate) fn rotated(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            me(&users.id_token_of_next_key()),
            "with a token of the new key",
            200,
            "the request waits until the new keys have been fetched",
        )
        .showing(user, ADA),
        Check::new(
            me(&users.id_token()),
            "with a token of the old key",
            200,
            "the issuer still publishes this key",
        )
        .showing(user, ADA),
    ]
}

pub(crate) fn outage(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            me(&users.id_token_of_next_key()),
            "with a token of the new key",
            200,
            "the last good keys are used",
        )
        .showing(user, ADA),
    ]
}

pub(crate) fn without_keys(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            me(&users.id_token_of_next_key()),
            "with a token of the new key",
            503,
            "without keys nobody knows whether it is good, so the client is to try again",
        )
        .showing(retry, "retry-after: "),
        Check::new(
            Request::get("/catalog"),
            "without a token",
            200,
            "a public route needs no keys",
        )
        .showing(user, "nobody"),
    ]
}

pub(crate) fn recovered(users: &Users) -> Vec<Check> {
    vec![
        Check::new(
            me(&users.id_token_of_next_key()),
            "with a token of the new key",
            200,
            "the keys have been fetched without a restart",
        )
        .showing(user, ADA),
    ]
}

pub(crate) fn without_authorizer(users: &Users) -> Vec<Check> {
    let unavailable = |request, with, because| Check::new(request, with, 503, because);
    vec![
        unavailable(
            me(&users.id_token_of_next_key()),
            "with a token of the new key",
            "nobody has allowed it",
        ),
        unavailable(
            Request::get("/catalog"),
            "without a token",
            "nobody has said that the route is public",
        ),
    ]
}

fn retry(answer: &Response) -> String {
    let delay = answer.header("retry-after").unwrap_or_default();
    format!("{} retry-after: {delay}", answer.text())
}
