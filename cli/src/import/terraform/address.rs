//! Addresses of resources and references to them, such as `module.api["a"].aws_x.y[0].id`.

/// A part of an address: a name and the key of an instance, with its brackets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Step<'a> {
    pub(super) name: &'a str,
    pub(super) key: Option<&'a str>,
}

/// The parts of an address; `None` if it is not one.
pub(super) fn steps(text: &str) -> Option<Vec<Step<'_>>> {
    let mut found = Vec::new();
    let mut rest = text;
    loop {
        let end = rest.find(['.', '[']).unwrap_or(rest.len());
        let (name, after) = rest.split_at_checked(end)?;
        if name.is_empty() {
            return None;
        }
        let (key, after) = key(after)?;
        found.push(Step { name, key });
        match after.strip_prefix('.') {
            Some(next) => rest = next,
            None if after.is_empty() => return Some(found),
            None => return None,
        }
    }
}

/// The keys at the beginning of a text, and what follows them.
fn key(text: &str) -> Option<(Option<&str>, &str)> {
    let mut end = 0;
    let (mut inside, mut quoted, mut escaped) = (false, false, false);
    for (at, byte) in text.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' if inside => quoted = !quoted,
            b'[' if !quoted && !inside => inside = true,
            b']' if !quoted && inside => {
                inside = false;
                end = at.saturating_add(1);
            }
            _ if inside => {}
            _ => break,
        }
    }
    if inside {
        return None;
    }
    let (key, after) = text.split_at_checked(end)?;
    Some(((!key.is_empty()).then_some(key), after))
}

/// The modules at the beginning of an address, and the other parts.
pub(super) fn modules<'s, 'a>(steps: &'s [Step<'a>]) -> (Vec<Step<'a>>, &'s [Step<'a>]) {
    let mut found = Vec::new();
    let mut rest = steps;
    while let [word, module, after @ ..] = rest
        && word.name == "module"
        && word.key.is_none()
    {
        found.push(*module);
        rest = after;
    }
    (found, rest)
}

/// An address without the keys of instances: that of the configuration.
pub(super) fn without_keys(address: &str) -> Option<String> {
    let steps = steps(address)?;
    let names: Vec<_> = steps.iter().map(|step| step.name).collect();
    Some(names.join("."))
}

/// Whether a reference is the beginning of another one.
pub(super) fn begins(text: &str, longer: &str) -> bool {
    let rest = longer.strip_prefix(text);
    rest.is_some_and(|rest| rest.starts_with(['.', '[']))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn keys_may_contain_what_separates_parts() {
        let read = steps(r#"module.a["x.y]\"z"].aws_x.b[0].id"#).unwrap();
        let keys: Vec<_> = read.iter().map(|step| (step.name, step.key)).collect();
        assert_eq!(
            keys,
            [
                ("module", None),
                ("a", Some(r#"["x.y]\"z"]"#)),
                ("aws_x", None),
                ("b", Some("[0]")),
                ("id", None)
            ]
        );
        let (modules, rest) = modules(&read);
        assert_eq!((modules.len(), rest.len()), (1, 3));
        assert_eq!(
            without_keys(r#"aws_x.y["a.b"]"#).as_deref(),
            Some("aws_x.y")
        );
    }

    #[test]
    fn what_is_no_address_is_not_read() {
        for text in ["", ".", "a.", "a[", "a[\"]", "a]b.c]", "a[0]b", "[0]"] {
            assert!(
                steps(text).is_none_or(|steps| steps.iter().all(|step| !step.name.is_empty())),
                "{text}"
            );
        }
        for text in ["", ".", "a.", "a[", "a[\"]", "a[0]b", "[0]"] {
            assert_eq!(steps(text), None, "{text}");
        }
    }

    #[test]
    fn a_reference_begins_a_longer_one_only_at_a_separator() {
        assert!(begins("aws_x.y", "aws_x.y.id"));
        assert!(begins("aws_x.y", "aws_x.y[0]"));
        assert!(!begins("aws_x.y", "aws_x.yz"));
        assert!(!begins("aws_x.y", "aws_x.y"));
    }
}
