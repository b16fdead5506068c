"""Compiles all changes of a part into one program, each behind a number.

A function with changes becomes a match on the number of the chosen change: its own body for
the number 0, and one body for each change. So the program is compiled once, and not once for
each change.
"""

import json
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

# What does not count as a brace: comments, texts and characters.
TOKENS = re.compile(
    r"""//[^\n]*|/\*.*?\*/|b?r(?P<marks>\#*)".*?"(?P=marks)|b?"(?:\\.|[^"\\])*"|b?'(?:\\[^']+|[^'\\])'|[{}]""",
    re.DOTALL,
)

# The type of a function that returns some iterator.
ITERATOR = re.compile(r"^-> impl Iterator<")

# The number of the change that is in effect, in the copy of the core.
CHOSEN = """
#[doc(hidden)]
pub fn chosen_change(first: u32, last: u32) -> u32 {
    static CHOSEN: std::sync::LazyLock<u32> = std::sync::LazyLock::new(|| {
        let chosen = std::env::var("CHANGE").ok();
        chosen.and_then(|chosen| chosen.parse().ok()).unwrap_or(0)
    });
    if (first..=last).contains(&*CHOSEN) { *CHOSEN } else { 0 }
}

/// One of two iterators, for a function whose bodies return iterators of different types.
#[doc(hidden)]
pub enum OneOf<A, B> {
    First(A),
    Other(B),
}

impl<A: Iterator, B: Iterator<Item = A::Item>> Iterator for OneOf<A, B> {
    type Item = A::Item;

    fn next(&mut self) -> Option<A::Item> {
        match self {
            Self::First(one) => one.next(),
            Self::Other(one) => one.next(),
        }
    }
}
"""


@dataclass
class Change:
    """One change of the core, as cargo-mutants lists it."""

    number: int
    listed: dict
    # Its lines in the changed file, and those of its whole function.
    lines: range = range(0)
    around: range = range(0)

    @property
    def name(self):
        return self.listed["name"]

    @property
    def file(self):
        return self.listed["file"]

    @property
    def function(self):
        function = self.listed["function"]
        return function["function_name"] if function else ""

    @property
    def is_inseparable(self):
        """Whether it is outside of a function, or in a function whose bodies would have different types."""
        function = self.listed["function"]
        return function is None or "impl " in ITERATOR.sub("", function["return_type"])

    @property
    def replaces_result(self):
        """Whether it replaces a whole body with a value, which often has another type."""
        return self.listed["genre"] == "FnValue"

    def span(self, text, of=None):
        """The beginning and the end of its place in the file."""
        span = (of or self.listed)["span"]
        return [offset(text, span[end]) for end in ("start", "end")]

    def applied(self, text):
        start, end = self.span(text)
        return f"{text[:start]} {self.listed['replacement']} {text[end:]}"


def offset(text, place):
    """The position of a line and a column, both counted from 1."""
    at = 0
    for _ in range(place["line"] - 1):
        at = text.index("\n", at) + 1
    return at + place["column"] - 1


def body(text, start, end):
    """The beginning of the block that ends with a function."""
    opened = []
    for token in TOKENS.finditer(text, start, end):
        if token.group() == "{":
            opened.append(token.start())
        elif token.group() == "}":
            last = opened.pop()
            if token.end() == end:
                return last
    raise ValueError(f"no body: {text[start:end]}")


def plant(tree, changes, without):
    """Writes the files of the tree with all changes, except for those in `without`. The files
    of the tree must be unchanged."""
    by_file = {}
    for change in changes:
        change.lines = change.around = range(0)
        if change.number not in without and not change.is_inseparable:
            by_file.setdefault(change.file, []).append(change)
    for file, here in by_file.items():
        path = Path(tree, file)
        path.write_text(with_bodies(path.read_text(), here))
    with Path(tree, "src/lib.rs").open("a") as library:
        library.write(CHOSEN)


def with_bodies(text, changes):
    functions = {}
    for change in changes:
        place = tuple(change.span(text, change.listed["function"]))
        functions.setdefault(place, []).append(change)
    # A function inside of another one changes with it.
    outer = {}
    for start, end in sorted(functions, key=lambda place: (place[0], -place[1])):
        around = [place for place in outer if place[0] <= start and end <= place[1]]
        outer.setdefault(around[0] if around else (start, end), []).extend(functions[start, end])
    out, done, line = "", 0, 1
    for (start, end), here in sorted(outer.items()):
        opened = body(text, start, end)
        here.sort(key=lambda change: change.number)
        numbers = (here[0].number, here[-1].number)
        head = re.sub(r"\bconst\s+((unsafe\s+)?fn\b)", r"\1", text[start:opened], count=1)
        out += text[done:start]
        first = out.count("\n") + 1
        out += head + f"{{ match crate::chosen_change({numbers[0]}, {numbers[1]}) {{\n"
        is_iterator = re.search(r"\)\s*-> impl Iterator<", head) is not None
        wrap = iterators(1 + len(here)) if is_iterator else None
        for place, change in enumerate([None, *here]):
            changed = change.applied(text) if change else text
            block = changed[opened : end + len(changed) - len(text)]
            if wrap:
                block = wrap(place, block)
            arm = f"{change.number if change else 0} => {block}\n"
            line = out.count("\n") + 1
            if change:
                change.lines = range(line, line + arm.count("\n"))
            out += arm
        out += "_ => ::std::process::abort(),\n} }"
        for change in here:
            change.around = range(first, out.count("\n") + 1)
        done = end
    return out + text[done:]


def iterators(count):
    """Gives the iterators of some blocks one type."""

    def wrap(place, block):
        last = place == count - 1
        kinds = ["Other"] * place + ([] if last else ["First"])
        return "".join(f"crate::OneOf::{kind}(" for kind in kinds) + block + ")" * len(kinds) + ","

    return wrap


def errors(cargo, tree, arguments):
    """The compiler's errors: message, file and line."""
    run = subprocess.run(
        [cargo, *arguments, "--manifest-path", f"{tree}/Cargo.toml", "--message-format=json"],
        stdout=subprocess.PIPE,
        text=True,
    )
    found, programs = [], {}
    for line in run.stdout.splitlines():
        message = json.loads(line)
        if message["reason"] == "compiler-artifact" and message["executable"]:
            programs[message["target"]["name"].replace("edge_authz", "lib")] = message["executable"]
        if message["reason"] != "compiler-message" or message["message"]["level"] != "error":
            continue
        places = [span for span in message["message"]["spans"] if span["is_primary"]]
        found += [(message["message"]["message"], place["file_name"], place["line_start"]) for place in places]
    if run.returncode != 0 and not found:
        raise SystemExit(f"the tree does not compile: {arguments}")
    return found, programs
