//! `edge-authz test`: plays case files on the core, or against a running gateway.

mod against;
mod junit;
mod shape;

use std::io::Write;
use std::path::Path;

use annotate_snippets::Renderer;
use serde::Serialize;
use serde_json::{Value, json};

use super::source::Source;
use crate::cases::{CaseError, CaseFile, Difference, Expectation, Outcome, Player, Side, World};
use crate::load::named_configuration;

pub(crate) use against::{Gateway, Options, Target};
pub(crate) use junit::junit;

/// The results of one file.
#[derive(Debug, Serialize)]
pub(crate) struct Played {
    pub(crate) file: String,
    /// The file's description.
    about: String,
    pub(crate) cases: Vec<PlayedCase>,
    /// Why the file, or a part of it, cannot be played.
    pub(crate) errors: Vec<String>,
    /// What the results show about the gateway.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) notes: Vec<String>,
    /// Whether cases that were not played are always shown.
    #[serde(skip)]
    shows_skipped: bool,
    /// The same with the lines of the file, for people.
    #[serde(skip)]
    shown: Vec<String>,
}

/// The result of one case.
#[derive(Debug, Serialize)]
pub(crate) struct PlayedCase {
    pub(crate) name: String,
    pub(crate) result: Verdict,
    /// The differences from the expectation.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) differences: Vec<Unexpected>,
    /// Why the case was not played.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) why: Option<String>,
}

/// Whether a case has passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    Passed,
    Failed,
    /// It was not played.
    Skipped,
}

/// A difference from the expectation.
#[derive(Debug, PartialEq, Eq, Serialize)]
pub(crate) struct Unexpected {
    what: String,
    expected: String,
    found: String,
}

impl From<Difference> for Unexpected {
    fn from(difference: Difference) -> Self {
        let Difference {
            what,
            expected,
            found,
        } = difference;
        Self {
            what,
            expected,
            found,
        }
    }
}

/// Plays the cases of a file that have `wanted` in their name, on the core or against a
/// gateway.
pub(crate) fn play(
    source: &Source,
    wanted: Option<&str>,
    gateway: Option<&mut Gateway<'_>>,
    renderer: &Renderer,
) -> Played {
    let mut played = Played {
        file: source.name.clone(),
        about: String::new(),
        cases: Vec::new(),
        errors: Vec::new(),
        notes: Vec::new(),
        shows_skipped: gateway.is_some(),
        shown: Vec::new(),
    };
    let read = |name: &str| named_configuration(Path::new(&source.name), name);
    match CaseFile::parse_with(&source.text, &read) {
        Ok(file) => {
            played.about.clone_from(&file.about);
            if let Some(gateway) = gateway {
                gateway.play(file, wanted, &mut played);
                return played;
            }
            for world in &file.worlds {
                if let Err(error) = played.play(world, wanted) {
                    played.errors.push(error.to_string());
                }
            }
        }
        Err(error) => {
            for finding in shape::findings(source, &error) {
                played.errors.push(finding.line(source));
                played.shown.push(finding.render(source, renderer));
            }
        }
    }
    played
}

impl Played {
    fn play(&mut self, world: &World, wanted: Option<&str>) -> Result<(), CaseError> {
        let is_wanted = |name: &str| wanted.is_none_or(|wanted| name.contains(wanted));
        let cases: Vec<_> = world
            .cases
            .iter()
            .filter(|case| is_wanted(&case.name))
            .collect();
        if cases.is_empty() {
            return Ok(());
        }
        let player = Player::new(world)?;
        for case in cases {
            self.cases.push(if case.is_for(Side::Native) {
                let ask = |request: &_| player.nonce(request, world.now());
                let (request, [expected, _]) = world.prepare(case, world.now(), ask)?;
                PlayedCase::of(&case.name, &expected, &player.play(&request, world.now()))
            } else {
                PlayedCase::skipped(&case.name, "only for Envoy")
            });
        }
        Ok(())
    }

    /// The number of cases with this result.
    pub(crate) fn count(&self, result: Verdict) -> usize {
        self.cases
            .iter()
            .filter(|case| case.result == result)
            .count()
    }

    /// Whether every case that was played passed.
    pub(crate) fn is_good(&self) -> bool {
        self.errors.is_empty() && self.count(Verdict::Failed) == 0
    }

    /// Writes the differences, and a summary.
    ///
    /// # Errors
    ///
    /// The errors of the writer.
    pub(crate) fn show(
        &self,
        style: &Style,
        all: bool,
        out: &mut dyn Write,
    ) -> std::io::Result<()> {
        let Style { red, green, plain } = style;
        for case in &self.cases {
            match case.result {
                Verdict::Passed if all => writeln!(out, "{green}✓{plain} {}", case.name)?,
                Verdict::Skipped if all || self.shows_skipped => {
                    let why = case.why.as_deref().unwrap_or_default();
                    writeln!(out, "– {}: {why}", case.name)?;
                }
                Verdict::Passed | Verdict::Skipped => {}
                Verdict::Failed => {
                    writeln!(out, "{red}✗{plain} {}", case.name)?;
                    for difference in &case.differences {
                        writeln!(out, "    {}", difference.what)?;
                        for line in difference.expected.lines() {
                            writeln!(out, "    {red}- {line}{plain}")?;
                        }
                        for line in difference.found.lines() {
                            writeln!(out, "    {green}+ {line}{plain}")?;
                        }
                    }
                }
            }
        }
        for note in &self.notes {
            writeln!(out, "{red}note{plain}: {note}")?;
        }
        for shown in &self.shown {
            writeln!(out, "{shown}\n")?;
        }
        // The others are errors of the worlds.
        for error in self.errors.iter().skip(self.shown.len()) {
            writeln!(out, "{red}error{plain}: {}: {error}", self.file)?;
        }
        let counts = [
            (Verdict::Passed, "passed"),
            (Verdict::Failed, "failed"),
            (Verdict::Skipped, "not played"),
        ];
        let counts = counts.map(|(result, word)| (self.count(result), word));
        let counts = counts
            .into_iter()
            .filter(|(count, word)| *count > 0 || *word == "passed");
        let counts: Vec<_> = counts
            .map(|(count, word)| format!("{count} {word}"))
            .collect();
        writeln!(out, "{}: {}", self.file, counts.join(", "))
    }

    /// The same, for other programs.
    pub(crate) fn to_json(&self) -> Value {
        json!({
            "passed": self.count(Verdict::Passed),
            "failed": self.count(Verdict::Failed),
            "skipped": self.count(Verdict::Skipped),
            "file": self.file,
            "about": self.about,
            "errors": self.errors,
            "notes": self.notes,
            "cases": self.cases,
        })
    }
}

impl PlayedCase {
    /// A case that was not played.
    fn skipped(name: &str, why: &str) -> Self {
        Self {
            name: name.to_owned(),
            result: Verdict::Skipped,
            differences: Vec::new(),
            why: Some(why.to_owned()),
        }
    }

    /// A case that was played.
    fn judged(name: &str, differences: Vec<Unexpected>) -> Self {
        Self {
            name: name.to_owned(),
            result: if differences.is_empty() {
                Verdict::Passed
            } else {
                Verdict::Failed
            },
            differences,
            why: None,
        }
    }

    /// A case that was played on the core. The second outcome, with a cached token, must be
    /// the same.
    fn of(name: &str, expected: &Expectation, outcomes: &[Outcome; 2]) -> Self {
        let [first, second] = outcomes;
        let differences = |outcome| {
            expected
                .differences(outcome)
                .into_iter()
                .map(Unexpected::from)
        };
        let mut all: Vec<_> = differences(first).collect();
        let again = differences(second).filter(|later| !all.contains(later));
        let again: Vec<_> = again
            .map(|later| Unexpected {
                what: format!("{}, the second time", later.what),
                ..later
            })
            .collect();
        all.extend(again);
        Self::judged(name, all)
    }
}

/// How lines are coloured.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Style {
    red: &'static str,
    green: &'static str,
    plain: &'static str,
}

impl Style {
    /// With colours, or without.
    pub(crate) const fn new(coloured: bool) -> Self {
        if coloured {
            Self {
                red: "\u{1b}[31m",
                green: "\u{1b}[32m",
                plain: "\u{1b}[0m",
            }
        } else {
            Self {
                red: "",
                green: "",
                plain: "",
            }
        }
    }
}
