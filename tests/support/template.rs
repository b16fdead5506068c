//! Fills the files of `envoy/templates` and of the examples.

/// Replaces each `{{name}}` in a template by its value; see [`insert`] for marks that
/// stand alone on a line. A name without a value and a value without a name are errors in
/// the test.
pub(crate) fn fill(template: &str, values: &[(&str, &str)]) -> String {
    let mut text = template.to_owned();
    for (name, value) in values {
        let mark = format!("{{{{{name}}}}}");
        assert!(text.contains(&mark), "the template has no {mark}");
        text = insert(&text, &mark, value).replace(&mark, value);
    }
    let open = text.lines().find(|line| line.contains("{{"));
    assert!(open.is_none(), "no value for {open:?}");
    text
}

/// Replaces a text that must be present.
#[track_caller]
pub(crate) fn replace(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} to replace");
    text.replace(from, to)
}

/// Inserts a block of lines, which may be empty, in place of a mark that stands alone on
/// a line. The block gets the mark's indentation; marks inside it stay.
pub(crate) fn insert(text: &str, mark: &str, block: &str) -> String {
    let mut filled = String::new();
    for line in text.split_inclusive('\n') {
        if line.trim() == mark {
            let indentation = line.split(mark).next().unwrap_or_default();
            for part in block.lines() {
                filled.extend([indentation, part, "\n"]);
            }
        } else {
            filled.push_str(line);
        }
    }
    filled
}
