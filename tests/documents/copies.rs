//! Copies in the documentation equal their files.
//!
//! A page has no directive that includes a file, so that it is complete wherever it is
//! read. A copy stands after the comment `<!-- copy of FILE -->`: it is the code block
//! that follows, or everything up to `<!-- end of the copy -->`. `FILE:NAME` is the part
//! of a file between its lines `ANCHOR: NAME` and `ANCHOR_END: NAME`.

use std::fmt::Write;
use std::fs;

use super::pages::{Page, all, root};

const END: &str = "<!-- end of the copy -->";

/// With `UPDATE_GOLDEN=1`, it writes the copies.
#[test]
fn every_copy_equals_its_file() {
    let update = std::env::var_os("UPDATE_GOLDEN").is_some();
    let mut count = 0;
    let mut wrong = String::new();
    for page in all() {
        let current = with_current_copies(&page, &mut count);
        if current == page.text {
            continue;
        }
        if update {
            fs::write(&page.path, current).unwrap();
        } else {
            let lines = page.text.lines().zip(current.lines());
            let equal = lines.take_while(|(is, should)| is == should).count();
            writeln!(wrong, "{}, line {}", page.name(), equal + 1).unwrap();
        }
    }
    assert!(
        wrong.is_empty(),
        "copies differ from their files; `UPDATE_GOLDEN=1 cargo test --test documents` writes them:\n{wrong}"
    );
    assert!(count >= 20, "only {count} copies were found");
}

#[test]
fn no_page_needs_a_tool_to_be_complete() {
    for page in all() {
        for line in page.text.lines() {
            assert!(!line.contains("{{#"), "{}: {line}", page.name());
        }
    }
}

/// The text of a page with what its copies should be.
fn with_current_copies(page: &Page, count: &mut usize) -> String {
    let mut text = String::new();
    let mut lines = page.text.lines();
    while let Some(line) = lines.next() {
        text += line;
        text += "\n";
        let comment = line.strip_prefix("<!-- copy of ");
        let Some(source) = comment.and_then(|rest| rest.strip_suffix(" -->")) else {
            continue;
        };
        *count += 1;
        let first = lines.next().unwrap_or_default();
        let end = if first.starts_with("```") {
            text += first;
            text += "\n";
            "```"
        } else {
            END
        };
        text += &original(page, source);
        text += end;
        text += "\n";
        // An empty copy ends at once.
        let ended = first == end || lines.any(|line| line == end);
        assert!(ended, "{}: the copy of {source} does not end", page.name());
    }
    text
}

/// The text of the file, or of the part of it, that a page copies.
fn original(page: &Page, source: &str) -> String {
    let (file, name) = source.split_once(':').unwrap_or((source, ""));
    let path = page.path.parent().unwrap().join(file);
    let text = fs::read_to_string(&path)
        .unwrap_or_else(|error| panic!("{}: {}: {error}", page.name(), path.display()));
    assert!(path.starts_with(root()), "{}: {source}", page.name());
    let mut lines: Vec<&str> = text.lines().collect();
    if !name.is_empty() {
        let mark = |mark: &str| {
            let mark = format!("{mark}: {name} ");
            let found = lines.iter().position(|line| line.contains(&mark));
            found.unwrap_or_else(|| panic!("{}: {source}: no such part", page.name()))
        };
        let (begin, end) = (mark("ANCHOR"), mark("ANCHOR_END"));
        lines = lines[begin + 1..end].to_vec();
    }
    lines.retain(|line| !line.contains("ANCHOR"));
    let text = lines.join("\n");
    let text = text.trim_end();
    assert!(!text.is_empty(), "{}: {source} is empty", page.name());
    format!("{text}\n")
}
