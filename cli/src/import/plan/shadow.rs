//! REST APIs choose the path before the method: a path that lacks a method answers 403,
//! although a less specific path has the method. Here the less specific route would win,
//! so denied routes are added.

use std::collections::{BTreeMap, BTreeSet};
use std::ops::Range;

use edge_authz::http::{PathPattern, PathRules};

use super::shape::{Part, Shape, written};
use super::{Access, Bound};
use crate::import::model::Api;

/// A path of an API, and its place.
type Path = (Shape, Range<usize>);

/// All paths of an API: those of its resources and routes, and the parents of these,
/// which are resources, too.
pub(super) fn paths(api: &Api, routes: &[Bound]) -> Vec<Path> {
    let mut found: BTreeMap<Vec<Part>, Range<usize>> = BTreeMap::new();
    let mut add = |path: &[Part], at: &Range<usize>| {
        for length in 0..=path.len() {
            let parent = path.get(..length).unwrap_or_default();
            found.entry(parent.to_vec()).or_insert_with(|| at.clone());
        }
    };
    for (text, at) in &api.paths {
        // A path without a route that cannot be a pattern matches no request.
        if let Ok(path) = PathPattern::parse(text, &PathRules::default())
            && let Some(parts) = Shape::of_path(&path).path
        {
            add(&parts, at);
        }
    }
    for route in routes {
        if let Some(parts) = &route.shape.path {
            add(parts, &route.at);
        }
    }
    let shape = |parts| Shape {
        method: None,
        path: Some(parts),
    };
    found
        .into_iter()
        .map(|(parts, at)| (shape(parts), at))
        .collect()
}

/// The routes that must be added.
pub(super) fn added(routes: &[Bound], paths: &[Path]) -> Vec<Bound> {
    let mut methods: BTreeMap<&[Part], BTreeSet<Option<&str>>> = BTreeMap::new();
    for route in routes {
        if let Some(path) = &route.shape.path {
            let of = methods.entry(path).or_default();
            of.insert(route.shape.method.as_deref());
        }
    }
    let has = |path: &Shape, method: Option<&str>| {
        let of = path.path.as_deref().and_then(|path| methods.get(path));
        of.is_some_and(|of| of.contains(&method) || of.contains(&None))
    };
    let mut all: BTreeMap<Vec<Part>, Bound> = BTreeMap::new();
    for (path, at) in paths {
        let mut deny = |parts: Vec<Part>, reason: &str| {
            all.entry(parts.clone())
                .or_insert_with(|| denied(parts, at, reason));
        };
        for route in routes {
            let same = route.shape.path == path.path;
            let Some(common) = path.common(&route.shape).filter(|_| !same) else {
                continue;
            };
            let lower = route.shape.rank() > path.rank();
            if lower && !has(path, route.shape.method.as_deref()) {
                if let Some(parts) = &path.path {
                    deny(parts.clone(), LACKS);
                }
            } else if !lower && path.path.as_deref() < route.shape.path.as_deref() {
                // The source takes the first difference from the left; here, a pattern
                // without `{proxy+}` comes first. It is not known which one was meant.
                let exists = paths
                    .iter()
                    .any(|(known, _)| known.path.as_ref() == Some(&common));
                if !exists {
                    deny(common, ORDER);
                }
            }
        }
    }
    // A route that exists for every method needs no other.
    all.retain(|path, _| !methods.get(&**path).is_some_and(|of| of.contains(&None)));
    all.into_values().collect()
}

const LACKS: &str =
    "the source chooses the path before the method, and this path has no other methods";
const ORDER: &str = "two patterns match these paths, and the source may choose the other one";

fn denied(parts: Vec<Part>, at: &Range<usize>, reason: &str) -> Bound {
    Bound {
        pattern: format!("ANY {}", written(&parts)),
        hosts: Vec::new(),
        shape: Shape {
            method: None,
            path: Some(parts),
        },
        at: at.clone(),
        access: Access::Denied,
        reason: Some(reason.to_owned()),
        added: true,
    }
}
