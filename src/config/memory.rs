//! What compiling a configuration takes, told from its text.
//!
//! A configuration that there is no memory for must not be compiled: what runs
//! out of memory in a module traps. So an upper bound is told beforehand, by
//! what a text consists of. A bound by its length alone would be twenty times
//! what most texts take. `tests/memory.rs` measures that it is one.

use std::borrow::Cow;
use std::slice::Iter;

use super::value::Value;
use super::{MAX_DEPTH, MAX_ROUTES, written};
use crate::memory::Need;
use crate::policy::Route;

const WORD: usize = size_of::<usize>();
const VALUE: usize = size_of::<Value<'_>>();
const MEMBER: usize = size_of::<(Cow<'_, str>, Value<'_>)>();
/// What an allocator takes for a piece of memory besides its bytes.
const PIECE: usize = 16;
/// What takes memory however small the text is, in bytes: errors, and what
/// is the most for a thousand providers.
const SMALL: usize = 4 * 1024 * 1024;

/// What a text consists of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    bytes: usize,
    objects: usize,
    members: usize,
    lists: usize,
    /// One less than there are members or elements, in each object and list.
    commas: usize,
    /// Names of members included.
    strings: usize,
    /// Strings with escapes in them.
    escaped: usize,
    /// In strings: each begins a segment of a path there.
    slashes: usize,
    /// Members or elements of the longest object or list.
    longest: usize,
}

/// Commas in the objects and lists that are open.
struct Open {
    commas: [usize; MAX_DEPTH],
    depth: usize,
}

impl Parts {
    /// Counts the parts of a text; of one that is no JSON, something or other.
    fn of(text: &[u8]) -> Self {
        let mut parts = Self {
            bytes: text.len(),
            ..Self::default()
        };
        let mut open = Open {
            commas: [0; MAX_DEPTH],
            depth: 0,
        };
        let mut rest = text.iter();
        while let Some(byte) = rest.next() {
            let count = match byte {
                b'{' | b'[' => {
                    open.begin();
                    // An empty one takes nothing.
                    match (byte, next(&rest)) {
                        (_, Some(b'}' | b']')) => continue,
                        (b'{', _) => &mut parts.objects,
                        _ => &mut parts.lists,
                    }
                }
                b'}' | b']' => {
                    parts.longest = parts.longest.max(open.end());
                    continue;
                }
                b',' => {
                    open.comma();
                    &mut parts.commas
                }
                b':' => &mut parts.members,
                b'"' => {
                    parts.string(&mut rest);
                    &mut parts.strings
                }
                _ => continue,
            };
            *count = count.saturating_add(1);
        }
        // Those that were never closed are in memory when that is found.
        while open.depth > 0 {
            parts.longest = parts.longest.max(open.end());
        }
        parts
    }

    /// Goes to the end of a string.
    fn string(&mut self, rest: &mut Iter<'_, u8>) {
        let mut has_escapes = false;
        while let Some(byte) = rest.next() {
            let is_slash = match byte {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    rest.next() == Some(&b'/')
                }
                byte => *byte == b'/',
            };
            self.slashes = self.slashes.saturating_add(usize::from(is_slash));
        }
        self.escaped = self.escaped.saturating_add(usize::from(has_escapes));
    }

    /// At least as many as there are elements in lists.
    fn elements(&self) -> usize {
        let all = [self.commas, self.objects, self.lists];
        let all = all.into_iter().fold(0, usize::saturating_add);
        all.saturating_sub(self.members)
    }
}

/// The next byte that is not white space.
fn next(rest: &Iter<'_, u8>) -> Option<u8> {
    let mut rest = rest.clone().copied();
    rest.find(|byte| !byte.is_ascii_whitespace())
}

impl Open {
    fn begin(&mut self) {
        self.depth = self.depth.saturating_add(1);
        self.set(0);
    }

    fn comma(&mut self) {
        self.set(self.get().saturating_add(1));
    }

    /// How many members or elements there were.
    fn end(&mut self) -> usize {
        let count = self.get().saturating_add(1);
        self.depth = self.depth.saturating_sub(1);
        count
    }

    fn get(&self) -> usize {
        let at = self.depth.saturating_sub(1);
        self.commas.get(at).copied().unwrap_or_default()
    }

    /// What is deeper than a configuration may be is refused when it is met.
    fn set(&mut self, commas: usize) {
        let at = self.depth.saturating_sub(1);
        if let Some(place) = self.commas.get_mut(at) {
            *place = commas;
        }
    }
}

/// The most memory that [`compile`](super::compile) takes for a text, what the
/// policy keeps included and the text itself not.
#[must_use]
pub fn memory_needed(text: &[u8]) -> Need {
    let parts = Parts::of(text);
    let elements = parts.elements();
    let texts = parts.strings.saturating_sub(parts.members);
    let routes = parts.objects.min(MAX_ROUTES);
    let patterns = parts.longest.min(parts.slashes);
    let sum = |amounts: &[(usize, usize)]| {
        let amounts = amounts.iter();
        amounts.fold(0_usize, |sum, (count, bytes)| {
            sum.saturating_add(count.saturating_mul(*bytes))
        })
    };
    // A vector grows to twice its length, and has room for four at least. The
    // longest is there once more while it grows, and so is what it was before.
    let tree = sum(&[
        (elements, 2 * VALUE),
        (parts.lists, 4 * VALUE + PIECE),
        (parts.members, 2 * MEMBER),
        (parts.objects, 4 * MEMBER + PIECE),
        (parts.longest.min(parts.members), 2 * MEMBER),
        (parts.longest, 2 * VALUE),
        (parts.escaped, PIECE),
        (parts.bytes, usize::from(parts.escaped > 0)),
    ]);
    let written = sum(&[
        (routes, size_of::<written::Route<'_>>()),
        (texts, 14 * WORD),
        (parts.members, 16 * WORD),
    ]);
    let compiled = sum(&[
        (routes, size_of::<Route>()),
        (parts.objects, 30 * WORD),
        (parts.members, 12 * WORD),
        (parts.strings, 6 * WORD),
        (parts.longest.min(texts), 8 * WORD),
        (patterns, 32 * WORD),
        (parts.slashes, 9 * WORD),
        (parts.bytes, 2),
    ]);
    let all = [tree, written, compiled, SMALL];
    let all = all.into_iter().fold(0, usize::saturating_add);
    let block = [
        (parts.longest, 2 * VALUE),
        (parts.longest.min(parts.members), 2 * MEMBER),
        (parts.longest.min(routes), size_of::<written::Route<'_>>()),
        (patterns, 16 * WORD),
    ];
    let block = block.map(|(count, bytes)| count.saturating_mul(bytes));
    Need {
        block: block.into_iter().fold(0, usize::max),
        all,
    }
}
