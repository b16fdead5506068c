"""Judges tokens with PyJWT or joserfc: prints 1 for an accepted token and 0 for a refused one.

    judge.py LIBRARY ISSUER AUDIENCE ALGORITHMS FOLDER

The folder has the key sets, one a line, and the tokens, each with the number of its set.
"""

import json
import sys
from pathlib import Path

library, issuer, audience, algorithms, folder = sys.argv[1:]
algorithms = algorithms.split(",")


def kid_of(token):
    """The `kid` of a token, with the library's own reader."""
    if library == "pyjwt":
        return jwt.get_unverified_header(token).get("kid")
    return jws.extract_compact(token.encode()).headers().get("kid")


if library == "pyjwt":
    import jwt

    def read(text):
        return jwt.PyJWKSet.from_json(text)

    def accept(keys, token):
        kid = kid_of(token)
        if kid is not None:
            chosen = keys[kid]
        elif len(keys.keys) == 1:
            chosen = keys.keys[0]
        else:
            raise ValueError("no key to choose")
        # The library's client does so too.
        if chosen.public_key_use not in ("sig", None):
            raise ValueError("a key for another use")
        # Without an `alg`, the key serves every algorithm of its kind.
        key = chosen if "alg" in chosen._jwk_data else chosen.key
        jwt.decode(
            token,
            key,
            algorithms=algorithms,
            audience=audience,
            issuer=issuer,
            leeway=60,
            options={"require": ["exp", "iss", "aud"]},
        )

else:
    import warnings

    from joserfc import jws, jwt
    from joserfc.jwk import KeySet

    warnings.simplefilter("ignore")
    claims = jwt.JWTClaimsRegistry(
        leeway=60,
        iss={"essential": True, "value": issuer},
        aud={"essential": True, "value": audience},
        exp={"essential": True},
    )

    def read(text):
        return KeySet.import_key_set(json.loads(text))

    def accept(keys, token):
        # It would choose one of several keys at random.
        if kid_of(token) is None and len(keys.keys) != 1:
            raise ValueError("no key to choose")
        decoded = jwt.decode(token, keys, algorithms=algorithms)
        claims.validate(decoded.claims)


def read_or_none(text):
    try:
        return read(text)
    except Exception:
        return None


sets = [read_or_none(line) for line in Path(folder, "sets").read_text().splitlines()]
verdicts = []
with Path(folder, "tokens").open() as lines:
    for line in lines:
        number, token = json.loads(line)
        try:
            accept(sets[number], token)
            verdicts.append("1")
        except Exception:
            verdicts.append("0")
print("".join(verdicts))
