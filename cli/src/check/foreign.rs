//! Names of settings in other products, and our names for them.

/// Names and what to write instead. The second is a member or a short explanation.
const NAMES: [(&str, &str); 40] = [
    ("authorizationScopes", "`scopes`"),
    (
        "authorizationType",
        "`access`: `public`, `required` or `denied`",
    ),
    (
        "authorizationTypes",
        "`access`: `public`, `required` or `denied`",
    ),
    (
        "authorizer",
        "`providers`, with names of the top-level `providers`",
    ),
    (
        "authorizerId",
        "`providers`, with names of the top-level `providers`",
    ),
    ("authorizers", "`providers`"),
    (
        "defaultAuthorizer",
        "`access: public` on the public routes; the others need a token",
    ),
    (
        "auth",
        "`providers` at the top level, and `access` and `scopes` on routes",
    ),
    ("audience", "`audiences: […]`"),
    ("aud", "`audiences: […]`"),
    ("clientId", "`audiences: […]`"),
    ("appClientIds", "`audiences: […]`"),
    ("issuerUrl", "`issuer`"),
    ("iss", "`issuer`"),
    ("jwtConfiguration", "`issuer` and `audiences` of a provider"),
    ("jwksUri", "`jwks: {cluster: …, uri: …}`"),
    ("remoteJwks", "`jwks: {cluster: …, uri: …}`"),
    ("localJwks", "`jwks: {inline: …}`"),
    (
        "userPoolId",
        "`issuer: https://cognito-idp.REGION.amazonaws.com/POOL`",
    ),
    (
        "userPoolArn",
        "`issuer: https://cognito-idp.REGION.amazonaws.com/POOL`",
    ),
    ("identitySource", "the top-level `token_from`"),
    ("identitySources", "the top-level `token_from`"),
    ("routeKey", "`match`"),
    ("path", "`match: GET /path`"),
    ("paths", "`match: [GET /a, GET /b]`"),
    ("method", "`match: GET /path`"),
    ("methods", "`match`, with a pattern for each method"),
    ("httpMethod", "`match: GET /path`"),
    ("requestPrincipals", "`claims: {sub: …}`"),
    ("corsConfiguration", "`cors`"),
    ("corsPreflight", "`cors`"),
    ("allowOrigin", "`allow_origins: […]`"),
    ("allowOrigins", "`allow_origins`"),
    ("allowMethods", "`allow_methods`"),
    ("allowHeaders", "`allow_headers`"),
    ("exposeHeaders", "`expose_headers`"),
    ("allowCredentials", "`allow_credentials`"),
    ("maxAge", "`max_age`"),
    ("claimToHeaders", "`upstream: {claims: {HEADER: CLAIM}}`"),
    ("forwardOriginalToken", "`upstream: {token: keep}`"),
];

/// What to write instead of a name of another product, in any of its usual spellings.
pub(super) fn instead(name: &str) -> Option<&'static str> {
    let plain = |text: &str| {
        let letters = text.chars().filter(|letter| !['_', '-'].contains(letter));
        letters.collect::<String>().to_ascii_lowercase()
    };
    let wanted = plain(name);
    let found = NAMES.iter().find(|(known, _)| plain(known) == wanted);
    found.map(|(_, instead)| *instead)
}
