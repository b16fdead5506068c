"""Uses the DPoP client of requests_oauth2client.

`client.py` prints a new private key as a JWK, and its thumbprint. `client.py PROXY URL KEY TOKEN`
sends requests; each line of the output is the status of an answer and its challenges.
"""

import json
import sys

import requests
from requests_oauth2client import DPoPKey, DPoPToken


def show(answer):
    print(answer.status_code, answer.headers.get("WWW-Authenticate", "-"))


if len(sys.argv) == 1:
    new = DPoPKey.generate(alg="ES256")
    print(json.dumps({"key": new.private_key.to_json(), "jkt": new.dpop_jkt}))
    sys.exit()

proxy, url, key, token = sys.argv[1:]
key = DPoPKey(json.loads(key), alg="ES256")
bound = DPoPToken(access_token=token, _dpop_key=key)
session = requests.Session()
session.trust_env = False
session.proxies = {"http": proxy}

# Two requests on one connection, each with its own proof; the query is not in a proof.
show(session.get(url + "/pets?limit=1", auth=bound))
show(session.get(url + "/pets?limit=1", auth=bound))
show(session.post(url + "/pets/7", auth=bound, json={"name": "Rex"}))
show(session.get(url + "/a%20b/~c", auth=bound))

# The same proof again.
signed = session.prepare_request(requests.Request("GET", url + "/pets", auth=bound))
show(session.send(signed, proxies=session.proxies))
show(session.send(signed, proxies=session.proxies))

# A thief who has the token, and one who has another key too.
show(session.get(url + "/pets", headers={"Authorization": "Bearer " + token}))
thief = DPoPToken(access_token=token, _dpop_key=DPoPKey.generate())
show(session.get(url + "/pets", auth=thief))
