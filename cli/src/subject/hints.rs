//! What a fault of YAML probably means.

use std::ops::Range;

use crate::tree::Fault;

/// The place of a fault, what is wrong there, and what to write instead. `None`: it is not
/// one of the usual mistakes.
pub(super) fn of(text: &str, fault: &Fault) -> Option<(Range<usize>, String)> {
    let line = line_at(text, fault.at);
    if let Some(found) = tab(text, &line) {
        return Some(found);
    }
    let content = text.get(line.clone())?;
    let at = fault.at.min(text.len());
    match text.get(at..)?.chars().next() {
        Some('*') => return Some(star(text, at)),
        Some('`') => {
            let sentence = "a text cannot begin with a backtick in YAML; quote it".to_owned();
            return Some((at..at.saturating_add(1), sentence));
        }
        Some(first @ ('@' | '%')) => {
            let sentence = format!("a text cannot begin with `{first}` in YAML; quote it");
            return Some((at..at.saturating_add(1), sentence));
        }
        _ => {}
    }
    if let Some(star_at) = content
        .find(['*'])
        .filter(|_| fault.message.contains("alias"))
    {
        return Some(star(text, line.start.saturating_add(star_at)));
    }
    braces(content, line.start)
}

/// A `*` begins the name of an alias.
fn star(text: &str, at: usize) -> (Range<usize>, String) {
    let rest = text.get(at..).unwrap_or_default();
    let end = rest.find([',', ']', '}', '\n', '#']).unwrap_or(rest.len());
    let word = rest.get(..end).unwrap_or_default().trim_end();
    let sentence =
        format!("YAML reads an unquoted `*` as the name of another value; quote it: {word:?}");
    (at..at.saturating_add(word.len()), sentence)
}

/// A tab in the indentation of the line of a fault or of the next one.
fn tab(text: &str, line: &Range<usize>) -> Option<(Range<usize>, String)> {
    let next = line_at(text, line.end.saturating_add(1).min(text.len()));
    let number = |at: usize| {
        text.get(..at)
            .unwrap_or_default()
            .matches('\n')
            .count()
            .saturating_add(1)
    };
    [line.clone(), next].into_iter().find_map(|line| {
        let content = text.get(line.clone())?;
        let margin = content
            .find(|letter: char| !letter.is_whitespace())
            .unwrap_or(content.len());
        let tab = content.get(..margin)?.find('\t')?;
        let at = line.start.saturating_add(tab);
        let sentence = format!("line {} is indented with a tab; write spaces", number(at));
        Some((at..at.saturating_add(1), sentence))
    })
}

/// `{id}` without quotes inside `{…}` or `[…]`.
fn braces(content: &str, start: usize) -> Option<(Range<usize>, String)> {
    let open = content.find("/{")?.saturating_add(1);
    let inner = content.get(open..)?;
    let close = inner.find('}')?;
    let before = content.get(..open)?;
    let quotes = before.matches(['"', '\'']).count();
    if quotes % 2 == 1 {
        return None;
    }
    // The text begins after the last separator.
    let begin = before
        .rfind(['[', '{', ',', ':'])
        .map_or(0, |at| at.saturating_add(1));
    let end = open.saturating_add(close).saturating_add(1);
    let rest = content.get(end..)?;
    let more = rest.find([',', ']', '}', ' ']).unwrap_or(rest.len());
    let whole = content.get(begin..end.saturating_add(more))?.trim();
    let sentence = format!(
        "YAML reads unquoted braces inside `{{…}}` and `[…]` as an object; quote the text: {whole:?}"
    );
    let from = start.saturating_add(open);
    Some((from..from.saturating_add(close).saturating_add(1), sentence))
}

fn line_at(text: &str, at: usize) -> Range<usize> {
    let at = text.floor_char_boundary(at.min(text.len()));
    let before = text.get(..at).unwrap_or_default();
    let start = before.rfind('\n').map_or(0, |line| line.saturating_add(1));
    let after = text.get(at..).unwrap_or_default();
    let end = after
        .find('\n')
        .map_or(text.len(), |line| line.saturating_add(at));
    start..end
}
