// Says which rule of CORS kept an answer from the page. A page cannot learn this from
// `fetch`, so its own server asks the API again, as a program that CORS does not bind, and
// this script compares the headers as browsers do (https://fetch.spec.whatwg.org/).

// According to the standard, these parts of a request need a preflight.
export function asksFirst({method, headers}) {
  const methods = ["GET", "HEAD", "POST"].includes(method) ? [] : [method];
  return [...methods, ...Object.keys(headers)];
}

const list = (value) => (value ?? "").split(",").map((part) => part.trim()).filter(Boolean);
const listed = (values) => values.length ? values.join(", ") : "nothing";

// What the "CORS check" (4.9) finds wrong with the headers of an answer.
function wrongOrigin({headers}, cookies) {
  const origin = headers["access-control-allow-origin"];
  const found = origin === undefined ? "the answer names no origin" : `the answer allows ${origin}`;
  if (origin !== location.origin && (origin !== "*" || cookies)) {
    return origin === "*"
      ? "allow_origins: the answer allows *, which does not count for a request with cookies"
      : `allow_origins: ${found}, and this page has ${location.origin}`;
  }
  if (cookies && headers["access-control-allow-credentials"] !== "true") {
    return "allow_credentials: the request has cookies, and the answer does not allow them";
  }
  return null;
}

// What the "CORS-preflight fetch" (4.8) finds wrong.
function wrongPreflight({status, headers}, {method, headers: sent}, cookies) {
  const origin = wrongOrigin({headers}, cookies);
  if (origin) return origin;
  if (status < 200 || status > 299) return `cors: the preflight was answered with ${status}`;
  const methods = list(headers["access-control-allow-methods"]);
  const free = ["GET", "HEAD", "POST"].includes(method);
  if (!free && !methods.includes(method)) {
    return `allow_methods: the preflight allows ${listed(methods)}, and the request is a ${method}`;
  }
  const allowed = list(headers["access-control-allow-headers"]);
  const lower = allowed.map((name) => name.toLowerCase());
  const missing = Object.keys(sent).filter((name) => !lower.includes(name.toLowerCase()));
  if (missing.length) {
    return `allow_headers: the preflight allows ${listed(allowed)}, and the request has ${missing.join(", ")}`;
  }
  return null;
}

// The rule, as the member of the policy and a sentence.
export async function whyUnreadable(path, sent) {
  const asked = asksFirst(sent);
  const cookies = sent.credentials === "include";
  const question = new URLSearchParams({path, method: sent.method, preflight: asked.length > 0, headers: Object.keys(sent.headers)});
  const response = await fetch(`seen?${question}`);
  if (!response.ok) return "the API does not answer at all";
  const seen = await response.json();
  const wrong = asked.length ? wrongPreflight(seen, sent, cookies) : wrongOrigin(seen, cookies);
  return wrong ?? "no rule of CORS: the connection failed";
}
