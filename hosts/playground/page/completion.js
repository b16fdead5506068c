// The list of what the schema permits at the caret. The focus stays in the text: the arrow
// keys choose, Enter takes, Escape closes. The tabulator key leaves the text as everywhere.

// The text before the caret that the core reads, in units: enough for every document that
// people write by hand.
const MOST = 200_000;

export class Completion {
  #editor;
  #ask;
  #list;
  #chosen;
  #items = [];
  #typed = "";
  #active = -1;

  // `ask` returns the completions for a text; `chosen` shows in words what is active.
  constructor(editor, list, chosen, ask) {
    this.#editor = editor;
    this.#list = list;
    this.#chosen = chosen;
    this.#ask = ask;
    const {field} = editor;
    // Before the editor handles Enter.
    field.addEventListener("keydown", (event) => this.#key(event), {capture: true});
    field.addEventListener("input", (event) => this.#wrote(event));
    field.addEventListener("blur", () => this.#close());
    field.addEventListener("click", () => this.#close());
    field.addEventListener("scroll", () => this.#close());
    // The text keeps the focus.
    list.addEventListener("mousedown", (event) => event.preventDefault());
    list.addEventListener("click", ({target}) => {
      const option = target.closest("li");
      if (option) this.#take([...list.children].indexOf(option));
    });
  }

  #key(event) {
    if (event.ctrlKey && (event.key === " " || event.code === "Space")) {
      event.preventDefault();
      this.#open(0);
      return;
    }
    if (this.#list.hidden) return;
    const step = {ArrowDown: 1, ArrowUp: -1}[event.key];
    if (step) {
      event.preventDefault();
      const count = this.#items.length;
      this.#choose((Math.max(this.#active, step > 0 ? -1 : 0) + step + count) % count);
    } else if (event.key === "Enter" && this.#active >= 0) {
      event.preventDefault();
      this.#take(this.#active);
    } else if (event.key === "Escape") {
      event.preventDefault();
      this.#close();
    } else if (/^(Arrow|Home|End|Page)/.test(event.key)) {
      this.#close();
    }
  }

  // While somebody writes a word the list is open, but Enter is still a new line until an
  // entry is chosen.
  #wrote({inputType, data}) {
    if (inputType === "insertText" && /^\w$/.test(data ?? "")) {
      this.#open(-1);
    } else {
      this.#close();
    }
  }

  async #open(active) {
    const {field} = this.#editor;
    const caret = field.selectionStart;
    let before = field.value.slice(0, caret);
    if (before.length > MOST) return;
    let found;
    try {
      found = await this.#ask(before);
    } catch {
      return;
    }
    const moved = field.selectionStart !== caret || document.activeElement !== field;
    if (!found || moved) return;
    this.#typed = found.typed;
    this.#items = found.items;
    const isWritten = found.items.length === 1 && found.items[0].label === found.typed.trim();
    if (found.items.length === 0 || (isWritten && active < 0)) {
      this.#close();
      if (active >= 0) this.#chosen.textContent = "Nothing can be completed here.";
      return;
    }
    this.#show();
    this.#choose(active);
  }

  #show() {
    const options = this.#items.map(({label, meaning, required}, number) => {
      const option = document.createElement("li");
      option.id = `completion-${number}`;
      option.role = "option";
      option.ariaSelected = "false";
      option.textContent = required ? `${label} (required)` : label;
      if (meaning) {
        const small = document.createElement("small");
        small.textContent = meaning;
        option.append(small);
      }
      return option;
    });
    this.#list.replaceChildren(...options);
    this.#list.hidden = false;
    const {top, left} = this.#editor.below();
    const {clientWidth, clientHeight} = this.#list.parentElement;
    const most = clientWidth - this.#list.offsetWidth - 8;
    const isAbove = top + this.#list.offsetHeight > clientHeight + 120;
    this.#list.style.left = `${Math.max(4, Math.min(left + 48, most))}px`;
    this.#list.style.top = isAbove ? "" : `${top}px`;
    this.#list.style.bottom = isAbove ? `${clientHeight - top + 24}px` : "";
    this.#list.scrollTop = 0;
    this.#chosen.textContent = `${options.length} completions`;
  }

  #choose(active) {
    this.#active = active;
    const {field} = this.#editor;
    for (const [number, option] of [...this.#list.children].entries()) {
      option.ariaSelected = String(number === active);
    }
    const option = this.#list.children[active];
    if (option) {
      field.setAttribute("aria-activedescendant", option.id);
      option.scrollIntoView({block: "nearest"});
      const {label, meaning} = this.#items[active];
      this.#chosen.textContent = meaning ? `${label}: ${meaning}` : label;
    } else {
      field.removeAttribute("aria-activedescendant");
    }
  }

  #take(number) {
    const {insert} = this.#items[number];
    const length = this.#typed.length;
    this.#close();
    this.#editor.insert(insert, length);
  }

  #close() {
    this.#list.hidden = true;
    this.#active = -1;
    this.#chosen.textContent = "";
    this.#editor.field.removeAttribute("aria-activedescendant");
  }
}
