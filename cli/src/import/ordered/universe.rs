//! The patterns that become routes, and which requests reach each of them.

use std::collections::BTreeMap;
use std::ops::Range;

use super::need::Need;
use super::region::{Path, Region};
use crate::import::plan::{Part, Shape, written};

/// How many patterns a site may have.
const MAX_PATTERNS: usize = 4_000;

/// A pattern: a path, and a method or `None` for those without a pattern of their own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    path: Path,
    method: Option<String>,
    at: Range<usize>,
}

/// How many of the requests that reach a pattern are in a region.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reach {
    None,
    /// Perhaps some.
    Some,
    All,
}

/// All patterns: for each path, its methods with the place that mentions them.
#[derive(Debug)]
pub(super) struct Universe {
    paths: BTreeMap<Path, BTreeMap<Option<String>, Range<usize>>>,
    count: usize,
}

impl Entry {
    pub(super) fn text(&self) -> String {
        match &self.path {
            None => "$default".to_owned(),
            Some(path) => {
                let method = self.method.as_deref().unwrap_or("ANY");
                format!("{method} {}", written(path))
            }
        }
    }

    pub(super) const fn at(&self) -> &Range<usize> {
        &self.at
    }
}

impl Universe {
    pub(super) fn new(at: &Range<usize>) -> Self {
        let methods = BTreeMap::from([(None, at.clone())]);
        Self {
            paths: BTreeMap::from([(None, methods)]),
            count: 1,
        }
    }

    pub(super) const fn is_small(&self) -> bool {
        self.count <= MAX_PATTERNS
    }

    /// Adds the patterns that contain a region.
    pub(super) fn add(&mut self, region: &Region) {
        if !self.is_small() {
            return;
        }
        for path in region.outer.iter().chain(&region.inner) {
            let methods = self.paths.entry(path.clone()).or_default();
            let before = methods.len();
            let mut insert = |method| {
                methods.entry(method).or_insert_with(|| region.at.clone());
            };
            match &region.methods {
                None => insert(None),
                Some(named) => {
                    for method in named {
                        insert(Some(method.clone()));
                        // A route for `GET` is also for `HEAD`, unless there is one for it.
                        if method == "GET" {
                            insert(Some("HEAD".to_owned()));
                        }
                    }
                }
            }
            let added = methods.len().saturating_sub(before);
            self.count = self.count.saturating_add(added);
        }
    }

    /// Adds every method to every path, so that a rule for methods and one for paths meet.
    /// If these are too many, such requests are denied.
    pub(super) fn complete(&mut self) {
        let named = self.paths.values().flat_map(BTreeMap::keys).flatten();
        let mut named: Vec<String> = named.cloned().collect();
        named.sort();
        named.dedup();
        let all = self
            .paths
            .len()
            .saturating_mul(named.len().saturating_add(1));
        if all > MAX_PATTERNS {
            return;
        }
        for (_, methods) in self.paths.iter_mut().filter(|(path, _)| path.is_some()) {
            let Some(at) = methods.values().next().cloned() else {
                continue;
            };
            for method in std::iter::once(None).chain(named.iter().cloned().map(Some)) {
                methods.entry(method).or_insert_with(|| at.clone());
            }
        }
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = Entry> {
        self.paths.iter().flat_map(|(path, methods)| {
            methods.iter().map(|(method, at)| Entry {
                path: path.clone(),
                method: method.clone(),
                at: at.clone(),
            })
        })
    }

    fn has(&self, path: &Path, method: Option<&str>) -> bool {
        let methods = self.paths.get(path);
        methods.is_some_and(|methods| methods.contains_key(&method.map(str::to_owned)))
    }

    /// Whether a region has the pattern's path only with a slash at its end.
    pub(super) fn needs_slash(&self, region: &Region, entry: &Entry) -> bool {
        self.reach(region, entry) != Reach::None && region.needs_slash(&entry.path)
    }

    /// How many of the requests that reach a pattern are in a region.
    pub(super) fn reach(&self, region: &Region, entry: &Entry) -> Reach {
        let named = match (&region.methods, &entry.method) {
            (Some(named), Some(method)) if !named.contains(method) => return Reach::None,
            (Some(_), Some(_)) | (None, _) => true,
            (Some(_), None) => false,
        };
        let contains = |path: &Path| within(&entry.path, path);
        if named && region.inner.iter().any(contains) {
            return Reach::All;
        }
        if let Some((number, text)) = &region.begins
            && let Some(Part::Literal(own)) = entry.path.as_ref().and_then(|path| path.get(*number))
            && !own.starts_with(text)
        {
            return Reach::None;
        }
        let mut outer = region
            .outer
            .iter()
            .filter(|path| overlap(&entry.path, path));
        if outer.any(|path| self.reaches(region, path, entry)) {
            Reach::Some
        } else {
            Reach::None
        }
    }

    /// Whether a request of a region's pattern reaches another pattern, because that one
    /// comes first.
    fn reaches(&self, region: &Region, path: &Path, entry: &Entry) -> bool {
        // The patterns of all regions are in the table.
        let before = rank(path) < rank(&entry.path);
        if before {
            return false;
        }
        let Some(named) = &region.methods else {
            return true;
        };
        if *path != entry.path {
            return match &entry.method {
                Some(method) => named.contains(method),
                None => named.iter().any(|one| !self.has(&entry.path, Some(one))),
            };
        }
        // At the same path, a named method comes first.
        entry
            .method
            .as_ref()
            .is_some_and(|method| named.contains(method))
    }
}

/// The routes that are needed: without those that change nothing.
pub(super) fn needed(decided: &[(Entry, Need)]) -> Vec<(&Entry, &Need)> {
    let of = |path: &Path, method: Option<&str>| {
        let mut found = decided.iter();
        found.find(|(entry, _)| entry.path == *path && entry.method.as_deref() == method)
    };
    let is_needed = |entry: &Entry, need: &Need| {
        let path = &entry.path;
        match entry.method.as_deref() {
            None => true,
            Some("HEAD") => match of(path, Some("GET")) {
                Some((_, same)) => same != need,
                None => of(path, None).is_none_or(|(_, same)| same != need),
            },
            Some(_) => of(path, None).is_none_or(|(_, same)| same != need),
        }
    };
    let kept = decided
        .iter()
        .filter(|(entry, need)| is_needed(entry, need));
    let mut kept: Vec<_> = kept.map(|(entry, need)| (entry, need)).collect();
    // A pattern without which the requests reach others that decide in the same way.
    let default = of(&None, None).map(|(_, need)| need);
    let all: Vec<_> = kept.clone();
    kept.retain(|(entry, need)| {
        let next = |other: &Entry| {
            if other.path != entry.path {
                return overlap(&entry.path, &other.path) && rank(&other.path) > rank(&entry.path);
            }
            let is_head = entry.method.as_deref() == Some("HEAD");
            (other.method.is_none() && entry.method.is_some())
                || (is_head && other.method.as_deref() == Some("GET"))
        };
        let mut following = all.iter().filter(|(other, _)| next(other));
        let same = following.all(|(_, other)| other == need);
        entry.path.is_none() || !same || default != Some(need)
    });
    kept
}

fn rank(path: &Path) -> (u8, Vec<u8>) {
    shape(path).rank()
}

fn overlap(one: &Path, other: &Path) -> bool {
    let both = one.is_none() || other.is_none();
    both || shape(one).common(&shape(other)).is_some()
}

fn shape(path: &Path) -> Shape {
    Shape {
        method: None,
        path: path.clone(),
    }
}

/// Whether every path of one pattern matches another.
fn within(inner: &Path, outer: &Path) -> bool {
    let (Some(inner), Some(outer)) = (inner, outer) else {
        return outer.is_none();
    };
    let mut inner = inner.iter();
    for part in outer {
        let Some(own) = inner.next() else {
            return false;
        };
        match (part, own) {
            (Part::Greedy, _) => return true,
            (Part::Variable, Part::Literal(_) | Part::Variable) => {}
            (Part::Literal(a), Part::Literal(b)) if a == b => {}
            (Part::Variable, Part::Greedy) | (Part::Literal(_), _) => return false,
        }
    }
    inner.next().is_none()
}
