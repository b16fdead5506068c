//! The methods that one pattern has routes for.

use crate::http::{Method, MethodPattern};
use std::collections::{BTreeMap, BTreeSet};

/// An index into the table's targets.
pub(super) type TargetIndex = usize;

/// What a pattern has for each method.
#[derive(Debug, Clone, Default)]
pub(super) struct Endpoint {
    named: BTreeMap<Method, TargetIndex>,
    any: Option<TargetIndex>,
}

impl Endpoint {
    /// Gives a method a target. When it has one already, that one stays and is
    /// returned.
    pub(super) fn claim(
        &mut self,
        method: &MethodPattern,
        target: TargetIndex,
    ) -> Option<TargetIndex> {
        let held = match method {
            MethodPattern::Any => *self.any.get_or_insert(target),
            MethodPattern::Named(method) => *self.named.entry(method.clone()).or_insert(target),
        };
        (held != target).then_some(held)
    }

    /// The target of a request's method.
    pub(super) fn target(&self, method: &[u8]) -> Option<TargetIndex> {
        let named = |method: &[u8]| self.named.get(method).copied();
        named(method)
            .or_else(|| {
                if method == b"HEAD" {
                    named(b"GET")
                } else {
                    None
                }
            })
            .or(self.any)
    }

    /// Adds what the pattern has to what a path has.
    pub(super) fn add_to<'a>(&'a self, methods: &mut PathMethods<'a>) {
        methods.named.extend(self.named.keys());
        methods.any |= self.any.is_some();
    }
}

/// The methods for which a path has a route, on some pattern that matches it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct PathMethods<'a> {
    /// Those that are named. `HEAD` is among them only by name.
    pub named: BTreeSet<&'a Method>,
    /// Whether some route, `$default` included, takes every method.
    pub any: bool,
}
