//! Reads an object of lists and tables entry by entry, so that a large text needs no
//! memory besides its own.

use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error, MapAccess, SeqAccess, Visitor};
use serde_json::value::RawValue;

use super::value::{Text, Value};
use super::{Fault, JsonError, strict};

/// Receives the entries of an object whose members are lists of strings or tables of
/// numbers, in the order of the text.
///
/// The names of members and of a table's entries are not compared, so the reader refuses
/// duplicates itself.
pub trait FlatReader {
    /// A member of the object begins. Returns its type if its entries are needed. Other
    /// members may have any value.
    ///
    /// # Errors
    ///
    /// [`Refused`] ends the reading.
    fn member(&mut self, name: &str) -> Result<Option<FlatType>, Refused>;

    /// An element of the member's list.
    ///
    /// # Errors
    ///
    /// [`Refused`] ends the reading.
    fn string(&mut self, text: &str) -> Result<(), Refused>;

    /// An entry of the member's table, with the text of its number.
    ///
    /// # Errors
    ///
    /// [`Refused`] ends the reading.
    fn number(&mut self, name: &str, number: &str) -> Result<(), Refused>;
}

/// The type of a member whose entries are needed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatType {
    /// An array of strings.
    List,
    /// An object of numbers.
    Table,
}

/// The reader does not accept an entry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Refused;

/// Why a text was not read to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FlatError {
    /// It is not JSON.
    Json(JsonError),
    /// It has a value of another type than expected, or the reader refused an entry.
    Refused,
}

/// Reads a text in one pass. Its nesting does not use the stack, because a needed member
/// has no nested values, and other members are only skipped.
///
/// # Errors
///
/// Why reading has ended before the end of the text.
pub fn read_flat(text: &[u8], reader: &mut dyn FlatReader) -> Result<(), FlatError> {
    let text = strict::utf8(text).map_err(FlatError::Json)?;
    let mut json = serde_json::Deserializer::from_str(text);
    let read = json.deserialize_map(Outermost(reader));
    read.and_then(|()| json.end()).map_err(|error| {
        if error.is_data() {
            return FlatError::Refused;
        }
        FlatError::Json(JsonError {
            fault: Fault::Syntax,
            line: error.line(),
            column: error.column(),
        })
    })
}

fn refused<E: Error>(_: Refused) -> E {
    E::custom("refused")
}

struct Outermost<'r>(&'r mut dyn FlatReader);

impl<'de> Visitor<'de> for Outermost<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = members.next_key()? {
            match self.0.member(&name).map_err(refused)? {
                Some(wanted) => members.next_value_seed(Inner(wanted, &mut *self.0))?,
                None => drop(members.next_value::<&RawValue>()?),
            }
        }
        Ok(())
    }
}

/// The value of a needed member.
struct Inner<'r>(FlatType, &'r mut dyn FlatReader);

impl<'de> DeserializeSeed<'de> for Inner<'_> {
    type Value = ();

    fn deserialize<D: Deserializer<'de>>(self, json: D) -> Result<(), D::Error> {
        match self.0 {
            FlatType::List => json.deserialize_seq(self),
            FlatType::Table => json.deserialize_map(self),
        }
    }
}

impl<'de> Visitor<'de> for Inner<'_> {
    type Value = ();

    fn expecting(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str("a list or a table")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<(), A::Error> {
        while let Some(Text(text)) = list.next_element()? {
            self.1.string(&text).map_err(refused)?;
        }
        Ok(())
    }

    fn visit_map<A: MapAccess<'de>>(self, mut table: A) -> Result<(), A::Error> {
        while let Some(Text(name)) = table.next_key()? {
            let value = Value::from_raw(table.next_value::<&RawValue>()?);
            let number = value.number().ok_or_else(|| refused(Refused))?;
            self.1.number(&name, number).map_err(refused)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Default)]
    struct Seen(Vec<String>);

    impl FlatReader for Seen {
        fn member(&mut self, name: &str) -> Result<Option<FlatType>, Refused> {
            self.0.push(format!("{name}:"));
            Ok(match name {
                "a" => Some(FlatType::List),
                "b" => Some(FlatType::Table),
                _ => None,
            })
        }

        fn string(&mut self, text: &str) -> Result<(), Refused> {
            self.0.push(text.to_owned());
            if text == "refuse" {
                return Err(Refused);
            }
            Ok(())
        }

        fn number(&mut self, name: &str, number: &str) -> Result<(), Refused> {
            self.0.push(format!("{name}={number}"));
            Ok(())
        }
    }

    fn read(text: &str) -> Result<String, FlatError> {
        let mut seen = Seen::default();
        read_flat(text.as_bytes(), &mut seen)?;
        Ok(seen.0.join(" "))
    }

    #[test]
    fn lists_and_tables_are_read_in_their_order() {
        let text = r#" {"a":["x", "\u0079"], "-":[{"z":null}], "b" : {"n": 1.50, "m":-1e3}} "#;
        assert_eq!(read(text).unwrap(), "a: x y -: b: n=1.50 m=-1e3");
        assert_eq!(read("{}").unwrap(), "");
        assert_eq!(read(r#"{"a":[],"b":{}}"#).unwrap(), "a: b:");
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        let lists = ["{}", "[1]", "[null]", "[[]]", "[[\"x\"]]", "[\"refuse\"]"];
        let tables = [
            "[]",
            "[\"x\"]",
            "{\"x\":\"1\"}",
            "{\"x\":null}",
            "{\"x\":[1]}",
            "{\"x\":{}}",
        ];
        let both = ["1", "null", "true", "\"x\""];
        let of = |member, values: &[&str]| {
            for value in values.iter().chain(&both) {
                let text = format!(r#"{{"{member}":{value}}}"#);
                assert_eq!(read(&text), Err(FlatError::Refused), "{text}");
            }
        };
        of("a", &lists);
        of("b", &tables);
        for text in ["[]", "1", "\"x\"", "null"] {
            assert_eq!(read(text), Err(FlatError::Refused), "{text}");
        }
    }

    #[test]
    fn text_that_is_not_json_is_refused_with_its_position() {
        for text in [
            "",
            "{",
            "{\"a\":[\"x\"}",
            "{\"a\":[]} x",
            "{\"a\":[\"\\ud800\"]}",
            "{\"-\":[1,]}",
            "\u{feff}{}",
            "{\"a\":[\"x\",]}",
            "{\"b\":{\"x\":01}}",
        ] {
            let error = read(text).unwrap_err();
            assert!(matches!(error, FlatError::Json(_)), "{text}: {error:?}");
        }
        let FlatError::Json(error) = read("{\n\"a\":[x]}").unwrap_err() else {
            panic!("not JSON");
        };
        assert_eq!((error.line, error.column), (2, 6));
        let mut seen = Seen::default();
        let error = read_flat(b"{\"\xff\":[]}", &mut seen).unwrap_err();
        assert!(matches!(error, FlatError::Json(error) if error.fault == Fault::NotUtf8));
    }

    #[test]
    fn deep_nesting_does_not_use_the_stack() {
        let (open, close) = ("[".repeat(1_000_000), "]".repeat(1_000_000));
        assert_eq!(read(&format!(r#"{{"-":{open}{close}}}"#)).unwrap(), "-:");
        let needed = format!(r#"{{"a":{open}{close}}}"#);
        assert_eq!(read(&needed), Err(FlatError::Refused));
        let number = format!(r#"{{"b":{{"x":{open}{close}}}}}"#);
        assert_eq!(read(&number), Err(FlatError::Refused));
    }
}
