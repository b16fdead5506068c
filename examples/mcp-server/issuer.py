"""A local authorization server: the routes of the package `mcp`, whose tokens are JWTs
here. It asks nobody for consent, so use it for examples only.

    python issuer.py PORT ISSUER
"""

import json
import secrets
import sys
import time

import jwt
import uvicorn
from cryptography.hazmat.primitives.asymmetric import ec
from mcp.server.auth.provider import AuthorizationCode, construct_redirect_uri
from mcp.server.auth.routes import create_auth_routes
from mcp.server.auth.settings import ClientRegistrationOptions
from mcp.shared.auth import OAuthToken
from pydantic import AnyHttpUrl, ConfigDict, TypeAdapter
from starlette.applications import Starlette
from starlette.responses import JSONResponse
from starlette.routing import Route

SCOPES = ["files:read", "files:delete"]

# Without this, the issuer would get a slash at the end, and clients compare it exactly.
URL = TypeAdapter(AnyHttpUrl, config=ConfigDict(url_preserve_empty_path=True))


class Issuer:
    """What the package leaves to an authorization server: it keeps clients and codes, and
    makes tokens."""

    def __init__(self, name):
        self.name = name
        self.key = ec.generate_private_key(ec.SECP256R1())
        self.clients = {}
        self.codes = {}

    async def get_client(self, client_id):
        return self.clients.get(client_id)

    async def register_client(self, client):
        # A client may ask for more scopes later than it registers with.
        client.scope = " ".join(SCOPES)
        self.clients[client.client_id] = client

    async def authorize(self, client, params):
        code = AuthorizationCode(
            code=secrets.token_urlsafe(32),
            scopes=params.scopes or [],
            expires_at=time.time() + 60,
            client_id=client.client_id,
            code_challenge=params.code_challenge,
            redirect_uri=params.redirect_uri,
            redirect_uri_provided_explicitly=params.redirect_uri_provided_explicitly,
            resource=params.resource,
            subject="alice",
        )
        self.codes[code.code] = code
        return construct_redirect_uri(str(params.redirect_uri), code=code.code, state=params.state)

    async def load_authorization_code(self, client, code):
        return self.codes.get(code)

    async def exchange_authorization_code(self, client, code):
        del self.codes[code.code]
        now = int(time.time())
        claims = {
            "iss": self.name,
            # RFC 8707: the token is for the resource that the client asked for, and no other.
            "aud": code.resource,
            "sub": code.subject,
            "client_id": client.client_id,
            "scope": " ".join(code.scopes),
            "iat": now,
            "exp": now + 600,
        }
        token = jwt.encode(claims, self.key, "ES256", headers={"kid": "main", "typ": "at+jwt"})
        return OAuthToken(access_token=token, expires_in=600, scope=claims["scope"])

    async def load_refresh_token(self, client, token):
        return None

    async def load_access_token(self, token):
        return None

    def jwks(self, _request):
        public = json.loads(jwt.algorithms.ECAlgorithm.to_jwk(self.key.public_key()))
        return JSONResponse({"keys": [{**public, "kid": "main", "alg": "ES256", "use": "sig"}]})


def app(name):
    issuer = Issuer(name)
    registration = ClientRegistrationOptions(enabled=True, valid_scopes=SCOPES)
    routes = create_auth_routes(
        issuer, URL.validate_python(name), client_registration_options=registration
    )
    return Starlette(routes=[*routes, Route("/jwks.json", issuer.jwks)])


if __name__ == "__main__":
    uvicorn.run(app(sys.argv[2]), host="127.0.0.1", port=int(sys.argv[1]), log_level="warning")
