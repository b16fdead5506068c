//! Fills the files of `envoy/templates` and of the examples.

/// Puts values where a template has `{{name}}`; see [`insert`] for those that
/// stand alone on their line. A name without value and a value without place
/// are mistakes of the test.
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

/// Replaces a text that has to be there.
#[track_caller]
pub(crate) fn replace(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "no {from:?} to replace");
    text.replace(from, to)
}

/// Puts a block of lines, or none, where its mark stands alone on a line. The
/// block takes over the mark's indentation; marks inside it stay.
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
