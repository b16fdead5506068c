//! Estimates the memory that compiling a configuration takes, from its text.
//!
//! A configuration must not be compiled if the memory may not suffice: a module
//! that runs out of memory traps. So an upper bound is computed beforehand from
//! the parts of the text. A bound from its length alone would be twenty times
//! what most texts take. `tests/memory.rs` measures that this is an upper bound.

use std::borrow::Cow;
use std::slice::Iter;

use super::reader::Text;
use super::value::Value;
use super::{MAX_DEPTH, MAX_METADATA, MAX_RESOURCES, MAX_ROUTES, written};
use crate::jwk::MAX_KEY_SET_BYTES;
use crate::memory::Need;
use crate::policy::routes::MAX_SEGMENTS;
use crate::policy::{Resource, Route};
use crate::rules::ClaimRule;

const WORD: usize = size_of::<usize>();
const VALUE: usize = size_of::<Value<'_>>();
const MEMBER: usize = size_of::<(Cow<'_, str>, Value<'_>)>();
const SEGMENT: usize = size_of::<u32>();
const ROUTE: usize = size_of::<written::Route<'_>>();
/// A member, in the vector whose elements are largest.
const RULE: usize = {
    let written = size_of::<(Text<'_>, written::Requirement<written::RuleValue<'_>>)>();
    let mut most = 2 * MEMBER;
    if written > most {
        most = written;
    }
    if size_of::<ClaimRule>() > most {
        most = size_of::<ClaimRule>();
    }
    most
};
/// The allocator's overhead for each allocation, in bytes.
const PIECE: usize = 16;
/// The memory that any text may take, however small, in bytes: errors, and the
/// maximum for a thousand providers.
const SMALL: usize = 4 * 1024 * 1024;
/// The most memory that a key of a set takes, in bytes: a shared secret with the
/// states of three hash functions. For longer keys the text counts as well.
const KEY: usize = 1_200;
/// A protected resource, without its metadata.
const RESOURCE: usize =
    size_of::<written::Resource<'_>>() + size_of::<Resource>() + 4 * PIECE + 30 * WORD;
/// The names of the members of metadata, in bytes.
const METADATA: usize = 256;
/// A condition about MCP requests, and the target of its pattern, in bytes. Both are in
/// vectors that grow.
const CONDITION: usize = 3 * (16 + 20) + 16;
/// The shortest text of a key, in bytes.
const KEY_TEXT: usize = 50;
/// The most memory that reading a key set takes for each byte of its text.
const KEY_SET_TREE: usize = 5 * WORD;

/// The parts of a text, counted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Parts {
    bytes: usize,
    objects: usize,
    members: usize,
    lists: usize,
    /// One less than the number of members or elements, summed over objects and
    /// lists.
    commas: usize,
    /// Strings, names of members included.
    strings: usize,
    /// Strings with escapes.
    escaped: usize,
    /// Slashes in strings: each begins a segment of a path.
    slashes: usize,
    /// Strings that may be patterns for `POST`.
    posts: usize,
    /// An upper bound on the conditions about MCP requests in the route table: each name
    /// counts for each pattern and each host of its route.
    conditions: usize,
    /// Objects that may be keys: those with a member `kty`, and all in strings
    /// with escapes, which may contain the text of a key set.
    keys: usize,
    /// Whether there may be protected resources: a string is `resources`, or its escapes
    /// may spell it.
    has_resources: bool,
    /// The number of members or elements of the longest object or list.
    longest: usize,
}

/// Counts commas and strings in the open objects and lists.
struct Open {
    levels: [Level; MAX_DEPTH],
    depth: usize,
}

#[derive(Clone, Copy, Default)]
struct Level {
    commas: usize,
    /// The strings before it, and those of them that may be patterns for `POST`.
    strings: usize,
    posts: usize,
    /// Whether one of its members may be `mcp`.
    has_mcp: bool,
}

impl Parts {
    /// Counts the parts of a text. The counts for a text that is not JSON have
    /// no meaning.
    fn of(text: &[u8]) -> Self {
        let mut parts = Self {
            bytes: text.len(),
            ..Self::default()
        };
        let mut open = Open {
            levels: [Level::default(); MAX_DEPTH],
            depth: 0,
        };
        let mut rest = text.iter();
        while let Some(byte) = rest.next() {
            let count = match byte {
                b'{' | b'[' => {
                    open.begin(parts.strings, parts.posts);
                    // An empty object or list takes nothing.
                    match (byte, next(&rest)) {
                        (_, Some(b'}' | b']')) => continue,
                        (b'{', _) => &mut parts.objects,
                        _ => &mut parts.lists,
                    }
                }
                b'}' | b']' => {
                    let level = open.end();
                    parts.close(level);
                    continue;
                }
                b',' => {
                    open.comma();
                    &mut parts.commas
                }
                b':' => &mut parts.members,
                b'"' => {
                    open.note(parts.string(&mut rest));
                    &mut parts.strings
                }
                _ => continue,
            };
            *count = count.saturating_add(1);
        }
        // Unclosed objects and lists are in memory when the error is found.
        while open.depth > 0 {
            let level = open.end();
            parts.close(level);
        }
        parts
    }

    /// Counts what an object or a list contained.
    fn close(&mut self, level: Level) {
        self.longest = self.longest.max(level.commas.saturating_add(1));
        if level.has_mcp {
            // The most that patterns, names and hosts can be, multiplied.
            let patterns = self.posts.saturating_sub(level.posts);
            let half = self.strings.saturating_sub(level.strings).div_ceil(2);
            let conditions = half.saturating_pow(2).saturating_mul(patterns);
            self.conditions = self.conditions.saturating_add(conditions);
        }
    }

    /// Skips to the end of a string. Returns whether it may be the name of `mcp`.
    fn string(&mut self, rest: &mut Iter<'_, u8>) -> bool {
        let is_mcp = rest.as_slice().starts_with(b"mcp\"");
        let is_post = rest.as_slice().starts_with(b"POST ");
        let is_kty = rest.as_slice().starts_with(b"kty\"");
        self.has_resources |= rest.as_slice().starts_with(b"resources\"");
        let mut has_escapes = false;
        let mut objects: usize = 0;
        while let Some(byte) = rest.next() {
            let (is_slash, is_object) = match byte {
                b'"' => break,
                b'\\' => {
                    has_escapes = true;
                    let byte = rest.next();
                    // Any character can be written as a Unicode escape.
                    let is_any = byte == Some(&b'u');
                    self.has_resources |= is_any;
                    (byte == Some(&b'/'), is_any)
                }
                byte => (*byte == b'/', *byte == b'{'),
            };
            self.slashes = self.slashes.saturating_add(usize::from(is_slash));
            objects = objects.saturating_add(usize::from(is_object));
        }
        self.escaped = self.escaped.saturating_add(usize::from(has_escapes));
        let keys = if has_escapes {
            objects
        } else {
            usize::from(is_kty)
        };
        self.keys = self.keys.saturating_add(keys);
        let posts = usize::from(is_post || has_escapes);
        self.posts = self.posts.saturating_add(posts);
        is_mcp || has_escapes && next(rest) == Some(b':')
    }

    /// An upper bound on the elements in lists.
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
    fn begin(&mut self, strings: usize, posts: usize) {
        self.depth = self.depth.saturating_add(1);
        self.change(|level| {
            *level = Level {
                strings,
                posts,
                ..Level::default()
            };
        });
    }

    fn comma(&mut self) {
        self.change(|level| level.commas = level.commas.saturating_add(1));
    }

    fn note(&mut self, is_mcp: bool) {
        self.change(|level| level.has_mcp |= is_mcp);
    }

    fn end(&mut self) -> Level {
        let at = self.depth.saturating_sub(1);
        self.depth = at;
        self.levels.get(at).copied().unwrap_or_default()
    }

    /// Greater depths are ignored, since the parser refuses them immediately.
    fn change(&mut self, change: impl FnOnce(&mut Level)) {
        let at = self.depth.saturating_sub(1);
        if let Some(level) = self.levels.get_mut(at) {
            change(level);
        }
    }
}

/// The most memory that [`compile`](super::compile) takes for a text, including
/// the policy and excluding the text. Key tables are made at the end and check
/// for memory themselves.
#[must_use]
pub fn memory_needed(text: &[u8]) -> Need {
    let parts = Parts::of(text);
    Need {
        block: parts.largest_block(),
        all: parts.all(),
    }
}

impl Parts {
    fn all(&self) -> usize {
        let texts = self.strings.saturating_sub(self.members);
        // The memory for the tree, the written form, and the policy. A vector
        // grows to twice its length, and has room for at least four elements.
        // While the longest one grows, its old and new memory exist at once.
        let all = sum(&[
            (self.elements(), 2 * VALUE),
            (self.lists, 4 * VALUE + PIECE),
            (self.members, 2 * MEMBER + (16 + 12) * WORD),
            (self.objects, 4 * MEMBER + PIECE + 30 * WORD),
            (self.longest.min(self.members), 2 * MEMBER),
            (self.longest, 2 * VALUE),
            (self.escaped, PIECE),
            (self.bytes, 3),
            (self.routes_listed(), ROUTE),
            (texts, 14 * WORD),
            (self.objects.min(MAX_ROUTES), size_of::<Route>()),
            (self.strings, 6 * WORD),
            (self.longest.min(texts), 8 * WORD),
            (self.patterns(), 32 * WORD),
            (self.slashes, 9 * WORD),
            (self.conditions(), CONDITION),
            (self.keys.min(self.bytes / KEY_TEXT), KEY),
            (self.key_set_text(), KEY_SET_TREE),
        ]);
        let resources = if self.has_resources {
            self.resources()
        } else {
            0
        };
        all.saturating_add(resources).saturating_add(SMALL)
    }

    /// The memory for protected resources and their metadata, and for the scopes of all
    /// routes while the metadata are written.
    fn resources(&self) -> usize {
        let count = self.objects.min(MAX_RESOURCES);
        let document = self.bytes.saturating_add(METADATA);
        let documents = count.saturating_mul(document);
        // The last one may exceed the limit. It is larger while it grows.
        let most = MAX_METADATA.saturating_add(document);
        sum(&[
            (count, RESOURCE),
            (documents.min(most), 1),
            (document, 2),
            (self.strings, 18 * WORD),
            (self.patterns(), 8 * WORD),
        ])
    }

    fn largest_block(&self) -> usize {
        let blocks = [
            (self.longest, 2 * VALUE),
            (self.longest.min(self.members), RULE),
            (self.routes_listed(), ROUTE),
            (self.patterns(), 16 * WORD),
            // Segments are numbers in a growing vector, and their texts are in
            // another.
            (self.slashes, 2 * SEGMENT),
            (self.conditions(), 40),
            (self.bytes, 2),
            (self.key_set_text(), 2 * WORD),
            (
                usize::from(self.has_resources),
                self.strings.saturating_mul(4 * WORD),
            ),
        ];
        let blocks = blocks.iter();
        blocks.fold(0, |most, (count, bytes)| {
            most.max(count.saturating_mul(*bytes))
        })
    }

    /// The list of routes is as long as the written list, regardless of its content.
    fn routes_listed(&self) -> usize {
        self.longest.max(self.objects).min(MAX_ROUTES)
    }

    fn patterns(&self) -> usize {
        self.longest.min(self.slashes)
    }

    fn conditions(&self) -> usize {
        self.conditions.min(MAX_SEGMENTS)
    }

    /// The bytes of the longest text of a key set.
    fn key_set_text(&self) -> usize {
        match self.keys {
            0 => 0,
            _ => self.bytes.min(MAX_KEY_SET_BYTES),
        }
    }
}

fn sum(amounts: &[(usize, usize)]) -> usize {
    let amounts = amounts.iter();
    amounts.fold(0, |sum, (count, bytes)| {
        sum.saturating_add(count.saturating_mul(*bytes))
    })
}
