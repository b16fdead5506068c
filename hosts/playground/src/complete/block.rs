//! Finds the place at the end of a YAML text by its indentation. The text is mostly not
//! valid YAML, because somebody is writing it.

use super::flow::{self, Scanned, bare};
use super::place::{Expects, Notation, Place, Step};

/// The place at the end of a text. `None` where nothing can be completed, for example in a
/// comment.
pub(super) fn at_end(text: &str) -> Option<Place> {
    let mut levels = Levels::default();
    let mut rest = text;
    while let Some((line, following)) = rest.split_once('\n') {
        let next = match levels.read(line.trim_end_matches('\r')) {
            Line::Flow(at) => match flow::scan(rest.get(at..)?, Notation::Flow) {
                Scanned::Open(place) => return Some(levels.around(place)),
                // What follows on the line is a comment at most.
                Scanned::Closed(after) => after.split_once('\n')?.1,
            },
            Line::Nothing | Line::Value(_) | Line::Start(..) => following,
        };
        rest = next;
    }
    let (path, expects, typed, present) = match levels.read(rest) {
        Line::Nothing => return None,
        Line::Flow(at) => match flow::scan(rest.get(at..)?, Notation::Flow) {
            Scanned::Open(place) => return Some(levels.around(place)),
            Scanned::Closed(_) => return None,
        },
        Line::Value(typed) => (levels.path(), Expects::Value, typed, Vec::new()),
        Line::Start(column, typed) => {
            levels.close(column);
            let present = levels.names().clone();
            (levels.path(), Expects::Either, typed, present)
        }
    };
    Some(Place {
        path,
        expects,
        typed: typed.to_owned(),
        present,
        notation: Notation::Block,
    })
}

/// What a line ends with.
enum Line<'t> {
    /// A comment, a part of a longer text, or a name with its colon.
    Nothing,
    /// A brace or a bracket begins at this byte.
    Flow(usize),
    /// A value after a name.
    Value(&'t str),
    /// A name without its colon, or an element of a list, at this column.
    Start(usize, &'t str),
}

/// The objects and lists that are open, by their indentation.
#[derive(Default)]
struct Levels {
    root: Vec<String>,
    open: Vec<Level>,
    /// The column of the name whose text continues on deeper lines.
    text: Option<usize>,
}

struct Level {
    column: usize,
    step: Step,
    names: Vec<String>,
}

impl Levels {
    /// Takes a line, and opens what it opens.
    fn read<'t>(&mut self, line: &'t str) -> Line<'t> {
        let mut content = line.trim_start_matches(' ');
        let mut column = line.len().saturating_sub(content.len());
        if let Some(text) = self.text {
            if column > text {
                return Line::Nothing;
            }
            if content.is_empty() {
                return Line::Start(column, content);
            }
        }
        self.text = None;
        if content.starts_with('#') || content.contains(" #") || content.starts_with("---") {
            return Line::Nothing;
        }
        while let Some(after) = content.strip_prefix("- ") {
            self.open_element(column);
            content = after.trim_start_matches(' ');
            column = line.len().saturating_sub(content.len());
        }
        if content.starts_with(['{', '[']) {
            return Line::Flow(column);
        }
        let Some((name, value)) = member(content) else {
            return Line::Start(column, content);
        };
        self.open_member(column, name);
        let Some(value) = value else {
            return Line::Nothing;
        };
        if value.starts_with(['|', '>']) {
            self.text = Some(column);
            return Line::Nothing;
        }
        if value.starts_with(['{', '[']) {
            return Line::Flow(line.len().saturating_sub(value.len()));
        }
        Line::Value(value)
    }

    fn open_element(&mut self, column: usize) {
        // The elements of a list may stand at the column of its name.
        while let Some(last) = self.open.last()
            && (last.column > column || (last.column == column && last.step == Step::Element))
        {
            self.open.pop();
        }
        self.open.push(Level {
            column,
            step: Step::Element,
            names: Vec::new(),
        });
    }

    fn open_member(&mut self, column: usize, name: &str) {
        self.close(column);
        self.names().push(name.to_owned());
        self.open.push(Level {
            column,
            step: Step::Member(name.to_owned()),
            names: Vec::new(),
        });
    }

    /// Closes what ends where a line begins at this column.
    fn close(&mut self, column: usize) {
        while self.open.last().is_some_and(|last| last.column >= column) {
            self.open.pop();
        }
    }

    /// The names of the innermost object.
    fn names(&mut self) -> &mut Vec<String> {
        match self.open.last_mut() {
            Some(last) => &mut last.names,
            None => &mut self.root,
        }
    }

    fn path(&self) -> Vec<Step> {
        self.open.iter().map(|level| level.step.clone()).collect()
    }

    /// A place inside of the innermost value.
    fn around(&self, place: Place) -> Place {
        let mut path = self.path();
        path.extend(place.path);
        Place { path, ..place }
    }
}

/// The name of a member and its value; no value directly after the colon.
fn member(content: &str) -> Option<(&str, Option<&str>)> {
    let start = match content.chars().next() {
        Some(quote @ ('"' | '\'')) => content.get(1..)?.find(quote)?.saturating_add(1),
        _ => 0,
    };
    let colon = content.get(start..)?.find(':')?.saturating_add(start);
    let (name, after) = content.split_at_checked(colon)?;
    let after = after.get(1..)?;
    let value = after.trim_start_matches(' ');
    match (after.is_empty(), value.len() < after.len()) {
        (true, _) => Some((bare(name), None)),
        (false, true) => Some((bare(name), Some(value))),
        // A colon inside of a word.
        (false, false) => None,
    }
}
