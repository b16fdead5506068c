"""Signs the user in and prints a token: `python3 /docker/sign_in.py [access|id]`."""

import json
import sys
import time
import urllib.error
import urllib.request

kind = {"access": "AccessToken", "id": "IdToken"}[(sys.argv[1:] or ["access"])[0]]
question = {
    "AuthFlow": "USER_PASSWORD_AUTH",
    "ClientId": "edge-authz-client",
    "AuthParameters": {"USERNAME": "ada", "PASSWORD": "Passw0rd!"},
}
request = urllib.request.Request(
    "http://127.0.0.1:5000/",
    json.dumps(question).encode(),
    {
        "Content-Type": "application/x-amz-json-1.1",
        "X-Amz-Target": "AWSCognitoIdentityProviderService.InitiateAuth",
    },
)
for seconds_left in reversed(range(60)):
    try:
        with urllib.request.urlopen(request) as answer:
            print(json.load(answer)["AuthenticationResult"][kind])
        break
    except urllib.error.HTTPError:
        raise
    except OSError:
        # The server is still starting.
        if not seconds_left:
            raise
        time.sleep(1)
