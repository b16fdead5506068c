"""Uses the DPoP client of requests_oauth2client where the server asks for nonces.

`nonces.py PROXY URL KEY TOKEN WAIT` sends requests, and waits WAIT seconds before the last two.
Each line of the output is the status of an answer, the number of requests that it took, and
whether the client has another nonce than before.
"""

import json
import sys
import time

import requests
from requests_oauth2client import DPoPKey, DPoPToken

proxy, url, key, token, wait = sys.argv[1:]
key = DPoPKey(json.loads(key), alg="ES256")
bound = DPoPToken(access_token=token, _dpop_key=key)
session = requests.Session()
session.trust_env = False
session.proxies = {"http": proxy}
sent = 0


class Counting(requests.adapters.HTTPAdapter):
    def send(self, *args, **kwargs):
        global sent
        sent += 1
        return super().send(*args, **kwargs)


session.mount("http://", Counting())


def show(method, path, **more):
    global sent
    sent = 0
    before = key.rs_nonce
    answer = session.request(method, url + path, auth=bound, **more)
    print(answer.status_code, sent, key.rs_nonce != before)


# The first request is answered with a nonce, which the client then uses.
show("GET", "/pets?limit=1")
show("GET", "/pets")
show("POST", "/pets/7", json={"name": "Rex"})
time.sleep(float(wait))
# The nonce is too old, and the client is asked once more.
show("POST", "/pets/7", json={"name": "Rex"})
show("GET", "/pets")
