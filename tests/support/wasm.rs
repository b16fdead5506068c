//! The binary form of a module, as far as the tests change it.

use std::fs;
use std::path::PathBuf;

use super::process::Scratch;
use super::tools;

/// The number of the section with the size of the memory.
const MEMORY: u8 = 5;

/// WebAssembly's unit of memory.
const PAGE: usize = 64 * 1024;

/// Writes the filter's module into a directory, with a memory of exactly this many
/// mebibytes.
pub(crate) fn with_memory(mebibytes: usize, scratch: &Scratch) -> PathBuf {
    let module = fs::read(tools::module()).expect("the module");
    let mut sections = Sections::of(&module);
    // One memory, with or without a maximum: its initial pages follow.
    let [1, 0 | 1, limits @ ..] = sections.get(MEMORY) else {
        panic!("the module has another memory");
    };
    let (first, _) = read(limits);
    let most = mebibytes * 1024 * 1024 / PAGE;
    assert!(first < most, "the module begins with {first} pages");
    let limits = [vec![1, 1], write(first), write(most)].concat();
    sections.set(MEMORY, limits);
    scratch.write_bytes(&format!("{mebibytes}-mebibytes.wasm"), &sections.module())
}

/// The sections of a module, by number.
pub(crate) struct Sections {
    preamble: Vec<u8>,
    all: Vec<(u8, Vec<u8>)>,
}

impl Sections {
    pub(crate) fn of(module: &[u8]) -> Self {
        let (preamble, mut rest) = module.split_at(8);
        let mut all = Vec::new();
        while !rest.is_empty() {
            let number = rest[0];
            let (length, size) = read(&rest[1..]);
            let start = 1 + size;
            all.push((number, rest[start..start + length].to_vec()));
            rest = &rest[start + length..];
        }
        Self {
            preamble: preamble.to_vec(),
            all,
        }
    }

    #[track_caller]
    pub(crate) fn get(&self, number: u8) -> &[u8] {
        let found = self.all.iter().find(|(section, _)| *section == number);
        &found.expect("a section").1
    }

    pub(crate) fn set(&mut self, number: u8, content: Vec<u8>) {
        let found = self.all.iter_mut().find(|(section, _)| *section == number);
        found.expect("a section").1 = content;
    }

    pub(crate) fn module(&self) -> Vec<u8> {
        let mut module = self.preamble.clone();
        for (number, content) in &self.all {
            module.push(*number);
            module.extend(write(content.len()));
            module.extend(content);
        }
        module
    }
}

/// An unsigned LEB128 number and its length.
pub(crate) fn read(bytes: &[u8]) -> (usize, usize) {
    let mut number = 0;
    for (at, byte) in bytes.iter().enumerate() {
        number |= usize::from(byte & 0x7f) << (7 * at);
        if byte & 0x80 == 0 {
            return (number, at + 1);
        }
    }
    panic!("a number does not end");
}

pub(crate) fn write(mut number: usize) -> Vec<u8> {
    let mut bytes = Vec::new();
    loop {
        let low = (number & 0x7f) as u8;
        number >>= 7;
        if number == 0 {
            bytes.push(low);
            return bytes;
        }
        bytes.push(low | 0x80);
    }
}
