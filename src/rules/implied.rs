//! Scopes that a token has because it has broader ones.

use std::collections::{BTreeMap, BTreeSet};

/// The most scopes that the implications may name. Every pair of them takes a bit.
pub const MAX_IMPLYING_SCOPES: usize = 1_000;

/// Which scopes imply which others: a token with the broader one has the narrower one
/// too. If `a` implies `b`, and `b` implies `c`, then `a` implies `c`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ScopeImplications {
    /// All scopes that are named, in order.
    names: Box<[Box<str>]>,
    /// For each scope, a bit for each that it implies.
    implied: Box<[u64]>,
    /// The number of words for each scope.
    words: usize,
}

/// Why implications cannot be used.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum BadImplications {
    /// More than [`MAX_IMPLYING_SCOPES`] scopes.
    TooMany,
    /// A scope implies itself through others. These are the scopes of the circle, each
    /// of which implies the next, and the last implies the first.
    Circle(Vec<Box<str>>),
}

impl ScopeImplications {
    /// The implications of a configuration: each broad scope with the narrower ones.
    ///
    /// # Errors
    ///
    /// [`BadImplications`].
    pub fn new(written: &BTreeMap<&str, Vec<&str>>) -> Result<Self, BadImplications> {
        let mut names: BTreeSet<&str> = BTreeSet::new();
        for (broad, narrow) in written {
            names.insert(broad);
            names.extend(narrow);
        }
        let names: Vec<&str> = names.into_iter().collect();
        if names.len() > MAX_IMPLYING_SCOPES {
            return Err(BadImplications::TooMany);
        }
        let number = |name: &&str| names.binary_search(name).ok();
        let direct: Vec<Vec<usize>> = names
            .iter()
            .map(|name| {
                let narrow = written.get(name).into_iter().flatten();
                narrow.filter_map(number).collect()
            })
            .collect();
        let words = names.len().div_ceil(64);
        let mut all = Self {
            implied: vec![0; names.len().saturating_mul(words)].into(),
            names: names.iter().map(|name| (*name).into()).collect(),
            words,
        };
        all.close(&direct)?;
        Ok(all)
    }

    /// Adds what is implied through others. A scope is closed after all those that it
    /// implies. If none can be closed, the rest contains a circle.
    fn close(&mut self, direct: &[Vec<usize>]) -> Result<(), BadImplications> {
        let mut open: Vec<usize> = direct.iter().map(Vec::len).collect();
        let mut broader: Vec<Vec<usize>> = vec![Vec::new(); direct.len()];
        for (broad, narrow) in direct.iter().enumerate() {
            for one in narrow {
                if let Some(list) = broader.get_mut(*one) {
                    list.push(broad);
                }
            }
        }
        let is_closed = |(scope, open): (usize, &usize)| (*open == 0).then_some(scope);
        let mut ready: Vec<usize> = open.iter().enumerate().filter_map(is_closed).collect();
        while let Some(scope) = ready.pop() {
            for broad in broader.get(scope).into_iter().flatten() {
                self.add(*broad, scope);
                if let Some(open) = open.get_mut(*broad) {
                    *open = open.saturating_sub(1);
                    if *open == 0 {
                        ready.push(*broad);
                    }
                }
            }
        }
        match open.iter().position(|open| *open > 0) {
            None => Ok(()),
            Some(start) => Err(BadImplications::Circle(self.circle(start, &open, direct))),
        }
    }

    /// Records that `broad` implies `narrow` and everything that `narrow` implies.
    fn add(&mut self, broad: usize, narrow: usize) {
        for word in 0..self.words {
            let of = |scope: usize| scope.saturating_mul(self.words).saturating_add(word);
            let own = if narrow / 64 == word { bit(narrow) } else { 0 };
            let more = self.implied.get(of(narrow)).copied().unwrap_or_default();
            let place = of(broad);
            if let Some(known) = self.implied.get_mut(place) {
                *known |= more | own;
            }
        }
    }

    /// The scopes of a circle. Each scope that is still open implies another open one, so
    /// following them from `start` leads into a circle.
    fn circle(&self, start: usize, open: &[usize], direct: &[Vec<usize>]) -> Vec<Box<str>> {
        let mut visited = vec![start];
        let mut last = start;
        loop {
            let is_open = |scope: &&usize| open.get(**scope).is_some_and(|open| *open > 0);
            let narrow = direct.get(last).into_iter().flatten();
            let Some(next) = narrow.copied().find(|scope| is_open(&scope)) else {
                return Vec::new();
            };
            if let Some(first) = visited.iter().position(|known| *known == next) {
                let circle = visited.get(first..).unwrap_or_default().iter();
                return circle
                    .filter_map(|scope| self.names.get(*scope).cloned())
                    .collect();
            }
            visited.push(next);
            last = next;
        }
    }

    /// Whether there are none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.names.is_empty()
    }

    /// Whether a token with `broad` has `narrow` because of it.
    #[must_use]
    pub fn implies(&self, broad: &str, narrow: &str) -> bool {
        self.among(std::iter::once(broad), narrow)
    }

    /// The scopes that a token with `broad` has because of it, in order.
    pub fn implied_by<'s>(&'s self, broad: &'s str) -> impl Iterator<Item = &'s str> {
        let names = self.names.iter().map(|name| &**name);
        names.filter(move |narrow| self.implies(broad, narrow))
    }

    /// Whether one of these scopes implies `narrow`.
    pub(super) fn among<'s>(
        &self,
        mut scopes: impl Iterator<Item = &'s str>,
        narrow: &str,
    ) -> bool {
        let Some(narrow) = self.number(narrow) else {
            return false;
        };
        scopes.any(|scope| {
            let word = self.number(scope).and_then(|scope| {
                let place = scope.checked_mul(self.words)?.checked_add(narrow / 64)?;
                self.implied.get(place)
            });
            word.is_some_and(|word| word & bit(narrow) != 0)
        })
    }

    fn number(&self, name: &str) -> Option<usize> {
        self.names
            .binary_search_by(|known| (**known).cmp(name))
            .ok()
    }
}

/// The bit of a scope in its word.
fn bit(scope: usize) -> u64 {
    let place = u32::try_from(scope % 64).unwrap_or_default();
    1_u64.checked_shl(place).unwrap_or_default()
}
