// Shows a decision: the verdict, the answer or the request of the upstream, and the steps.

const HOW = {passed: "passed", decided: "decided here", skipped: "does not apply"};

const element = (id) => document.getElementById(id);

function made(name, text, kind) {
  const one = document.createElement(name);
  one.textContent = text;
  if (kind) one.className = kind;
  return one;
}

// A sentence in which names stand between backticks.
function withNames(name, text) {
  const one = made(name, "");
  one.append(...text.split("`").map((part, number) => (number % 2 === 1 ? made("code", part) : part)));
  return one;
}

// Shows that there is no decision, and why.
export function showNone(why) {
  show("", why);
  element("expected").textContent = "";
  element("outcome").replaceChildren();
  element("trace").replaceChildren();
  element("trace-title").hidden = true;
}

export function showDecision(decision, method) {
  const {verdict, sentence, reason, reported, answer, upstream, notes, steps} = decision;
  const isGood = answer && answer.status < 400 && verdict === "reply";
  show(isGood ? "answered" : verdict, `${method} ${sentence} (${reported ?? reason})`);
  const parts = notes.map((note) => made("p", note, "hint"));
  if (answer) {
    parts.push(made("h3", verdict === "wait" ? "Answer if they do not arrive" : "Answer"), answerBox(answer));
  }
  if (upstream) {
    parts.push(made("h3", "Request of the upstream"), upstreamBox(upstream, method));
    if (upstream.response.length > 0) {
      parts.push(made("h3", "Added to the response"), made("pre", lines(upstream.response)));
    }
  }
  element("outcome").replaceChildren(...parts);
  element("trace").replaceChildren(...steps.map(stepItem));
  element("trace-title").hidden = false;
}

function show(kind, sentence) {
  const verdict = element("verdict");
  verdict.className = `verdict ${kind}`;
  // Screen readers hear only changes.
  if (verdict.textContent !== sentence) verdict.textContent = sentence;
}

// A token that is gone need not be read.
const SHORT = 40;
const short = ([name, value]) => [name, value.length > SHORT ? `${value.slice(0, SHORT)}…` : value];

const lines = (fields) => fields.map(([name, value]) => `${name}: ${value}\n`).join("");

function answerBox({status, headers, body}) {
  return made("pre", `HTTP ${status}\n${lines(headers)}${body ? `\n${body}` : ""}`);
}

// The request line and the header fields, with those that the filter has removed and set.
function upstreamBox({path, headers, removed, arrived}, method) {
  const box = made("pre", `${method} ${path}\n`);
  const known = new Set(arrived.map((field) => JSON.stringify(field)));
  for (const field of removed) {
    const line = made("del", lines([short(field)]).trimEnd());
    line.ariaLabel = `removed: ${line.textContent}`;
    box.append(line, "\n");
  }
  for (const field of headers) {
    const isNew = !known.has(JSON.stringify(field));
    box.append(isNew ? made("ins", `+ ${lines([field])}`) : lines([field]));
  }
  return box;
}

function stepItem({number, name, result, input, outcome, details = []}) {
  const item = made("li", "", result);
  const head = made("div", "");
  head.append(made("b", `${number} ${name}`), made("span", HOW[result], "how"));
  item.append(head);
  if (input) item.append(withNames("p", input));
  item.append(withNames("p", input ? `→ ${outcome}` : outcome));
  if (details.length > 0) {
    const list = made("ul", "");
    list.append(...details.map((detail) => withNames("li", detail)));
    item.append(list);
  }
  return item;
}
