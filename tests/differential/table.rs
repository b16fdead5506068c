//! Which faults the judges accept, and whether each disagreement has been explained.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use crate::generate::Case;
use crate::{JUDGES, Verdicts};

/// How often each judge accepted tokens with one fault.
#[derive(Default)]
struct Count {
    tokens: usize,
    accepted: [usize; JUDGES.len()],
}

/// The verdicts by fault.
#[derive(Default)]
pub(crate) struct Table {
    single: BTreeMap<&'static str, Count>,
    /// The two faults and the verdicts of tokens on which judges disagree.
    pairs: BTreeSet<(&'static str, &'static str, Verdicts)>,
    good: Count,
}

impl Table {
    pub(crate) fn add(&mut self, case: &Case, verdicts: Verdicts) {
        let names: Vec<&'static str> = case.faults.iter().map(|fault| fault.name).collect();
        let count = match names[..] {
            [] => &mut self.good,
            [only] => self.single.entry(only).or_default(),
            _ => {
                if verdicts.iter().any(|verdict| *verdict != verdicts[0]) {
                    self.pairs.insert((names[0], names[1], verdicts));
                }
                return;
            }
        };
        count.tokens += 1;
        for (accepted, verdict) in count.accepted.iter_mut().zip(verdicts) {
            *accepted += usize::from(verdict);
        }
    }

    /// The rows on which judges disagree, as in the document, with the number of tokens.
    pub(crate) fn text(&self) -> String {
        let mut text = String::new();
        for (name, count) in self.disagreements() {
            let cells = count.cells().join(" | ");
            writeln!(text, "| {name} | {cells} | {} tokens |", count.tokens).unwrap();
        }
        text
    }

    fn disagreements(&self) -> impl Iterator<Item = (&'static str, &Count)> {
        let all = self.single.iter().map(|(name, count)| (*name, count));
        all.filter(|(_, count)| {
            let cells = count.cells();
            cells
                .iter()
                .any(|cell| *cell != cells[0] || *cell == "some")
        })
    }

    /// Fails if a disagreement is not in the document, or the document has one that does
    /// not exist. A row may also explain two faults together: `one; other`.
    pub(crate) fn compare(&self, document: &str) {
        let explained: BTreeMap<&str, Vec<&str>> = document
            .lines()
            .filter_map(|line| {
                let cells: Vec<&str> = line.strip_prefix("| ")?.split(" | ").collect();
                (cells.len() == 6).then(|| (cells[0], cells[1..5].to_vec()))
            })
            .collect();
        let mut wrong = String::new();
        assert_eq!(self.good.cells(), ["all"; JUDGES.len()], "good tokens");
        for (name, count) in self.disagreements() {
            if explained
                .get(name)
                .is_none_or(|cells| **cells != count.cells())
            {
                writeln!(wrong, "| {name} | {} |", count.cells().join(" | ")).unwrap();
            }
        }
        for name in explained
            .keys()
            .filter(|name| **name != "fault" && !name.starts_with('-') && !name.contains("; "))
        {
            if !self.disagreements().any(|(known, _)| known == *name) {
                writeln!(wrong, "{name}: no disagreement").unwrap();
            }
        }
        // A second fault may only hide a disagreement, or refuse what the first one lets pass.
        for (one, other, verdicts) in &self.pairs {
            if let Some(cells) = explained.get(format!("{one}; {other}").as_str()) {
                let found = verdicts.map(|verdict| if verdict { "all" } else { "none" });
                if **cells != found {
                    writeln!(wrong, "| {one}; {other} | {} |", found.join(" | ")).unwrap();
                }
                continue;
            }
            let explains = |name: &str, judge: usize| {
                let cell = |judge: usize| explained.get(name).map(|cells| cells[judge]);
                cell(0).is_some() && cell(0) != cell(judge) || cell(judge) == Some("some")
            };
            for judge in 1..JUDGES.len() {
                let agrees = verdicts[judge] == verdicts[0];
                if !agrees && !explains(one, judge) && !explains(other, judge) {
                    writeln!(wrong, "{one}, {other}: {verdicts:?}").unwrap();
                }
            }
        }
        assert!(
            wrong.is_empty(),
            "not as in tests/differential.md:\n{wrong}"
        );
    }
}

impl Count {
    /// What each judge accepts of these tokens: all, some or none.
    fn cells(&self) -> [&'static str; JUDGES.len()] {
        self.accepted.map(|accepted| match accepted {
            0 => "none",
            _ if accepted == self.tokens => "all",
            _ => "some",
        })
    }
}
