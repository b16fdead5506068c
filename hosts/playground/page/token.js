// Tokens of keys that the page makes up. WebCrypto makes the keys and signs: it has every
// algorithm, it is another implementation than the one that checks, and a private key never
// leaves it.

const rsa = (name, size, more) => ({
  make: {name, hash: `SHA-${size}`, modulusLength: 2048, publicExponent: new Uint8Array([1, 0, 1])},
  sign: {name, ...more},
});
const ec = (namedCurve, size) => ({
  make: {name: "ECDSA", namedCurve},
  sign: {name: "ECDSA", hash: `SHA-${size}`},
});
const ALGORITHMS = {
  RS256: rsa("RSASSA-PKCS1-v1_5", 256),
  RS384: rsa("RSASSA-PKCS1-v1_5", 384),
  RS512: rsa("RSASSA-PKCS1-v1_5", 512),
  PS256: rsa("RSA-PSS", 256, {saltLength: 32}),
  PS384: rsa("RSA-PSS", 384, {saltLength: 48}),
  PS512: rsa("RSA-PSS", 512, {saltLength: 64}),
  ES256: ec("P-256", 256),
  ES384: ec("P-384", 384),
  ES512: ec("P-521", 512),
  EdDSA: {make: {name: "Ed25519"}, sign: {name: "Ed25519"}},
};

// The algorithms for which the page makes keys, of those that a provider accepts. The first
// is the fastest.
export function usable(accepted) {
  const known = accepted.filter((name) => name in ALGORITHMS);
  return known.sort((one, other) => (other === "ES256") - (one === "ES256"));
}

const keys = new Map();

function key(algorithm) {
  if (!keys.has(algorithm)) {
    const made = crypto.subtle.generateKey(ALGORITHMS[algorithm].make, false, ["sign", "verify"]);
    keys.set(algorithm, made);
    made.catch(() => keys.delete(algorithm));
  }
  return keys.get(algorithm);
}

// Signs claims, which are JSON text with times such as "now+1h". Returns the token and the
// key set with which its issuer would publish the key. `now` is in seconds since 1970.
export async function signed({algorithm, typ, claims}, now) {
  if (!globalThis.crypto?.subtle) {
    throw new Error("the browser signs only on pages from https:// or from this machine; paste a token");
  }
  if (!(algorithm in ALGORITHMS)) throw new Error("the provider accepts no algorithm for which the page makes keys");
  const payload = dated(parsed(claims), now);
  const header = {alg: algorithm, kid: "made-up"};
  if (typ) header.typ = typ;
  const text = `${base64url(utf8(JSON.stringify(header)))}.${base64url(utf8(JSON.stringify(payload)))}`;
  let pair;
  try {
    pair = await key(algorithm);
  } catch {
    throw new Error(`this browser makes no key for ${algorithm}; choose another algorithm`);
  }
  const signature = await crypto.subtle.sign(ALGORITHMS[algorithm].sign, pair.privateKey, utf8(text));
  const jwk = await crypto.subtle.exportKey("jwk", pair.publicKey);
  const {kty, crv, x, y, n, e} = jwk;
  const published = {kty, crv, x, y, n, e, kid: "made-up", alg: algorithm, use: "sig"};
  return {
    token: `${text}.${base64url(new Uint8Array(signature))}`,
    keySet: JSON.stringify({keys: [published]}),
  };
}

function parsed(claims) {
  let value;
  try {
    value = JSON.parse(claims);
  } catch (error) {
    throw new Error(`the claims are not JSON: ${error.message}`);
  }
  if (value === null || typeof value !== "object" || Array.isArray(value)) {
    throw new Error("the claims are not a JSON object");
  }
  return value;
}

const UNITS = {s: 1, m: 60, h: 3600, d: 86_400};

// Times as case files write them, in seconds.
function dated(value, now) {
  const date = (text) => {
    const found = /^now(?:([+-]\d+)([smhd]))?$/.exec(text);
    return found ? now + Number(found[1] ?? 0) * (UNITS[found[2]] ?? 0) : text;
  };
  const entries = Object.entries(value);
  return Object.fromEntries(entries.map(([name, one]) => [name, typeof one === "string" ? date(one) : one]));
}

const utf8 = (text) => new TextEncoder().encode(text);

function base64url(bytes) {
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}
