//! Sets of requests: between the patterns that are within and those that contain it.

use std::ops::Range;

use crate::import::plan::{Part, Shape};
use edge_authz::http::{MethodPattern, PathPattern, PathRules};

/// The segments of a path pattern; `None` is every path.
pub(super) type Path = Option<Vec<Part>>;

/// A set of requests.
#[derive(Debug, Clone)]
pub(in crate::import) struct Region {
    pub(super) at: Range<usize>,
    /// `None`: every method. `HEAD` is a method of its own.
    pub(super) methods: Option<Vec<String>>,
    /// Patterns that match only requests of the set.
    pub(super) inner: Vec<Path>,
    /// Patterns that match all requests of the set.
    pub(super) outer: Vec<Path>,
    /// The number of a segment, and the text with which it begins.
    pub(super) begins: Option<(usize, Vec<u8>)>,
}

impl Region {
    fn new(at: &Range<usize>, inner: Vec<Path>, outer: Vec<Path>) -> Self {
        Self {
            at: at.clone(),
            methods: None,
            inner,
            outer,
            begins: None,
        }
    }

    /// All requests.
    pub(in crate::import) fn everything(at: &Range<usize>) -> Self {
        Self::new(at, vec![None], vec![None])
    }

    /// An unknown set of requests.
    pub(in crate::import) fn unknown(at: &Range<usize>) -> Self {
        Self::new(at, Vec::new(), vec![None])
    }

    /// The requests for a path.
    pub(in crate::import) fn exact(at: &Range<usize>, text: &str) -> Self {
        let Some(path) = parts(text) else {
            return Self::unknown(at);
        };
        Self::new(at, vec![Some(path.clone())], vec![Some(path)])
    }

    /// A path and those below it.
    pub(in crate::import) fn below(at: &Range<usize>, text: &str) -> Self {
        match parts(text) {
            None => Self::unknown(at),
            Some(path) if path.is_empty() => Self::everything(at),
            Some(path) => {
                let both = vec![Some(path.clone()), Some(with(&path, Part::Greedy))];
                Self::new(at, both.clone(), both)
            }
        }
    }

    /// The paths that begin with a text, which may end inside a segment.
    pub(in crate::import) fn prefix(at: &Range<usize>, text: &str) -> Self {
        if text.is_empty() || text == "/" {
            return Self::everything(at);
        }
        let plain = text.strip_suffix('/').unwrap_or(text);
        let Some(path) = parts(plain).filter(|_| !plain.ends_with('/')) else {
            return Self::unknown(at);
        };
        let below = Some(with(&path, Part::Greedy));
        if plain != text {
            return Self::new(at, vec![below.clone()], vec![Some(path), below]);
        }
        let Some((Part::Literal(last), parent)) = path.split_last() else {
            return Self::everything(at);
        };
        let begins = Some((parent.len(), last.clone()));
        let wider = with(parent, Part::Variable);
        let inner = vec![Some(path), below];
        let mut outer = inner.clone();
        outer.push(Some(with(&wider, Part::Greedy)));
        outer.push(Some(wider));
        Self {
            begins,
            ..Self::new(at, inner, outer)
        }
    }

    /// The paths that a regular expression matches as a whole. Only its beginning is known.
    pub(in crate::import) fn regex(at: &Range<usize>, text: &str) -> Self {
        let plain = |letter: char| letter.is_ascii_alphanumeric() || "/_-~".contains(letter);
        let end = text.find(|letter| !plain(letter)).unwrap_or(text.len());
        let (mut known, rest) = (
            text.get(..end).unwrap_or_default(),
            text.get(end..).unwrap_or_default(),
        );
        if text.contains('|') {
            return Self::unknown(at);
        }
        // The last letter may be optional.
        if rest.starts_with(['?', '*', '{']) {
            let mut letters = known.chars();
            letters.next_back();
            known = letters.as_str();
        }
        if !known.starts_with('/') {
            return Self::unknown(at);
        }
        Self::prefix(at, known).conditional()
    }

    /// A template with `{*}` for one segment and `{**}` for any number of them.
    pub(in crate::import) fn template(at: &Range<usize>, text: &str) -> Self {
        let mut segments: Vec<&str> = text.split('/').collect();
        let rest = segments.last() == Some(&"{**}");
        if rest {
            segments.pop();
        }
        let known = |segment: &&str| *segment == "{*}" || !segment.contains(['{', '}', '*']);
        if !segments.iter().all(known) {
            return Self::unknown(at);
        }
        let mut number = 0_usize;
        let named: Vec<String> = segments
            .iter()
            .map(|segment| {
                number = number.saturating_add(1);
                match *segment {
                    "{*}" => format!("{{part{number}}}"),
                    other => other.to_owned(),
                }
            })
            .collect();
        let text = named.join("/");
        let text = if text.is_empty() { "/" } else { &text };
        let Ok(path) = PathPattern::parse(text, &PathRules::default()) else {
            return Self::unknown(at);
        };
        let path = Shape::of_path(&path).path.unwrap_or_default();
        if !rest {
            return Self::new(at, vec![Some(path.clone())], vec![Some(path)]);
        }
        if path.is_empty() {
            return Self::everything(at);
        }
        let below = Some(with(&path, Part::Greedy));
        // Whether `{**}` stands for no segment, too, differs between versions.
        Self::new(at, vec![below.clone()], vec![Some(path), below])
    }

    /// Only with these methods.
    pub(in crate::import) fn with_methods(mut self, methods: &[&str]) -> Self {
        let named =
            |method: &&str| matches!(MethodPattern::parse(method), Ok(MethodPattern::Named(_)));
        if methods.is_empty() || !methods.iter().all(named) {
            return self.conditional();
        }
        // `$default` is for every method.
        for paths in [&mut self.inner, &mut self.outer] {
            if paths.contains(&None) {
                *paths = vec![Some(Vec::new()), Some(vec![Part::Greedy])];
            }
        }
        self.methods = Some(methods.iter().map(|method| (*method).to_owned()).collect());
        self
    }

    /// Whether it has a path only with a slash at its end, which makes no difference here.
    pub(super) fn needs_slash(&self, path: &Path) -> bool {
        self.outer.contains(path) && !self.inner.contains(path) && path.is_some()
    }

    /// Only some of the requests.
    pub(in crate::import) fn conditional(mut self) -> Self {
        self.inner.clear();
        self
    }

    /// The requests of both sets.
    pub(in crate::import) fn and(self, other: Self) -> Self {
        let methods = match (&self.methods, &other.methods) {
            (None, methods) | (methods, None) => methods.clone(),
            (Some(one), Some(other)) => Some(
                one.iter()
                    .filter(|method| other.contains(method))
                    .cloned()
                    .collect(),
            ),
        };
        let all = |region: &Self| region.inner.contains(&None);
        let (inner, outer) = if all(&self) {
            (other.inner, other.outer)
        } else if all(&other) || self.inner == other.inner && self.outer == other.outer {
            (self.inner, self.outer)
        } else {
            (Vec::new(), self.outer)
        };
        let mut both = Self::new(&self.at, inner, outer);
        both.begins = self.begins.or(other.begins);
        if let Some(methods) = methods {
            let methods: Vec<&str> = methods.iter().map(String::as_str).collect();
            both = both.with_methods(&methods);
        }
        both
    }
}

fn with(path: &[Part], last: Part) -> Vec<Part> {
    let mut path = path.to_vec();
    path.push(last);
    path
}

/// The segments of a path without variables.
fn parts(text: &str) -> Option<Vec<Part>> {
    if text.contains(['{', '}']) {
        return None;
    }
    let path = PathPattern::parse(text, &PathRules::default()).ok()?;
    Shape::of_path(&path).path
}
