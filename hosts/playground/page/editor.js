// The field for the document: line numbers, and marks where the findings are. Only what is
// visible is drawn, so that a document of a million lines is as fast as a short one.

const PADDING = {top: 6.4, left: 8};
const TAB = 2;

export class Editor {
  #field;
  #gutter;
  #marks;
  #lines = [""];
  #findings = [];
  #character = 7.8;
  #row = 20.8;
  #drawn = 0;

  constructor(root, changed) {
    this.#field = root.querySelector("textarea");
    this.#gutter = root.querySelector(".gutter");
    this.#marks = root.querySelector(".marks");
    this.#field.addEventListener("input", () => {
      this.#read();
      changed();
    });
    this.#field.addEventListener("scroll", () => this.#later());
    this.#field.addEventListener("keydown", (event) => this.#keepIndentation(event));
    new ResizeObserver(() => {
      this.#measure();
      this.#later();
    }).observe(root);
    this.#measure();
  }

  get field() {
    return this.#field;
  }

  get text() {
    return this.#field.value;
  }

  set text(text) {
    this.#field.value = text;
    this.#field.setSelectionRange(0, 0);
    this.#field.scrollTop = 0;
    this.#read();
  }

  // Shows findings with `line`, `column`, `end_line`, `end_column`, `severity`, `path` and `message`.
  show(findings) {
    this.#findings = findings;
    this.#later();
  }

  // Puts the caret at a finding.
  go({line = 1, column = 1, end_line: last = line, end_column: end = column}) {
    const start = this.#offset(line, column);
    this.#field.focus();
    this.#field.setSelectionRange(start, last === line ? this.#offset(last, end) : start);
    this.#field.scrollTop = (line - 4) * this.#row;
    this.#field.scrollLeft = 0;
  }

  // Replaces the last `length` units before the caret, in a way that can be undone.
  insert(text, length = 0) {
    const caret = this.#field.selectionStart;
    this.#field.setSelectionRange(caret - length, this.#field.selectionEnd);
    if (!document.execCommand("insertText", false, text)) {
      this.#field.setRangeText(text, caret - length, this.#field.selectionEnd, "end");
      this.#field.dispatchEvent(new Event("input", {bubbles: true}));
    }
  }

  // Where the line after the caret begins in the field, in pixels.
  below() {
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const line = before.split("\n");
    const {top, left} = this.#place(line.length, width(line.at(-1)));
    return {top: top + this.#row, left};
  }

  #read() {
    this.#lines = this.#field.value.split("\n");
    this.#findings = [];
    this.#later();
  }

  // A new line begins where the last one did.
  #keepIndentation(event) {
    if (event.key !== "Enter" || event.defaultPrevented || event.isComposing) return;
    if (event.shiftKey || event.ctrlKey || event.metaKey) return;
    const before = this.#field.value.slice(0, this.#field.selectionStart);
    const [indentation] = before.slice(before.lastIndexOf("\n") + 1).match(/^ */);
    event.preventDefault();
    this.insert(`\n${indentation}`);
  }

  #offset(line, column) {
    let offset = 0;
    for (const text of this.#lines.slice(0, line - 1)) offset += text.length + 1;
    // Columns count characters, which may have two units.
    return offset + [...(this.#lines[line - 1] ?? "")].slice(0, column - 1).join("").length;
  }

  #measure() {
    const probe = document.createElement("span");
    probe.textContent = "0".repeat(100);
    this.#marks.replaceChildren(probe);
    this.#character = probe.getBoundingClientRect().width / 100;
    const style = getComputedStyle(this.#field);
    this.#row = parseFloat(style.lineHeight);
    this.#marks.style.fontSize = style.fontSize;
    PADDING.top = parseFloat(style.paddingTop);
    PADDING.left = parseFloat(style.paddingLeft);
  }

  #place(line, column) {
    return {
      top: PADDING.top + (line - 1) * this.#row - this.#field.scrollTop,
      left: PADDING.left + column * this.#character - this.#field.scrollLeft,
    };
  }

  #later() {
    cancelAnimationFrame(this.#drawn);
    this.#drawn = requestAnimationFrame(() => this.#draw());
  }

  #draw() {
    const first = Math.max(1, Math.floor(this.#field.scrollTop / this.#row));
    const last = Math.min(this.#lines.length, first + Math.ceil(this.#field.clientHeight / this.#row) + 1);
    const seen = this.#findings.filter(({line}) => line >= first && line <= last);
    const worst = new Map();
    for (const {line, severity} of seen) {
      if (severity === "error" || !worst.has(line)) worst.set(line, severity);
    }
    const numbers = [];
    for (let line = first; line <= last; line += 1) {
      numbers.push(box(worst.get(line), line, {top: this.#place(line, 0).top}));
    }
    this.#gutter.replaceChildren(...numbers);
    this.#marks.replaceChildren(...seen.flatMap((finding) => this.#mark(finding, seen)));
  }

  // A finding under its text, and the first one of a line in words behind it.
  #mark(finding, seen) {
    const {line, column, end_column: end, severity, path, message} = finding;
    const text = this.#lines[line - 1] ?? "";
    const characters = [...text];
    const start = width(characters.slice(0, column - 1).join(""));
    const stop = Math.max(start + 1, width(characters.slice(0, end - 1).join("")));
    const {top, left} = this.#place(line, start);
    const room = this.#marks.clientWidth;
    const boxes = [];
    const from = Math.max(0, left);
    const to = Math.min(room, left + (stop - start) * this.#character);
    if (to > from) boxes.push(box(severity, "", {top, left: from, width: to - from}));
    const behind = this.#place(line, width(text) + 2).left;
    if (seen.find((one) => one.line === line) === finding && behind >= 0 && room - behind > 60) {
      boxes.push(box(`says-${severity}`, path ? `${path}: ${message}` : message, {top, left: behind, width: room - behind}));
    }
    return boxes;
  }
}

// The columns that a text takes.
function width(text) {
  let columns = 0;
  for (const character of text) columns += character === "\t" ? TAB - (columns % TAB) : 1;
  return columns;
}

function box(name, text, place) {
  const made = document.createElement("div");
  if (name) made.className = name;
  made.textContent = text;
  for (const [side, pixels] of Object.entries(place)) made.style[side] = `${pixels}px`;
  return made;
}
