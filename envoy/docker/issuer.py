"""A Cognito-compatible issuer for docker-compose.yaml: moto's server with one
user pool, one app client and one user.

Keys belong to the container: `docker compose restart issuer` keeps them,
`docker compose up -d --force-recreate issuer` creates new ones.
"""

import json
import pathlib
import secrets

from joserfc import jwt
from joserfc.jwk import RSAKey
from moto.cognitoidp import models, responses
from moto.server import main

REGION = "us-east-1"
# envoy.yaml contains these two.
POOL = f"{REGION}_EdgeAuthz"
CLIENT = "edge-authz-client"
USER, PASSWORD = "ada", "Passw0rd!"

KEY = pathlib.Path("/tmp/issuer-key.json")
# The account of requests that are not signed.
ACCOUNT = "123456789012"


def signing_key() -> RSAKey:
    """The key of this container. moto's own key is public."""
    if not KEY.exists():
        made = RSAKey.generate_key(2048, {"use": "sig", "alg": "RS256", "kid": secrets.token_hex(8)})
        KEY.write_text(json.dumps(made.as_dict(private=True)))
    return RSAKey.import_key(json.loads(KEY.read_text()))


class WithKid:
    """Signs with the `kid` of the key; moto always uses the same `kid`."""

    @staticmethod
    def encode(header: dict, claims: dict, key: RSAKey) -> str:
        return jwt.encode({**header, "kid": key.kid}, claims, key)


def user_pool(key: RSAKey) -> None:
    """Creates the pool with the names that envoy.yaml expects."""
    backend = models.cognitoidp_backends[ACCOUNT][REGION]
    made_up, models.generate_id = models.generate_id, lambda *_: POOL.removeprefix(f"{REGION}_")
    pool = backend.create_user_pool("edge-authz", {})
    models.generate_id = lambda *_: CLIENT
    flows = ["ALLOW_USER_PASSWORD_AUTH", "ALLOW_REFRESH_TOKEN_AUTH"]
    backend.create_user_pool_client(pool.id, False, {"ClientName": "web", "ExplicitAuthFlows": flows})
    models.generate_id = made_up
    pool.json_web_key = key
    backend.sign_up(CLIENT, USER, PASSWORD, [])
    backend.admin_confirm_sign_up(pool.id, USER)
    assert pool.id == POOL and CLIENT in pool.clients, "moto has changed: names are others"


if __name__ == "__main__":
    KEY_IN_USE = signing_key()
    models.jwt = WithKid
    published = json.dumps({"keys": [KEY_IN_USE.as_dict(private=False)]})
    responses.CognitoIdpJsonWebKeyResponse.json_web_key = published.encode()
    user_pool(KEY_IN_USE)
    print(f"user pool {POOL}, client {CLIENT}, user {USER}, key {KEY_IN_USE.kid}", flush=True)
    main(["--host", "0.0.0.0", "--port", "5000"])
