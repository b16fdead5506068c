//! Results in the format of CI servers.

use std::fmt::Write;

use super::{Played, Verdict};

/// The results of some files as a `JUnit` document.
pub(crate) fn junit(files: &[Played]) -> String {
    let mut out = "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites>\n".to_owned();
    for file in files {
        let infallible = suite(file, &mut out);
        debug_assert!(infallible.is_ok(), "a string takes all");
    }
    out.push_str("</testsuites>\n");
    out
}

fn suite(file: &Played, out: &mut String) -> std::fmt::Result {
    let name = escaped(&file.file);
    writeln!(
        out,
        "  <testsuite name=\"{name}\" tests=\"{}\" failures=\"{}\" errors=\"{}\" skipped=\"{}\">",
        file.cases.len().saturating_add(file.errors.len()),
        file.count(Verdict::Failed),
        file.errors.len(),
        file.count(Verdict::Skipped),
    )?;
    for case in &file.cases {
        let case_name = escaped(&case.name);
        write!(
            out,
            "    <testcase classname=\"{name}\" name=\"{case_name}\""
        )?;
        match case.result {
            Verdict::Passed => writeln!(out, "/>")?,
            Verdict::Skipped => {
                let why = escaped(case.why.as_deref().unwrap_or_default());
                writeln!(out, "><skipped message=\"{why}\"/></testcase>")?;
            }
            Verdict::Failed => {
                let lines = case.differences.iter();
                let lines =
                    lines.map(|one| format!("{}\n- {}\n+ {}\n", one.what, one.expected, one.found));
                let text = escaped(&lines.collect::<String>());
                writeln!(
                    out,
                    ">\n      <failure message=\"not as expected\">{text}</failure>\n    </testcase>"
                )?;
            }
        }
    }
    for error in &file.errors {
        let text = escaped(error);
        writeln!(
            out,
            "    <testcase classname=\"{name}\" name=\"the file\"><error message=\"{text}\"/></testcase>"
        )?;
    }
    writeln!(out, "  </testsuite>")
}

/// Text escaped for XML, without characters that XML does not allow.
fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '&' => out.push_str("&amp;"),
            '"' => out.push_str("&quot;"),
            '\n' | '\t' => out.push(character),
            control if control.is_control() || matches!(control, '\u{fffe}' | '\u{ffff}') => {
                out.push('\u{fffd}');
            }
            other => out.push(other),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_text_is_escaped_to_valid_xml() {
        assert_eq!(
            escaped("a<b>&\"\u{1}\u{1b}\n"),
            "a&lt;b&gt;&amp;&quot;\u{fffd}\u{fffd}\n"
        );
    }
}
