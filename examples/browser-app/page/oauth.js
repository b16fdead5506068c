// Signs a user in with OAuth's authorization code flow and PKCE (RFC 6749, RFC 7636), for a
// page that has no secret.

const CLIENT = "notes-page";
const SCOPE = "notes:read notes:write";
const STARTED = "sign-in";

const redirect = () => `${location.origin}/`;

function encoded(bytes) {
  const text = btoa(String.fromCharCode(...new Uint8Array(bytes)));
  return text.replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const random = () => encoded(crypto.getRandomValues(new Uint8Array(32)));

async function metadata(issuer) {
  const answer = await fetch(`${issuer}/.well-known/openid-configuration`);
  const found = await answer.json();
  if (found.issuer !== issuer) throw new Error("the metadata are of another issuer");
  return found;
}

// Leaves the page for the issuer's.
export async function begin(issuer) {
  const {authorization_endpoint} = await metadata(issuer);
  const started = {issuer, state: random(), verifier: random()};
  // The page is left now: only this tab remembers the verifier, until it returns.
  sessionStorage.setItem(STARTED, JSON.stringify(started));
  const challenge = await crypto.subtle.digest("SHA-256", new TextEncoder().encode(started.verifier));
  const query = new URLSearchParams({
    response_type: "code",
    client_id: CLIENT,
    redirect_uri: redirect(),
    scope: SCOPE,
    state: started.state,
    code_challenge: encoded(challenge),
    code_challenge_method: "S256",
  });
  location.assign(`${authorization_endpoint}?${query}`);
}

// Gets the token if the issuer has sent the user back, and `null` otherwise.
export async function finish(issuer) {
  const answer = new URLSearchParams(location.search);
  if (!answer.has("state")) return null;
  const started = JSON.parse(sessionStorage.getItem(STARTED) ?? "null");
  sessionStorage.removeItem(STARTED);
  // The code leaves the address, and so the history and what the user may copy.
  history.replaceState(null, "", location.pathname);
  // An answer that this tab did not ask for could sign the user in as somebody else.
  if (started?.state !== answer.get("state")) throw new Error("this page did not ask for it");
  // Another issuer than the one that was asked (RFC 9207).
  if (started.issuer !== issuer || answer.get("iss") !== issuer) throw new Error("another issuer answered");
  if (answer.has("error")) throw new Error(answer.get("error"));
  const {token_endpoint} = await metadata(issuer);
  // The content type of a form needs no preflight.
  const response = await fetch(token_endpoint, {
    method: "POST",
    body: new URLSearchParams({
      grant_type: "authorization_code",
      code: answer.get("code"),
      redirect_uri: redirect(),
      client_id: CLIENT,
      code_verifier: started.verifier,
    }),
  });
  const result = await response.json();
  if (!response.ok) throw new Error(result.error);
  return {
    token: result.access_token,
    user: subject(result.access_token),
    scope: result.scope,
    until: Date.now() + result.expires_in * 1000,
  };
}

// The user's name, to show it. Only the API verifies the token.
function subject(token) {
  const [, claims] = token.split(".");
  return JSON.parse(atob(claims.replaceAll("-", "+").replaceAll("_", "/"))).sub;
}
