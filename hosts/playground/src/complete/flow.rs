//! Finds the place at the end of a text in braces and brackets: JSON, or YAML's flow notation.

use super::place::{Expects, Notation, Place, Step};

/// A text that begins with a brace or a bracket.
pub(super) enum Scanned<'t> {
    /// The text ends inside.
    Open(Place),
    /// The text after the last brace or bracket.
    Closed(&'t str),
}

/// An object or a list that is open.
#[derive(Default)]
struct Open {
    is_list: bool,
    names: Vec<String>,
    /// The name of the member whose value follows.
    name: Option<String>,
}

/// Reads a text up to the end of its first value.
pub(super) fn scan(text: &str, notation: Notation) -> Scanned<'_> {
    let mut open: Vec<Open> = Vec::new();
    // What stands since the last sign, and the quote that is open in it.
    let mut typed = String::new();
    let mut quote = None;
    let mut characters = text.char_indices();
    while let Some((at, character)) = characters.next() {
        match (quote, character) {
            (Some('"'), '\\') => {
                typed.push(character);
                typed.extend(characters.next().map(|(_, escaped)| escaped));
            }
            (Some(opened), _) => {
                typed.push(character);
                quote = quote.filter(|_| character != opened);
            }
            (None, '"' | '\'') if typed.trim().is_empty() => {
                typed = character.into();
                quote = Some(character);
            }
            (None, '{' | '[') => {
                open.push(Open {
                    is_list: character == '[',
                    ..Open::default()
                });
                typed.clear();
            }
            (None, '}' | ']') => {
                open.pop();
                typed.clear();
                if open.is_empty() {
                    let rest = text.get(at.saturating_add(1)..);
                    return Scanned::Closed(rest.unwrap_or_default());
                }
            }
            (None, ',') => {
                if let Some(last) = open.last_mut() {
                    last.name = None;
                }
                typed.clear();
            }
            (None, ':') if is_name(&open, text, at, &typed) => {
                let name = bare(&typed).to_owned();
                typed.clear();
                if let Some(last) = open.last_mut() {
                    last.names.push(name.clone());
                    last.name = Some(name);
                }
            }
            (None, _) => typed.push(character),
        }
    }
    Scanned::Open(place(open, typed.trim_start().to_owned(), notation))
}

/// Whether the colon ends the name of a member: in YAML, a space or a quote stands beside it.
fn is_name(open: &[Open], text: &str, at: usize, typed: &str) -> bool {
    let expects_name = open
        .last()
        .is_some_and(|last| !last.is_list && last.name.is_none());
    let after = text.get(at.saturating_add(1)..).unwrap_or_default();
    let is_end = after.is_empty() || after.starts_with([' ', '\t', '\r', '\n']);
    expects_name && (is_end || typed.trim_start().starts_with(['"', '\'']))
}

fn place(open: Vec<Open>, typed: String, notation: Notation) -> Place {
    let mut path = Vec::new();
    let mut expects = Expects::Value;
    let mut present = Vec::new();
    for one in open {
        present.clear();
        expects = Expects::Value;
        match (one.is_list, one.name) {
            (true, _) => path.push(Step::Element),
            (false, Some(name)) => path.push(Step::Member(name)),
            (false, None) => {
                expects = Expects::Name;
                present = one.names;
            }
        }
    }
    Place {
        path,
        expects,
        typed,
        present,
        notation,
    }
}

/// A name or a value without its quotes.
pub(super) fn bare(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}
