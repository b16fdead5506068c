// The page: reads its fields, asks the core, and shows what it says.

import {Completion} from "./completion.js";
import {Core} from "./core.js";
import {showDecision, showNone} from "./decision.js";
import {Editor} from "./editor.js";
import {fragment, hasSecrets, read, withoutSecrets} from "./link.js";
import {signed, usable} from "./token.js";

const element = (id) => document.getElementById(id);
const FIELDS = {
  host: "host", method: "method", target: "target", headers: "headers", provider: "provider",
  algorithm: "algorithm", typ: "typ", claims: "claims", pasted: "pasted", keySet: "key-set", now: "now",
};

let core;
let examples = [];
let checked;
// What a link or an example chose, until the document has these choices.
let wanted = {};
// The request of the example, while nobody has changed anything.
let expected;

const editor = new Editor(element("editor"), () => changed());

// --- the state ---

const kind = () => document.querySelector("[name=kind]:checked")?.value ?? "none";

function state() {
  const fields = Object.entries(FIELDS).map(([name, id]) => [name, element(id).value]);
  return {text: editor.text, kind: kind(), ...Object.fromEntries(fields)};
}

function restore(values) {
  editor.text = values.text ?? "";
  for (const [name, id] of Object.entries(FIELDS)) element(id).value = values[name] ?? "";
  element("host").value = values.host === "server" ? "server" : "envoy";
  wanted = {provider: values.provider, algorithm: values.algorithm};
  const radio = document.querySelector(`[name=kind][value="${CSS.escape(values.kind ?? "none")}"]`);
  (radio ?? document.querySelector("[name=kind]")).checked = true;
}

// --- checking and deciding ---

let timer;
function changed() {
  expected = undefined;
  clearTimeout(timer);
  timer = setTimeout(update, 150);
}

let turn = 0;
async function update() {
  turn += 1;
  const mine = turn;
  const isLatest = () => mine === turn;
  element("secrets-label").hidden = !hasSecrets(state());
  try {
    const found = await core.call("check", {document: theDocument()});
    if (!found || !isLatest()) return;
    checked = found;
    showFindings(found);
    offerProviders(found.providers ?? []);
    if (found.providers === null) {
      showNone("The document has errors: without them, the decision is here.");
      return;
    }
    const request = await asked();
    if (!isLatest()) return;
    const decision = await core.call("decide", request.call);
    if (!decision || !isLatest()) return;
    decision.upstream &&= {...decision.upstream, arrived: request.arrived};
    showDecision(decision, request.call.request.method);
    showExpected(decision);
  } catch (error) {
    if (isLatest()) showNone(`${error.message.replace(/^./, (first) => first.toUpperCase())}.`);
  } finally {
    if (isLatest()) document.body.dataset.turn = String(mine);
  }
}

const theDocument = () => ({text: editor.text, host: element("host").value});

// The call for the decision: the request with its token, the keys, the time.
async function asked() {
  const {method, target, headers, provider, algorithm, typ, claims, pasted, keySet, now: date} = state();
  const time = date.trim() ? Date.parse(`${date.trim().replace(/Z$/, "")}Z`) : Date.now();
  if (Number.isNaN(time)) throw new Error("the time is not written as 2026-01-31T12:00:00Z");
  const now = Math.floor(time / 1000);
  let token = "";
  const keys = {};
  if (kind() === "claims" && provider) {
    const made = await signed({algorithm, typ, claims}, now);
    token = made.token;
    if (theProvider()?.fetched) {
      keys[provider] = made.keySet;
    } else {
      throw new Error("the keys of this provider are in the document, so the page cannot sign for it; paste a token");
    }
  } else if (kind() === "pasted") {
    token = pasted.trim().replace(/^Bearer\s+/i, "");
    if (keySet.trim() && provider) keys[provider] = keySet;
  }
  const lines = headers.split("\n").filter((line) => line.trim() && (token || !line.includes("{token}")));
  const filled = lines.map((line) => line.replaceAll("{token}", token));
  const request = {method: method.trim(), target: target.trim().replaceAll("{token}", token), headers: filled};
  const arrived = filled.map((line) => {
    const [name] = line.split(":", 1);
    return [name.trim().toLowerCase(), line.slice(name.length + 1).trim()];
  });
  return {call: {document: theDocument(), request, keys, revoked: {}, now}, arrived};
}

function showExpected({answer, reason}) {
  if (!expected) {
    element("expected").textContent = "";
    return;
  }
  const found = answer ? answer.status === expected.status : expected.status < 400;
  const isMet = found && reason === expected.reason;
  const wish = `${expected.status} ${expected.reason}`;
  element("expected").textContent = isMet
    ? `This is what the example's case file expects: ${wish}.`
    : `The example's case file expects something else: ${wish}.`;
}

// --- findings ---

function showFindings({findings, errors, warnings}) {
  editor.show(findings.filter(({line}) => line));
  const count = (number, word) => `${number} ${word}${number === 1 ? "" : "s"}`;
  const parts = [errors && count(errors, "error"), warnings && count(warnings, "warning")].filter(Boolean);
  const summary = parts.length > 0 ? parts.join(" and ") : "No errors and no warnings";
  if (element("summary").textContent !== summary) element("summary").textContent = summary;
  element("findings").replaceChildren(...findings.slice(0, 200).map(findingItem));
}

function findingItem(finding) {
  const {severity, line, path, message, help, code} = finding;
  const item = document.createElement("li");
  item.className = severity;
  const button = document.createElement("button");
  button.type = "button";
  const head = document.createElement("b");
  head.textContent = `${severity} ${code}${line ? `, line ${line}` : ""}`;
  button.append(head, path ? `${path}: ${message}` : message);
  if (help) {
    const advice = document.createElement("span");
    advice.className = "help";
    advice.textContent = help;
    button.append(advice);
  }
  button.addEventListener("click", () => editor.go(finding));
  item.append(button);
  return item;
}

// --- the token ---

const theProvider = () => checked?.providers?.find(({name}) => name === element("provider").value);

function offer(select, values, value) {
  const present = [...select.options].map((option) => option.value);
  if (present.join("\n") !== values.join("\n")) {
    select.replaceChildren(...values.map((one) => new Option(one, one)));
  }
  select.value = values.includes(value) ? value : values[0] ?? "";
}

function offerProviders(providers) {
  const select = element("provider");
  offer(select, providers.map(({name}) => name), wanted.provider ?? select.value);
  const algorithms = usable(theProvider()?.algorithms ?? []);
  offer(element("algorithm"), algorithms, wanted.algorithm ?? element("algorithm").value);
  if (providers.length > 0) wanted = {};
  showKind();
}

function showKind() {
  const hide = (selector, isHidden) => {
    for (const one of document.querySelectorAll(selector)) one.hidden = isHidden;
  };
  hide(".of-claims", kind() !== "claims");
  hide(".of-pasted", kind() !== "pasted");
  hide("#for-provider", kind() === "none");
}

// Claims that the provider accepts.
function usualClaims(provider) {
  const claims = {iss: provider?.issuer, aud: provider?.audience ?? undefined, sub: "alice", iat: "now", exp: "now+1h"};
  if (provider?.token_use) claims.token_use = provider.token_use;
  return JSON.stringify(claims, null, 2);
}

// --- examples ---

function offerExamples() {
  element("example").replaceChildren(...examples.map(({name}) => new Option(name, name)));
  element("example").append(new Option("your own document", ""));
}

function choose(name, number = 0) {
  const example = examples.find((one) => one.name === name);
  if (!example) return false;
  element("example").value = name;
  const options = example.cases.map((one, index) =>
    new Option(`${one.name}: ${one.expect.status} ${one.expect.reason}`, String(index)));
  element("case").replaceChildren(...options);
  const {method, target, headers, token, expect} = example.cases[number] ?? example.cases[0];
  element("case").value = String(example.cases[number] ? number : 0);
  restore({
    text: example.document,
    method, target,
    headers: headers.join("\n"),
    kind: token ? "claims" : "none",
    provider: token?.provider,
    typ: token?.typ ?? "",
    claims: token ? JSON.stringify(token.claims, null, 2) : "",
  });
  clearTimeout(timer);
  expected = expect;
  update();
  return true;
}

// A document of one's own has no requests of an example.
function leaveExample() {
  element("example").value = "";
  element("case").replaceChildren(new Option("none", ""));
}

// --- links ---

async function openLink() {
  const chosen = /^#example=([\w-]+)(?:\/(\d+))?$/.exec(location.hash);
  if (chosen && choose(chosen[1], Number(chosen[2] ?? 0))) return;
  try {
    const found = await read(location.hash);
    if (found) {
      leaveExample();
      restore(found);
      changed();
      return;
    }
  } catch (error) {
    element("shared").textContent = `The link cannot be read: ${error.message.replace(/\.$/, "")}.`;
  }
  if (!checked) choose(examples[0].name);
}

async function share() {
  const mine = state();
  const hash = await fragment(element("secrets").checked ? mine : withoutSecrets(mine));
  history.replaceState(null, "", hash);
  try {
    await navigator.clipboard.writeText(location.href);
    element("shared").textContent = "The link is copied.";
  } catch {
    element("shared").textContent = "The link is in the address bar.";
  }
}

// --- start ---

for (const id of Object.values(FIELDS)) element(id).addEventListener("input", changed);
for (const radio of document.querySelectorAll("[name=kind]")) {
  radio.addEventListener("change", () => {
    const isClaims = kind() === "claims";
    if (isClaims && !element("claims").value.trim()) element("claims").value = usualClaims(theProvider());
    if (isClaims && !element("typ").value) element("typ").value = theProvider()?.type ?? "";
    if (kind() !== "none" && !`${element("headers").value}${element("target").value}`.includes("{token}")) {
      element("headers").value = `authorization: Bearer {token}\n${element("headers").value}`.trimEnd();
    }
    showKind();
    changed();
  });
}
element("example").addEventListener("change", ({target}) => {
  if (!choose(target.value)) leaveExample();
});
element("case").addEventListener("change", ({target}) => choose(element("example").value, Number(target.value)));
element("share").addEventListener("click", share);
window.addEventListener("hashchange", openLink);

try {
  const loaded = await Promise.all([Core.start(), fetch("examples.json").then((answer) => answer.json())]);
  [core, examples] = loaded;
  new Completion(editor, element("completions"), element("chosen"), (before) => core.call("complete", {before}));
  element("start").hidden = true;
  offerExamples();
  await openLink();
  document.body.dataset.ready = "true";
} catch (error) {
  element("start").textContent = `The core cannot be loaded: ${error.message}.`;
}
