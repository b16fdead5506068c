//! Header fields in one buffer, in the form in which the proxy serializes them.

use super::Lengths;
use super::name::{fold_together, is_same_name, is_token};
use std::fmt;
use std::ops::Range;

/// The position of one header field in the buffer of a [`HeaderMap`], in bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Field {
    name: Range<usize>,
    /// The value may be any bytes.
    value: Range<usize>,
}

/// How the name of a field is spelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Spelling {
    /// The name itself, in any letter case.
    Itself,
    /// A name that some upstreams take for it: see
    /// [`FoldedName`](super::FoldedName).
    Twin,
}

/// The header fields of one request or response, pseudo-headers included, in
/// their original order.
///
/// All fields share one buffer, so that a request costs two allocations, however
/// many headers it has. Names are compared without letter case, although a proxy
/// sends them in lower case.
#[derive(Clone, Default)]
pub struct HeaderMap {
    buffer: Vec<u8>,
    fields: Vec<Field>,
}

impl HeaderMap {
    /// Makes a map of the fields in `buffer`. `layout` finds two things in it: for each field
    /// the sizes of its name and of its value, two little-endian numbers of 32 bits, and the
    /// position of the first name. A zero byte follows each text, and then the next text.
    ///
    /// `None` if the texts are not exactly the rest of the buffer: a truncated list, or one
    /// with extra bytes, cannot be trusted.
    #[must_use]
    pub fn adjacent(
        buffer: Vec<u8>,
        layout: impl FnOnce(&[u8]) -> Option<(&[[u8; 8]], usize)>,
    ) -> Option<Self> {
        let (sizes, start) = layout(&buffer)?;
        let mut next = start;
        let mut text = |size: [u8; 4]| {
            let size = usize::try_from(u32::from_le_bytes(size)).ok()?;
            let (start, end) = (next, next.checked_add(size)?);
            next = end.checked_add(1)?;
            (buffer.get(end) == Some(&0)).then_some(start..end)
        };
        // The capacity is bounded by the buffer's size.
        let mut fields = Vec::with_capacity(sizes.len());
        for [a, b, c, d, e, f, g, h] in sizes {
            let name = text([*a, *b, *c, *d])?;
            let value = text([*e, *f, *g, *h])?;
            fields.push(Field { name, value });
        }
        (next == buffer.len()).then_some(Self { buffer, fields })
    }

    /// Copies the fields of a list. The list is read twice: first for its size.
    pub fn from_pairs<N, V, P>(pairs: P) -> Self
    where
        N: AsRef<[u8]>,
        V: AsRef<[u8]>,
        P: IntoIterator<Item = (N, V), IntoIter: Clone>,
    {
        let pairs = pairs.into_iter();
        let length = |(name, value): (N, V)| {
            let (name, value): (&[u8], &[u8]) = (name.as_ref(), value.as_ref());
            name.len().saturating_add(value.len())
        };
        let (count, bytes) = pairs
            .clone()
            .map(length)
            .fold((0_usize, 0_usize), |(count, sum), length| {
                (count.saturating_add(1), sum.saturating_add(length))
            });
        let mut map = Self {
            buffer: Vec::with_capacity(bytes),
            fields: Vec::with_capacity(count),
        };
        for (name, value) in pairs {
            let field = Field {
                name: map.append(name.as_ref()),
                value: map.append(value.as_ref()),
            };
            map.fields.push(field);
        }
        map
    }

    fn append(&mut self, bytes: &[u8]) -> Range<usize> {
        let start = self.buffer.len();
        self.buffer.extend_from_slice(bytes);
        start..self.buffer.len()
    }

    /// The bytes of memory that the fields and their positions take.
    #[must_use]
    pub fn held_bytes(&self) -> usize {
        let fields = self.fields.capacity().saturating_mul(size_of::<Field>());
        self.buffer.capacity().saturating_add(fields)
    }

    /// Every field's name and value.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.fields.iter().filter_map(|field| self.read(field))
    }

    /// The names with one of these lengths. Names with other lengths are not read.
    pub fn names_of(&self, lengths: Lengths) -> impl Iterator<Item = &[u8]> {
        let fields = self.fields.iter();
        let fields = fields
            .filter(move |Field { name, .. }| lengths.contains(name.end.wrapping_sub(name.start)));
        fields.filter_map(|field| self.text(&field.name))
    }

    fn read(&self, field: &Field) -> Option<(&[u8], &[u8])> {
        Some((self.text(&field.name)?, self.text(&field.value)?))
    }

    fn text(&self, range: &Range<usize>) -> Option<&[u8]> {
        self.buffer.get(range.clone())
    }

    /// The place of the first field from `start` on for whose name `is_it` holds, which
    /// has this length. A request's fields are searched about ten times, mostly for names
    /// that it does not have: lengths are compared without reading the buffer.
    fn place_from(
        &self,
        start: usize,
        length: usize,
        is_it: impl Fn(&[u8]) -> bool,
    ) -> Option<usize> {
        let is_it = |Field { name, .. }: &Field| {
            name.end.wrapping_sub(name.start) == length && self.text(name).is_some_and(&is_it)
        };
        let found = self.fields.get(start..)?.iter().position(is_it)?;
        start.checked_add(found)
    }

    /// The place of the first field of this name, for [`HeaderMap::value_at`].
    pub(super) fn place(&self, name: &str) -> Option<usize> {
        let name = name.as_bytes();
        self.place_from(0, name.len(), |known| is_same_name(known, name))
    }

    /// The value of the field at a place.
    pub(super) fn value_at(&self, place: usize) -> Option<&[u8]> {
        self.text(&self.fields.get(place)?.value)
    }

    /// The values of all fields of this name.
    pub fn values<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a [u8]> {
        let name = name.as_bytes();
        let mut next = 0;
        std::iter::from_fn(move || {
            let place = self.place_from(next, name.len(), |known| is_same_name(known, name))?;
            next = place.checked_add(1)?;
            self.value_at(place)
        })
    }

    /// The values of all fields that some upstream takes for this name.
    pub fn alike<'a, 'n>(
        &'a self,
        name: &'n str,
    ) -> impl Iterator<Item = (Spelling, &'a [u8])> + use<'a, 'n> {
        let name = name.as_bytes();
        let mut next = 0;
        std::iter::from_fn(move || {
            let place = self.place_from(next, name.len(), |known| fold_together(known, name))?;
            next = place.checked_add(1)?;
            let (known, value) = self.read(self.fields.get(place)?)?;
            let spelling = if is_same_name(known, name) {
                Spelling::Itself
            } else {
                Spelling::Twin
            };
            Some((spelling, value))
        })
    }

    /// Whether a `Connection` names a header for which `is_it` holds. The next
    /// hop removes that header (RFC 9110 section 7.6.1). Hops split the options
    /// at commas, and some at blanks or any other byte that is not allowed in a
    /// name.
    pub fn is_connection_option(&self, is_it: impl Fn(&[u8]) -> bool) -> bool {
        let separates = |byte: &u8| !is_token(&[*byte]);
        self.values("connection").any(|value| {
            let options = value.split(|byte| *byte == b',').map(<[u8]>::trim_ascii);
            let words = value.split(separates);
            options.chain(words).any(&is_it)
        })
    }

    /// The value of the first field of this name.
    #[must_use]
    pub fn first<'a>(&'a self, name: &'a str) -> Option<&'a [u8]> {
        self.value_at(self.place(name)?)
    }

    /// Whether there is a field of this name, even with an empty value.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.first(name).is_some()
    }
}

/// Shows names only, since values contain credentials.
impl fmt::Debug for HeaderMap {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names = self.iter().map(|(name, _)| String::from_utf8_lossy(name));
        out.debug_list().entries(names).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_keep_their_order_and_repeated_names_all_their_values() {
        let map = HeaderMap::from_pairs([("a", "1"), ("b", ""), ("a", "2")]);
        let all: Vec<_> = map.iter().collect();
        assert_eq!(
            all,
            [
                (&b"a"[..], &b"1"[..]),
                (&b"b"[..], &b""[..]),
                (&b"a"[..], &b"2"[..])
            ]
        );
        assert_eq!(map.values("a").collect::<Vec<_>>(), [b"1", b"2"]);
        assert_eq!(map.first("b"), Some(&b""[..]));
        assert!(map.contains("b") && !map.contains("c"));
    }

    #[test]
    fn names_are_chosen_by_length() {
        let names = ["a", "bb", "ccc", ":bb"];
        let map = HeaderMap::from_pairs(names.map(|name| (name, "")));
        let of = |lengths: &[usize]| -> Vec<&[u8]> {
            map.names_of(lengths.iter().copied().collect()).collect()
        };
        assert_eq!(of(&[3]), [b"ccc", b":bb"]);
        assert_eq!(of(&[2, 1]), [&b"a"[..], b"bb"]);
        assert!(of(&[]).is_empty());
    }

    #[test]
    fn names_are_compared_without_letter_case_and_values_may_be_any_bytes() {
        let map = HeaderMap::from_pairs([("X-Api-Token", [0xff, 0x00])]);
        assert_eq!(map.first("x-api-token"), Some(&[0xff, 0x00][..]));
    }

    #[test]
    fn twins_are_distinguished_from_the_name_itself() {
        let fields = [
            ("X-Api-Token", "1"),
            ("x_api_token", "2"),
            ("x-api-tokens", "3"),
        ];
        let map = HeaderMap::from_pairs(fields);
        let alike: Vec<_> = map.alike("x-api-token").collect();
        let expected = [(Spelling::Itself, &b"1"[..]), (Spelling::Twin, b"2")];
        assert_eq!(alike, expected);
    }

    #[test]
    fn connection_names_headers_with_any_separator() {
        let names = |lines: &[&str]| {
            let lines = lines.iter().map(|line| ("connection", line));
            let map = HeaderMap::from_pairs(lines);
            map.is_connection_option(|option| fold_together(option, b"x-user-id"))
        };
        for lines in [
            &["x-user-id"][..],
            &["Upgrade, X-User-Id"],
            &["upgrade,x-user-id"],
            &["x_user_id\t,close"],
            &["upgrade x-user-id"],
            &["upgrade;x-user-id"],
            &["\"x-user-id\""],
            &["x-user-id=1"],
            &["Upgrade", "x-user-id"],
            &[",,x.user.id,,"],
            &["x@user@id"],
        ] {
            assert!(names(lines), "{lines:?}");
        }
        for lines in [
            &["Upgrade"][..],
            &["keep-alive, Upgrade, HTTP2-Settings"],
            &["x-user-ids"],
            &["x-user", "id"],
            &[""],
            &[","],
        ] {
            assert!(!names(lines), "{lines:?}");
        }
        assert!(!names(&[]));
    }

    #[test]
    fn texts_that_are_not_exactly_the_rest_of_the_buffer_are_refused() {
        fn layout(buffer: &[u8]) -> Option<(&[[u8; 8]], usize)> {
            let (count, rest) = buffer.split_first()?;
            let sizes = rest.get(..usize::from(*count) * 8)?;
            Some((sizes.as_chunks().0, sizes.len() + 1))
        }
        let read = |texts: &[u8], sizes: &[(u32, u32)]| {
            let mut buffer = vec![u8::try_from(sizes.len()).unwrap()];
            for (name, value) in sizes {
                buffer.extend(name.to_le_bytes());
                buffer.extend(value.to_le_bytes());
            }
            buffer.extend(texts);
            HeaderMap::adjacent(buffer, layout).is_some()
        };
        let buffer = b"a\0bc\0\0\0";
        assert!(read(buffer, &[(1, 2), (0, 0)]));
        for sizes in [
            &[][..],
            &[(1, 2)],
            &[(1, 2), (0, 1)],
            &[(1, 2), (0, 0), (0, 0)],
            &[(2, 1), (0, 0)],
            &[(1, 1), (1, 0)],
            &[(u32::MAX, 0)],
            &[(1, u32::MAX)],
            &[(1, 2), (u32::MAX - 5, 5)],
        ] {
            assert!(!read(buffer, sizes), "{sizes:?}");
        }
        assert!(read(b"", &[]) && !read(b"\0", &[]));
    }

    #[test]
    fn debug_output_shows_no_value() {
        let map = HeaderMap::from_pairs([("authorization", "Bearer secret")]);
        assert_eq!(format!("{map:?}"), r#"["authorization"]"#);
    }
}
