// A link holds the state in its fragment, which browsers send to no server.

// The longest state that a link may hold, in bytes: a small link could unpack to any size.
const MOST = 1 << 20;

// What stands for a part that the link leaves out.
const LEFT_OUT = "(left out of the link)";

const TOKEN = /eyJ[\w-]+\.[\w-]+\.[\w-]*/g;
const SECRET_FIELDS = new Set(["authorization", "proxy-authorization", "cookie", "dpop"]);

// The state without what somebody may have pasted: the token, and all that looks like one.
export function withoutSecrets(state) {
  const plain = (text) => text.replaceAll(TOKEN, LEFT_OUT);
  const headers = state.headers.split("\n").map((line) => {
    const [name] = line.split(":", 1);
    const isSecret = SECRET_FIELDS.has(name.trim().toLowerCase()) && !line.includes("{token}");
    return isSecret ? `${name}: ${LEFT_OUT}` : plain(line);
  });
  return {
    ...state,
    text: plain(state.text),
    target: plain(state.target),
    headers: headers.join("\n"),
    claims: plain(state.claims),
    pasted: state.pasted && LEFT_OUT,
  };
}

// Whether the link would leave something out.
export function hasSecrets(state) {
  const clean = withoutSecrets(state);
  return Object.keys(state).some((name) => state[name] !== clean[name]);
}

export async function fragment(state) {
  const packed = new Blob([JSON.stringify(state)]).stream().pipeThrough(new CompressionStream("deflate-raw"));
  const bytes = new Uint8Array(await new Response(packed).arrayBuffer());
  const binary = Array.from(bytes, (byte) => String.fromCharCode(byte)).join("");
  return `#state=${btoa(binary).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "")}`;
}

// The state of a fragment; `undefined` if it holds none.
export async function read(hash) {
  const text = /^#state=([\w-]+)$/.exec(hash)?.[1];
  if (!text) return undefined;
  const binary = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  const bytes = Uint8Array.from(binary, (character) => character.charCodeAt(0));
  const unpacked = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate-raw"));
  const decoder = new TextDecoder();
  let json = "";
  let length = 0;
  for (const reader = unpacked.getReader(); ;) {
    const {done, value} = await reader.read();
    if (done) break;
    length += value.length;
    if (length > MOST) throw new Error("the link holds too much");
    json += decoder.decode(value, {stream: true});
  }
  const state = JSON.parse(json);
  const isState = state !== null && typeof state === "object"
    && Object.values(state).every((value) => typeof value === "string");
  if (!isState) throw new Error("the link is damaged");
  return state;
}
