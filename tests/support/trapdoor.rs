//! The filter's module with a deliberate trap: the same code, except that one of its
//! callbacks traps if an argument is large enough. No input makes the shipped module
//! trap, so the tests need this to show how requests are handled then.

use std::fs;
use std::path::PathBuf;

use super::process::Scratch;
use super::tools;
use super::wasm::{Sections, read, write};

/// A callback, by its name in the ABI, and the condition of its trap.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Trapdoor {
    pub(crate) callback: &'static str,
    /// The index of the argument to compare.
    pub(crate) argument: u8,
    /// The callback traps if the argument is at least this large.
    pub(crate) at_least: u8,
}

impl Trapdoor {
    /// The number of header fields, pseudo-headers included, from which a request causes
    /// a trap.
    pub(crate) const FIELDS: u8 = 50;

    /// Traps on requests with at least [`Self::FIELDS`] header fields.
    pub(crate) const fn many_headers() -> Self {
        Self {
            callback: "proxy_on_request_headers",
            argument: 1,
            at_least: Self::FIELDS,
        }
    }

    /// Traps on every call: the callback's first argument is a context id, and those
    /// begin at 1.
    pub(crate) const fn always(callback: &'static str) -> Self {
        Self {
            callback,
            argument: 0,
            at_least: 1,
        }
    }

    /// Writes the module into a directory.
    pub(crate) fn build(self, scratch: &Scratch) -> PathBuf {
        let module = fs::read(tools::module()).expect("the module");
        let path = scratch.path().join(format!("{}.wasm", self.callback));
        fs::write(&path, self.cut_into(&module)).expect("a file below target/");
        path
    }

    /// Adds a function of the callback's type that traps or calls it, and exports the new
    /// function in its place.
    fn cut_into(self, module: &[u8]) -> Vec<u8> {
        let mut sections = Sections::of(module);
        let of = |number: u8| sections.get(number);
        let imported = imported_functions(of(IMPORTS));
        let (own, _) = read(of(FUNCTIONS));
        let (exports, original) = replace_export(of(EXPORTS), self.callback, imported + own);
        let kind = elements(of(FUNCTIONS))[original - imported];
        let parameters = parameters(of(TYPES), kind);
        let mut body = vec![
            0, // no locals
            0x20,
            self.argument, // local.get
            0x41,
        ]; // i32.const
        body.extend(signed(self.at_least));
        body.extend([0x4e, 0x04, 0x40, 0x00, 0x0b]); // i32.ge_s, if, unreachable, end
        for parameter in 0..parameters {
            body.extend([0x20, parameter]);
        }
        body.push(0x10); // call
        body.extend(write(original));
        body.push(0x0b); // end
        let functions = append(of(FUNCTIONS), &write(kind));
        let code = append(of(CODE), &[write(body.len()), body].concat());
        for (number, content) in [(FUNCTIONS, functions), (EXPORTS, exports), (CODE, code)] {
            sections.set(number, content);
        }
        sections.module()
    }
}

/// Numbers of a module's sections.
const TYPES: u8 = 1;
const IMPORTS: u8 = 2;
const FUNCTIONS: u8 = 3;
const EXPORTS: u8 = 7;
const CODE: u8 = 10;

/// A small number as signed LEB128, whose sign is the bit 0x40.
fn signed(number: u8) -> Vec<u8> {
    vec![number & 0x7f | 0x80, number >> 7]
}

/// A vector with one more element.
fn append(vector: &[u8], element: &[u8]) -> Vec<u8> {
    let (count, size) = read(vector);
    [&write(count + 1), &vector[size..], element].concat()
}

/// The elements of a vector of numbers.
fn elements(vector: &[u8]) -> Vec<usize> {
    let (count, mut at) = read(vector);
    let mut next = || {
        let (number, size) = read(&vector[at..]);
        at += size;
        number
    };
    (0..count).map(|_| next()).collect()
}

/// The number of functions that a module imports: Rust modules have no other imports.
fn imported_functions(imports: &[u8]) -> usize {
    read(imports).0
}

/// The exports with another function under a name, and the function that it replaces.
fn replace_export(exports: &[u8], name: &str, function: usize) -> (Vec<u8>, usize) {
    let (count, mut at) = read(exports);
    for _ in 0..count {
        let (length, size) = read(&exports[at..]);
        let start = at + size;
        let kind = start + length;
        let (index, size) = read(&exports[kind + 1..]);
        let end = kind + 1 + size;
        if &exports[start..kind] == name.as_bytes() {
            let changed = [&exports[..=kind], &write(function), &exports[end..]];
            return (changed.concat(), index);
        }
        at = end;
    }
    panic!("the module has no {name}");
}

/// The number of parameters of a type. All types of a module are function types.
fn parameters(types: &[u8], number: usize) -> u8 {
    let (_, mut at) = read(types);
    for _ in 0..number {
        let parameters = usize::from(types[at + 1]);
        let results = usize::from(types[at + 2 + parameters]);
        at += 3 + parameters + results;
    }
    types[at + 1]
}
