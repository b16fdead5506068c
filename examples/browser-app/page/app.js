import {asksFirst, whyUnreadable} from "./cors.js";
import {begin, finish} from "./oauth.js";

// The routes of edge-authz.yaml, each with a description.
const ROUTES = [
  {call: "GET /public", asks: "anyone", about: "Needs no token. A token or a cookie is forwarded to the API unchecked."},
  {call: "GET /me", asks: "a token", about: "Without a valid token: 401, and the page can read the reason in WWW-Authenticate."},
  {call: "GET /notes", asks: "notes:read", about: "The token needs this scope. A 403 names the missing scope."},
  {call: "POST /notes", asks: "notes:write", about: "JSON needs a preflight, because no form can send it.", body: {text: "a note"}},
  {call: "DELETE /notes/1", asks: "notes:write", about: "The method needs a preflight. The methods of the path's routes are allowed."},
  {call: "PUT /notes/1", asks: "no such route", about: "The path has no PUT: the preflight is refused and nothing is sent."},
  {call: "GET /fonts", asks: "anyone", about: "Allowed for every origin with *, which excludes cookies and Authorization."},
  {call: "GET /partner", asks: "anyone", about: "Allowed for pages of another origin. Without a token this page can send it, but cannot read the response."},
  {call: "GET /broken", asks: "anyone", about: "The API is down and Envoy itself answers. The page can read this too."},
  {call: "GET /nowhere", asks: "no such route", about: "The filter answers 404."},
];

const $ = (id) => document.getElementById(id);
const places = await (await fetch("places.json")).json();
let session = null;

$("page-origin").textContent = location.origin;
$("api-origin").textContent = places.api;
$("issuer-origin").textContent = places.issuer;
// Cookies ignore ports, so the API receives this one too.
document.cookie = "theme=dark; SameSite=Lax";

// --- sign-in ---

const failed = (error) => $("sign-in-error").textContent = `Not signed in: ${error.message}`;

$("sign-in-button").addEventListener("click", () => begin(places.issuer).catch(failed));

$("sign-out").addEventListener("click", () => {
  session = null;
  showSession();
});

function showSession() {
  $("sign-in").hidden = session !== null;
  $("signed-in").hidden = session === null;
  if (session === null) return;
  $("user").textContent = session.user;
  $("initial").textContent = session.user[0];
  $("scope").textContent = session.scope;
  showExpiry();
}

function showExpiry() {
  if (session === null) return;
  const left = Math.ceil((session.until - Date.now()) / 1000);
  const [minutes, seconds] = [Math.floor(left / 60), String(left % 60).padStart(2, "0")];
  $("expiry").textContent = left > 0 ? `${minutes}:${seconds} left` : "expired";
  $("expiry").classList.toggle("expired", left <= 0);
}
setInterval(showExpiry, 500);

// --- calls ---

function options(method, body) {
  const headers = {};
  if (body) headers["Content-Type"] = "application/json";
  if (session && $("send-token").checked) headers.Authorization = `Bearer ${token()}`;
  if ($("custom-header").checked) headers["X-Debug"] = "1";
  return {
    method,
    headers,
    credentials: $("credentials").checked ? "include" : "omit",
    body: body && JSON.stringify(body),
  };
}

function token() {
  if (!$("break-token").checked) return session.token;
  // Well-formed but invalid: two parts of the signature are swapped.
  const end = session.token.lastIndexOf(".") + 1;
  const [start, signature] = [session.token.slice(0, end), session.token.slice(end)];
  return start + signature.slice(4, 8) + signature.slice(0, 4) + signature.slice(8);
}

async function call(route, card) {
  const [method, path] = route.call.split(" ");
  const sent = options(method, route.body);
  const start = performance.now();
  let shown;
  try {
    const answer = await fetch(places.api + path, sent);
    shown = {
      kind: answer.ok ? "good" : "refused",
      status: answer.status,
      words: REASONS[answer.status] ?? "",
      headers: [...answer.headers],
      body: shorten(await answer.text()),
    };
  } catch (error) {
    shown = {
      kind: "unreadable",
      status: "unreadable",
      words: `${error.name}: the browser keeps it from the page`,
      headers: [],
      body: "",
      why: await whyUnreadable(path, sent),
    };
  }
  shown.words += shown.kind === "unreadable" ? "" : `, ${Math.round(performance.now() - start)} ms`;
  show(card, shown, asksFirst(sent));
}

const REASONS = {200: "OK", 400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 503: "Service Unavailable"};

// The API echoes the request; these are the relevant headers.
function shorten(text) {
  let account;
  try {
    account = JSON.parse(text);
  } catch {
    return text;
  }
  if (!Array.isArray(account.headers)) return text;
  const got = (name) => account.headers.filter(([key]) => key === name).map(([, value]) => value).join(", ");
  const names = ["x-user-id", "authorization", "cookie"];
  const lines = names.map((name) => `${name.padEnd(13)} ${got(name).replace(/(.{24}).+/, "$1…") || "–"}`);
  return [`What reached the API: ${account.method} ${account.path}`, ...lines].join("\n");
}

function show(card, shown, asked) {
  const part = (name) => card.querySelector(`.${name}`);
  part("result").hidden = false;
  card.dataset.kind = shown.kind;
  part("status").textContent = shown.status;
  part("words").textContent = shown.words;
  part("preflight").textContent = asked.length ? `needs a preflight: ${asked.join(", ")}` : "needs no preflight";
  part("headers").replaceChildren(...shown.headers.flatMap(([name, value]) => [element("dt", name), element("dd", value)]));
  part("body").textContent = shown.body;
  part("why").textContent = shown.why ?? "";
}

function element(name, text) {
  const made = document.createElement(name);
  made.textContent = text;
  return made;
}

const cards = ROUTES.map((route) => {
  const card = $("card").content.firstElementChild.cloneNode(true);
  const [method, path] = route.call.split(" ");
  card.id = route.call.toLowerCase().replace(/[^a-z0-9]+/g, "-");
  card.querySelector(".method").textContent = method;
  card.querySelector(".method").dataset.method = method;
  card.querySelector(".path").textContent = path;
  card.querySelector(".asks").textContent = route.asks;
  card.querySelector(".about").textContent = route.about;
  card.querySelector(".call").addEventListener("click", () => call(route, card));
  $("cards").append(card);
  return {route, card};
});

$("call-all").addEventListener("click", () => Promise.all(cards.map(({route, card}) => call(route, card))));
session = await finish(places.issuer).catch((error) => void failed(error)) ?? null;
showSession();
document.body.dataset.ready = "yes";
