//! An object that owns its text.

use std::ops::Range;

use super::{Fault, JsonError, Value, object_in, strict};

/// A checked text that is an object, and the position of each member in it.
/// Members are parsed later without another check, since the text cannot change.
#[derive(Clone)]
pub struct Document {
    text: Box<str>,
    members: Box<[Member]>,
}

/// The position of one member in the text.
#[derive(Clone)]
struct Member {
    mark: Mark,
    name: Name,
    value: Range<usize>,
}

/// The length of a name and some of its bytes. Names with different marks differ; others
/// are compared. Every request searches its token several times, mostly for names that it
/// does not have.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Mark(u32);

impl Mark {
    fn of(name: &str) -> Self {
        let [low, ..] = name.len().to_le_bytes();
        // The first and the last two bytes: `client_id`, `cognito:groups`.
        let bytes = match name.as_bytes() {
            [first, .., before, last] => [*first, *before, *last],
            [first, last] => [*first, *last, 0],
            [first] => [*first, 0, 0],
            [] => [0; 3],
        };
        let [first, before, last] = bytes;
        Self(u32::from_le_bytes([low, first, before, last]))
    }
}

#[derive(Clone)]
enum Name {
    /// The name occurs in the text unchanged.
    Plain(Range<usize>),
    /// The name was written with escapes.
    Escaped(Box<str>),
}

impl Document {
    /// Checks one JSON text that must be an object, and keeps it.
    ///
    /// # Errors
    ///
    /// Why the text is refused, and at which position.
    pub fn read(text: Vec<u8>, max_depth: usize) -> Result<Self, JsonError> {
        let text = strict::owned_utf8(text)?;
        let object = object_in(&text, max_depth)?;
        let mut members = Vec::with_capacity(object.len());
        members.extend(
            object
                .iter()
                .map_while(|(name, value)| Member::locate(text.as_bytes(), name, value)),
        );
        // All members are inside the text. If one were not, it must not look
        // absent.
        if members.len() != object.len() {
            return Err(JsonError {
                fault: Fault::Syntax,
                line: 1,
                column: 1,
            });
        }
        Ok(Self {
            members: members.into_boxed_slice(),
            text: text.into_boxed_str(),
        })
    }

    /// The text as received.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.text
    }

    /// The value of the member called `name` (decoded, compared byte for byte).
    /// `None` if the member is absent; `null` is a value.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<Value<'_>> {
        let mark = Mark::of(name);
        let member = self
            .members
            .iter()
            .find(|member| member.mark == mark && self.name_of(member) == Some(name))?;
        self.open(member)
    }

    /// All members as name and value, in their order in the text.
    pub fn iter(&self) -> impl Iterator<Item = (&str, Value<'_>)> {
        self.members
            .iter()
            .filter_map(|member| Some((self.name_of(member)?, self.open(member)?)))
    }

    /// The position of a part of the text, if it is not a copy.
    #[must_use]
    pub fn position_of(&self, part: &str) -> Option<Range<usize>> {
        range_within(self.text.as_bytes(), part)
    }

    /// Bytes on the heap.
    #[must_use]
    pub fn heap_bytes(&self) -> usize {
        let names = self.members.iter().map(|member| match &member.name {
            Name::Plain(_) => 0,
            Name::Escaped(name) => name.len(),
        });
        names
            .chain([self.text.len(), size_of_val::<[Member]>(&self.members)])
            .fold(0, usize::saturating_add)
    }

    fn name_of<'a>(&'a self, member: &'a Member) -> Option<&'a str> {
        match &member.name {
            Name::Plain(range) => self.text.get(range.clone()),
            Name::Escaped(name) => Some(name),
        }
    }

    fn open(&self, member: &Member) -> Option<Value<'_>> {
        self.text.get(member.value.clone()).map(Value::exact)
    }
}

impl Member {
    fn locate(text: &[u8], name: &str, value: Value<'_>) -> Option<Self> {
        let mark = Mark::of(name);
        let name = match range_within(text, name) {
            Some(range) => Name::Plain(range),
            None => Name::Escaped(name.into()),
        };
        let value = range_within(text, value.text())?;
        Some(Self { mark, name, value })
    }
}

/// The position of `part`, if it is a slice of `whole` and not a copy. It
/// compares addresses.
fn range_within(whole: &[u8], part: &str) -> Option<Range<usize>> {
    let start = part.as_ptr().addr().checked_sub(whole.as_ptr().addr())?;
    let range = start..start.checked_add(part.len())?;
    (range.end <= whole.len()).then_some(range)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Document {
        Document::read(text.as_bytes().to_vec(), 4).unwrap()
    }

    #[test]
    fn members_are_found_by_their_decoded_names_and_as_they_were_written() {
        let document = read(r#" {"a" : 1.50, "\u0062":[ 2 ], "":null, "aa":{"a":3}} "#);
        let get = |name| document.get(name).map(Value::text);
        assert_eq!(get("a"), Some("1.50"));
        assert_eq!(get("b"), Some("[ 2 ]"));
        assert_eq!(get(""), Some("null"));
        assert_eq!(get("aa"), Some(r#"{"a":3}"#));
        assert_eq!(get("\\u0062"), None);
        assert_eq!(get("c"), None);
        let names: Vec<&str> = document.iter().map(|(name, _)| name).collect();
        assert_eq!(names, ["a", "b", "", "aa"]);
    }

    #[test]
    fn names_of_the_same_mark_are_distinguished() {
        let long = "a".repeat(256);
        let names = [
            "", "a", "ab", "abc", "axbcd", "aybcd", "aabcd", &*long, "b", "abcd",
        ];
        let document = |names: &[&str]| {
            let members: Vec<String> = (0..)
                .zip(names)
                .map(|(at, name)| format!("\"{name}\":{at}"))
                .collect();
            read(&format!("{{{}}}", members.join(",")))
        };
        for number in 0..names.len() {
            let all = document(&names);
            let expected = number.to_string();
            assert_eq!(all.get(names[number]).map(Value::text), Some(&*expected));
            let mut others = names.to_vec();
            others.remove(number);
            assert!(document(&others).get(names[number]).is_none());
        }
    }

    #[test]
    fn a_document_refuses_the_same_texts_as_object() {
        for text in [&b"[]"[..], b"{\"a\":1,\"a\":2}", b"{\"\xff\":1}", b"{", b""] {
            let refused = Document::read(text.to_vec(), 4).map(|_| ()).unwrap_err();
            assert_eq!(refused, crate::json::object(text, 4).unwrap_err());
        }
    }

    #[test]
    fn a_copy_has_no_position() {
        let whole = String::from("abcabc");
        let (_, piece) = whole.split_at(3);
        assert_eq!(range_within(whole.as_bytes(), piece), Some(3..6));
        assert_eq!(range_within(whole.as_bytes(), &String::from("abc")), None);
    }
}
