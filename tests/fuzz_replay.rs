//! The fuzz targets on a stable toolchain: every seed, every case that the fuzzer has
//! found, and mutations of both, the same ones in each run.
//!
//! `make fuzz` searches for new cases, guided by coverage. A failure here writes its
//! input to a file and reports the path. Moved to `fuzz/regressions/<target>/`, it
//! becomes a test.
#![allow(
    clippy::arithmetic_side_effects,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a test ends at the first unexpected result"
)]

#[path = "support/random.rs"]
mod random;
#[path = "../fuzz/src/reference/mod.rs"]
mod reference;
#[path = "../fuzz/src/targets/mod.rs"]
mod targets;

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

use random::Random;

struct Target {
    name: &'static str,
    run: fn(&[u8]),
    /// The number of mutations: all targets together take a few seconds.
    mutations: u32,
}

macro_rules! replays {
    ($($name:ident: $mutations:literal),* $(,)?) => {$(
        #[test]
        fn $name() {
            Target {
                name: stringify!($name),
                run: targets::$name::target,
                mutations: $mutations,
            }
            .replay();
        }
    )*};
}

replays! {
    answer_head: 2000,
    authorization: 600,
    check_request: 500,
    claims: 2000,
    config: 1000,
    import: 1000,
    issuer: 500,
    jwks: 1000,
    mcp: 4000,
    metadata: 4000,
    narrowing: 500,
    origin: 1000,
    path: 1000,
    proof: 500,
    request_headers: 200,
    request_parts: 2000,
    revocation: 1000,
    route: 2000,
    scope: 500,
    token: 500,
}

impl Target {
    fn replay(&self) {
        let cases = self.cases();
        for (name, case) in &cases {
            self.run(name, case);
        }
        let words = self.words();
        let mut random = Random(0x9e37_79b9_7f4a_7c15);
        for number in 0..self.mutations {
            let (_, seed) = random.pick(&cases);
            let (_, other) = random.pick(&cases);
            let mut case = seed.clone();
            for _ in 0..=random.below(4) {
                random.mutate(&mut case, other, &words);
            }
            self.run(&format!("mutation {number}"), &case);
        }
    }

    fn run(&self, name: &str, case: &[u8]) {
        if catch_unwind(|| (self.run)(case)).is_ok() {
            return;
        }
        let file = format!("{}-{}", self.name, name.replace(['/', ' '], "-"));
        let file = Path::new(env!("CARGO_TARGET_TMPDIR")).join(file);
        fs::write(&file, case).unwrap();
        panic!(
            "{} fails with {name}: {:?}, written to {}; it belongs into fuzz/regressions/{}/",
            self.name,
            String::from_utf8_lossy(case),
            file.display(),
            self.name,
        );
    }

    /// The seeds and the cases that were found, by name.
    fn cases(&self) -> Vec<(String, Vec<u8>)> {
        let seeds = files(&folder("corpus").join(self.name));
        assert!(!seeds.is_empty(), "{} has no seeds", self.name);
        let found = files(&folder("regressions").join(self.name));
        seeds.into_iter().chain(found).collect()
    }

    /// The words of the target's dictionary, after those of dictionaries that it includes.
    fn words(&self) -> Vec<Vec<u8>> {
        let read = |name: &str| fs::read_to_string(folder("dictionaries").join(name));
        let own = read(&format!("{}.dict", self.name)).expect("a dictionary");
        let included = own
            .lines()
            .filter_map(|line| line.strip_prefix("#include "));
        let included = included.map(|name| read(name).expect("an included dictionary"));
        let text = included.chain([own.clone()]).collect::<String>();
        let lines = text
            .lines()
            .filter(|line| !line.is_empty() && !line.starts_with('#'));
        lines.map(|line| unescaped(line).expect(line)).collect()
    }
}

fn folder(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .join("fuzz")
        .join(name)
}

fn files(folder: &Path) -> Vec<(String, Vec<u8>)> {
    let Ok(entries) = fs::read_dir(folder) else {
        return Vec::new();
    };
    let mut paths: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let read = |path: PathBuf| {
        let bytes = fs::read(&path).unwrap();
        (
            path.file_name().unwrap().to_string_lossy().into_owned(),
            bytes,
        )
    };
    paths.into_iter().map(read).collect()
}

/// The bytes of a dictionary's line: `"…"` with `\"`, `\\` and `\xAB`.
fn unescaped(line: &str) -> Option<Vec<u8>> {
    let mut rest = line.strip_prefix('"')?.strip_suffix('"')?.as_bytes();
    let mut word = Vec::new();
    loop {
        rest = match rest {
            [] => return Some(word),
            [b'\\', b'x', digits @ ..] => {
                let (digits, rest) = digits.split_at_checked(2)?;
                let digits = std::str::from_utf8(digits).ok()?;
                word.push(u8::from_str_radix(digits, 16).ok()?);
                rest
            }
            [b'\\', byte, rest @ ..] | [byte, rest @ ..] => {
                word.push(*byte);
                rest
            }
        };
    }
}

impl Random {
    fn pick<'a, T>(&mut self, from: &'a [T]) -> &'a T {
        &from[self.below(from.len())]
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap()
    }

    /// A piece of a case, of up to 32 bytes.
    fn piece(&mut self, of: &[u8]) -> std::ops::Range<usize> {
        let start = self.below(of.len() + 1);
        let length = self.below((of.len() - start).min(32) + 1);
        start..start + length
    }

    /// Changes a case a little.
    fn mutate(&mut self, case: &mut Vec<u8>, other: &[u8], words: &[Vec<u8>]) {
        let at = self.below(case.len() + 1);
        match self.below(7) {
            0 if at < case.len() => case[at] ^= 1 << self.below(8),
            1 if at < case.len() => case[at] = self.byte(),
            2 => case.insert(at, self.byte()),
            3 => drop(case.drain(self.piece(case))),
            4 => {
                let piece = case[self.piece(case)].to_vec();
                case.splice(at..at, piece);
            }
            5 => {
                let piece = other[self.piece(other)].to_vec();
                case.splice(at..at, piece);
            }
            _ => case.splice(at..at, self.pick(words).clone()).for_each(drop),
        }
    }
}
