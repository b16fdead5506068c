//! Files as they are read and shown.

use std::io::Read;
use std::ops::Range;

/// A file's text and the name that it is shown by.
#[derive(Debug, Default)]
pub(crate) struct Source {
    pub(crate) name: String,
    pub(crate) bytes: Vec<u8>,
    /// The same as text, with a replacement character for each invalid byte sequence.
    pub(crate) text: String,
}

/// A place as shown in messages: both numbers start at 1, and columns count characters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Position {
    pub(crate) line: usize,
    pub(crate) column: usize,
}

impl Source {
    /// Reads a file, or standard input for `-`.
    ///
    /// # Errors
    ///
    /// It cannot be read; a sentence with its name.
    pub(crate) fn read(path: &str, stdin: &mut dyn Read) -> Result<Self, String> {
        let mut bytes = Vec::new();
        let (name, read) = if path == "-" {
            ("standard input", stdin.read_to_end(&mut bytes).map(|_| ()))
        } else {
            (path, std::fs::read(path).map(|read| bytes = read))
        };
        read.map_err(|error| format!("{name}: {error}"))?;
        Ok(Self::new(name, bytes))
    }

    /// Reads the YAML and JSON files of a folder, in the order of their names; not those of
    /// folders in it. `None`: it is no folder.
    ///
    /// # Errors
    ///
    /// The folder or a file cannot be read; a sentence with its name.
    pub(crate) fn read_folder(path: &str) -> Result<Option<Vec<Self>>, String> {
        if path == "-" || !std::path::Path::new(path).is_dir() {
            return Ok(None);
        }
        let failed = |error: std::io::Error| format!("{path}: {error}");
        let mut files = Vec::new();
        for entry in std::fs::read_dir(path).map_err(failed)? {
            let file = entry.map_err(failed)?.path();
            let extension = file.extension().and_then(|extension| extension.to_str());
            if file.is_file() && matches!(extension, Some("yaml" | "yml" | "json")) {
                files.push(file);
            }
        }
        files.sort();
        let read = |file: std::path::PathBuf| {
            let name = file.display().to_string();
            let bytes = std::fs::read(&file).map_err(|error| format!("{name}: {error}"))?;
            Ok(Self::new(name, bytes))
        };
        files
            .into_iter()
            .map(read)
            .collect::<Result<_, _>>()
            .map(Some)
    }

    /// A text with a name.
    pub(crate) fn new(name: impl Into<String>, bytes: Vec<u8>) -> Self {
        Self {
            name: name.into(),
            text: String::from_utf8_lossy(&bytes).into_owned(),
            bytes,
        }
    }

    /// The place of a byte of the text.
    pub(crate) fn position(&self, at: usize) -> Position {
        position(&self.text, at)
    }
}

/// The place of a byte of a text.
pub(crate) fn position(text: &str, at: usize) -> Position {
    let at = floor(text, at);
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    Position {
        line: before.matches('\n').count().saturating_add(1),
        column: line.chars().count().saturating_add(1),
    }
}

/// The byte of a text at a line and a column. The column counts bytes, and both start at
/// 1; column 0 is the end of the line before.
pub(crate) fn offset(text: &str, line: usize, column: usize) -> usize {
    let before: usize = text
        .split_inclusive('\n')
        .take(line.saturating_sub(1))
        .map(str::len)
        .sum();
    floor(text, before.saturating_add(column).saturating_sub(1))
}

/// The part of a range on its first line, without splitting a character.
pub(crate) fn first_line(text: &str, span: &Range<usize>) -> Range<usize> {
    let start = floor(text, span.start);
    let end = floor(text, span.end).max(start);
    let part = text.get(start..end).unwrap_or_default();
    let line = part.lines().next().unwrap_or_default().trim_end();
    start..start.saturating_add(line.len())
}

fn floor(text: &str, at: usize) -> usize {
    text.floor_char_boundary(at.min(text.len()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_in_characters_from_1() {
        let text = "a\näöx\n";
        assert_eq!(position(text, 6), Position { line: 2, column: 3 });
        assert_eq!(offset(text, 2, 5), 6);
        assert_eq!(offset(text, 2, 0), 1);
        assert_eq!(offset(text, 9, 9), text.len());
        assert_eq!(first_line(text, &(2..7)), 2..7);
        assert_eq!(first_line(text, &(0..7)), 0..1);
        assert_eq!(first_line(text, &(3..99)), 2..7);
    }
}
